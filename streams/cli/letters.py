"""``forewarn letters``: make the key of the dead letters, open letters with it, and work with them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import BinaryIO, NamedTuple

import click
import msgspec

from models.base.formats import NewerFormatError
from streams.cli import CommandError, InputError, site_settings
from streams.cli.letters_handled import discard_, redrive_
from streams.cli.letters_shown import list_, show
from streams.cli.noting import note
from streams.cli.private_files import NEW_FILE, identities, private_file, write_private
from streams.files.letter_lines import line_of
from streams.kafka.found_letters import LettersError, letters_of
from streams.kafka.letters import opened
from streams.sealing import Identities, SealError, new_keys
from streams.setting_fields import SettingsError
from streams.settings import Settings


@click.group()
def letters() -> None:
    """Work with dead letters: the records that worker and dispatcher refused, which are sealed to a key of the centre.

    Example: forewarn letters list --since 1h
    """


for _each in (list_, show, redrive_, discard_):
    letters.add_command(_each)


@letters.command()
@click.argument("file", type=NEW_FILE)
def keygen(file: Path) -> None:
    """Make the key that opens dead letters; print the public key that seals them.

    FILE gets the private key. Keep it at the centre, and a copy where the backups are not: without it, no letter can be
    opened. age-keygen makes such files as well.

    Example: forewarn letters keygen letters.key
    """
    made = new_keys()
    write_private(file, made.identity.encode())
    click.echo(made.recipient)
    click.echo(
        f"Keep {file} at the centre, and set FOREWARN_LETTERS_RECIPIENT to this for worker and dispatcher", err=True
    )


@letters.command("open")
@click.option("--identity", "paths", type=NEW_FILE, multiple=True, required=True, help="File of a private key.")
@click.option("--out", type=NEW_FILE, required=True, help="File to write; only its owner may read it.")
@click.option("--case", required=True, help="Case or reason for which they are opened; recorded in the audit log.")
@click.option("--topic", help="Only records of this topic, for example sms.")
@click.option("--reason", help="Only records that were refused for this reason, for example wrong-field.")
def open_(paths: tuple[Path, ...], out: Path, case: str, topic: str | None, reason: str | None) -> None:
    """Open dead letters and write their records to a file, one JSON object a line.

    Key, value and headers are text where they are UTF-8, otherwise {"base64": …}. The audit log records who opened how
    many letters. Exit status 1: some could not be opened, and the message says why.

    Example: forewarn letters open --identity letters.key --topic sms --out sms.jsonl --case A-2026-118
    """
    settings = site_settings()
    if not case.strip():
        raise InputError("--case is empty: give the case or reason for which the letters are opened")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    keys = identities(paths)
    try:
        settings.audit_keys()  # without one, nothing need be opened
        with private_file(out) as file:
            found = asyncio.run(_open(settings, keys, topic, reason, file))
            chosen = {"topic": topic or "", "reason": reason or ""}
            details = chosen | {"opened": found.opened, "closed": found.closed}
            note(settings, "letters-opened", case=case, details=details)  # before the file gets its name
    except (LettersError, SettingsError) as error:
        raise InputError(str(error)) from None
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
            if (topic and letter.origin.topic != settings.topic(topic)) or (reason and letter.reason != reason):
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
