"""Machine: whether this machine's files about people are closed to others, encrypted, and have room to grow."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from streams.checkup.finding import Finding, State
from streams.files.at_rest import encryption, existing, readable_by_others
from streams.settings import Settings

SCARCE: Final = 0.1
"""The free share of a disk below which somebody should make room."""

NONE_LEFT: Final = 0.02
"""The free share below which writing may fail at any moment."""


def files(settings: Settings) -> Iterator[Finding]:
    """Check that other users of this machine cannot read the files about people."""
    try:
        open_ones = [path for path in _personal(settings) if path.exists() and readable_by_others(path)]
    except OSError as error:
        yield Finding("files", "look", f"{error.filename} cannot be looked at ({error.strerror})")
        return
    if open_ones:
        shown = " ".join(map(str, open_ones))
        yield Finding("files", "look", f"other users of this machine can read what people did: run chmod -R o= {shown}")
    else:
        yield Finding("files", "good", "other users of this machine cannot read ledger, audit log and users")


def disks(settings: Settings) -> Iterator[Finding]:
    """Say whether the disks of ledger, audit log and users are encrypted; those of Kafka and Redis are elsewhere."""
    try:
        found = {path: encryption(existing(path)) for path in _personal(settings)}
    except OSError as error:
        yield Finding("disks", "look", f"{error.filename} cannot be looked at ({error.strerror})")
        return
    plain = [str(path) for path, says in found.items() if says == "plain"]
    unknown = [str(path) for path, says in found.items() if says == "unknown"]
    if plain:
        says = (
            f"the system does not encrypt the disk of {' and '.join(plain)}: whoever takes the disk can read it. Use "
            "LUKS, here and for Kafka and Redis, unless the hardware or the cloud encrypts"
        )
        yield Finding("disks", "look", says)
    elif unknown:
        says = f"it cannot be seen whether the disk of {' and '.join(unknown)} is encrypted: look on its server"
        yield Finding("disks", "look", says)
    else:
        yield Finding("disks", "good", "ledger, audit log and users are on encrypted disks; see to Kafka's and Redis's")


def space(settings: Settings) -> Iterator[Finding]:
    """Check that the disks of ledger, audit log and users have room; whoever cannot write there stands still."""
    try:
        yield from room({path: _free(path) for path in _personal(settings)})
    except OSError as error:
        yield Finding("space", "look", f"{error.filename} cannot be looked at ({error.strerror})")


def room(free: Mapping[Path, float]) -> Iterator[Finding]:
    """Say whether there is room on the disks of these paths, of which this share is free."""
    path, least = min(free.items(), key=lambda each: each[1])
    if least < SCARCE:
        state: State = "bad" if least < NONE_LEFT else "look"
        says = f"only {least:.0%} of the disk of {path} is free: make room, as alerts stop when nothing can be written"
        yield Finding("space", state, says)
    else:
        yield Finding("space", "good", f"{least:.0%} or more of the disks of ledger, audit log and users is free")


def _free(path: Path) -> float:
    """The share of a file's disk that is free."""
    disk = shutil.disk_usage(existing(path))
    return disk.free / disk.total


def _personal(settings: Settings) -> list[Path]:
    """The files and local folders in which the programs of this machine keep what is about people."""
    ledger = [Path(settings.ledger)] if settings.ledger and "://" not in settings.ledger else []
    return [*ledger, settings.audit_log, settings.users_file]
