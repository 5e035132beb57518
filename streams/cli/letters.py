"""``forewarn letters``: make the key of the dead letters, and open letters with it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import click
import msgspec

from models.base.formats import NewerFormatError
from streams.cli import CommandError, InputError, site_settings
from streams.cli.noting import note
from streams.files.letter_lines import line_of
from streams.kafka.found_letters import LettersError, letters_of
from streams.kafka.letters import opened
from streams.sealing import Identities, SealError, new_keys
from streams.secret_files import ExposedError, read_secret
from streams.setting_fields import SettingsError
from streams.settings import Settings

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def letters() -> None:
    """Open dead letters: the records that worker and dispatcher refused, which are sealed to a key of the centre.

    Example: forewarn letters open --identity letters.key --out letters.jsonl --case A-2026-118
    """


@letters.command()
@click.argument("file", type=FILE)
def keygen(file: Path) -> None:
    """Make the key that opens dead letters; print the public key that seals them.

    FILE gets the private key. Keep it at the centre, and a copy where the backups are not: without it, no letter can be
    opened. age-keygen makes such files as well.

    Example: forewarn letters keygen letters.key
    """
    made = new_keys()
    try:
        with _only_ours(file) as out:
            out.write(made.identity.encode())
    except FileExistsError:
        raise InputError(f"{file} exists already: give another name") from None
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}") from None
    click.echo(made.recipient)
    click.echo(
        f"Keep {file} at the centre, and set FOREWARN_LETTERS_RECIPIENT to this for worker and dispatcher", err=True
    )


@letters.command("open")
@click.option("--identity", "identities", type=FILE, multiple=True, required=True, help="File of a private key.")
@click.option("--out", type=FILE, required=True, help="File to write; only its owner may read it.")
@click.option("--case", required=True, help="Case or reason for which they are opened; recorded in the audit log.")
@click.option("--topic", help="Only records of this topic, for example sms.")
@click.option("--reason", help="Only records that were refused for this reason, for example wrong-field.")
def open_(identities: tuple[Path, ...], out: Path, case: str, topic: str | None, reason: str | None) -> None:
    """Open dead letters and write their records to a file, one JSON object a line.

    Key, value and headers are text where they are UTF-8, otherwise {"base64": …}. The audit log records who opened how
    many letters. Exit status 1: some could not be opened, and the message says why.

    Example: forewarn letters open --identity letters.key --topic sms --out sms.jsonl --case A-2026-118
    """
    settings = site_settings()
    if not case.strip():
        raise InputError("--case is empty: give the case or reason for which the letters are opened")
    if out.exists():
        raise InputError(f"{out} exists already: give another name")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    keys = Identities(map(_identity, identities))
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        settings.audit_keys()  # without one, nothing need be opened
        with _only_ours(beside) as file:
            found = asyncio.run(_open(settings, keys, topic, reason, file))
        chosen = {"topic": topic or "", "reason": reason or ""}
        details = chosen | {"opened": found.opened, "closed": found.closed}
        note(settings, "letters-opened", case=case, details=details)
        os.link(beside, out)  # unlike a rename, it never replaces a file
    except (LettersError, SettingsError) as error:
        raise InputError(str(error)) from None
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)
    click.echo(f"{found.opened:,} letters opened", err=True)
    if found.closed:
        total = found.opened + found.closed
        raise CommandError(f"{found.closed:,} of {total:,} letters could not be opened, the first at {found.first}")


class _Opening(NamedTuple):
    """How many letters were opened, and how many not, with the place and reason of the first of these."""

    opened: int
    closed: int
    first: str


async def _open(
    settings: Settings, keys: Identities, topic: str | None, reason: str | None, file: BinaryIO
) -> _Opening:
    """Write the chosen letters to a file."""
    count = closed = 0
    first = ""
    async with contextlib.aclosing(letters_of(settings)) as letters:
        async for letter in letters:
            if (topic and letter.topic != settings.topic(topic)) or (reason and letter.reason != reason):
                continue
            try:
                record = opened(letter.sealed, keys)
            except (SealError, NewerFormatError) as error:
                closed += 1
                first = first or f"{letter.where}: {error}"
            else:
                count += 1
                file.write(msgspec.json.encode(line_of(letter.reason, letter.detail, record)) + b"\n")
    return _Opening(count, closed, first)


def _identity(path: Path) -> str:
    """The text of an identity file."""
    try:
        text = read_secret(path, private=True)
        Identities([text])  # so that the message names the file
    except ExposedError as error:
        raise InputError(f"--identity is refused: {error}") from None
    except SealError as error:
        raise InputError(f"{path} cannot be used: {error}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is no identity file of age: it is no text") from None
    return text


@contextmanager
def _only_ours(path: Path) -> Iterator[BinaryIO]:
    """A new file that its owner alone may read, on the disk at the end; raises OSError, also if there is one."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
