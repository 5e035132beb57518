"""Expiring: deletes the oldest lines of the audit log, so that the rest is still a chain that can be checked.

The log is written anew beside its place: a copy of the line that records the deletion, the lines that stay, and that
line at their end. The new file takes the place of the old one at once, so a log is cut with its line or not at all.
Whoever has no key cannot write such a line, and so cannot cut the log unnoticed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from models.access.audit_chain import EXPIRED, Cut, Line, cut_of, digest, line_of, verify
from streams.audit.log import AuditLog
from streams.audit.reading import AuditError, end_of, log_of
from streams.files.durable import hand_over, sync_folder


def expire(audit: AuditLog, until: datetime, published: Mapping[int, frozenset[str]]) -> Line | None:
    """Delete the lines from before a time; return the line that records it, None when there are none.

    Nothing else can be noted meanwhile. The whole log is checked before, also against the ``published`` hashes, because
    what was done to the deleted lines could not be found any more. Raises `ChainError` when it is not whole, and
    `AuditError` when it cannot be read or written; then nothing was changed.
    """
    if not audit.path.exists():
        return None
    try:
        with audit.locked() as file:
            verify(_raws(file), audit.keys, published=published)
            place = _place(file, until)
            if place is None:
                return None
            details = place.cut._asdict() | {"until": until.astimezone(UTC).isoformat(timespec="seconds")}
            end = end_of(file, os.fstat(file).st_size, audit.path)
            line, added = audit.addition(end, audit.line(EXPIRED, details))
            _replace(audit.path, file, place.end, added)
            return line
    except OSError as error:
        raise AuditError(
            f"The audit log {audit.path} cannot be written anew ({error.strerror}), so nothing was deleted: make room "
            "in its folder, or run chattr -a on it if lines may only be appended."
        ) from None


class _Place(NamedTuple):
    """Where the log is cut."""

    cut: Cut
    end: int
    """Bytes up to there."""


def _raws(file: int) -> Iterator[bytes]:
    """The lines of an open log."""
    lines = os.fdopen(file, "rb", closefd=False)  # a copy of the descriptor would keep the lock as long as it lives
    lines.seek(0)
    yield from lines


def _place(file: int, until: datetime) -> _Place | None:
    """Where the lines end that are from before a time; a half-written line after them stays with the note about it."""
    log, oldest = log_of(_raws(file)), until.astimezone(UTC).isoformat(timespec="seconds")
    found, end = None, 0
    for place, raw in enumerate(_raws(file)):
        end += len(raw)
        line = line_of(raw)
        if line is None or (place == 0 and cut_of(line) is not None):
            continue
        if line.at >= oldest:  # all in UTC, equally long
            break
        found = _Place(Cut(log, line.number, digest(raw)), end)
    return found


def _replace(path: Path, file: int, start: int, added: bytes) -> None:
    """Put the log without the bytes before ``start``, and with those that are added, in the place of the log."""
    copy = added.splitlines(keepends=True)[-1]
    beside = path.with_name(f".{path.name}.expiring")
    beside.unlink(missing_ok=True)  # of a run that was killed; the lock keeps others away
    try:
        made = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(made, "wb") as new, os.fdopen(file, "rb", closefd=False) as old:
            old.seek(start)
            new.write(copy)
            shutil.copyfileobj(old, new)
            new.write(added)
            new.flush()
            os.fchmod(made, os.fstat(file).st_mode & 0o777)
            hand_over(made, path)
            os.fsync(made)
        beside.replace(path)
        sync_folder(path.parent)
    finally:
        beside.unlink(missing_ok=True)
