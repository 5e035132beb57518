"""``forewarn letters list`` and ``show``: which dead letters there are, and what one of them is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from models.base.formats import NewerFormatError
from models.base.number_keys import LONGEST_NUMBER
from streams.cli import CommandError, InputError, site_settings
from streams.cli.letter_options import PLACE, at_site, checked_case, choice_of, choosing, run, shown_place
from streams.cli.noting import note
from streams.cli.private_files import IDENTITY, identities
from streams.cli.tables import show_table
from streams.files.letter_lines import line_of
from streams.files.record_check import masked
from streams.kafka.found_letters import Found, letters_of
from streams.kafka.letters import Envelope, opened
from streams.letters.choosing import Choice, Place, chosen
from streams.letters.counting import Counts, Group
from streams.letters.handled import Handled, handled_letters
from streams.printable import printable
from streams.sealing import Identities, SealError
from streams.settings import Settings


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What ``list`` says of the letters with one topic, reason and source; times are epoch milliseconds."""

    topic: str
    reason: str
    source: str
    waiting: int
    redriven: int
    discarded: int
    first: int
    last: int
    example: str
    """The place of one of the refused records."""
    detail: str
    sample: str = ""
    """The record at this place, masked."""


@click.command("list")
@choosing
@IDENTITY
@click.option("--json", "as_json", is_flag=True, help="Write JSON Lines.")
def list_(keys: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Count dead letters by topic, reason and source, with the place of one that waits.

    With --identity, it also shows the record there, with # for digits and x for letters; the audit log records that.

    Example: forewarn letters list --since 1h --topic calls
    """
    settings = site_settings()
    counts = run(_count(settings, choice_of(settings, **options)))
    groups = [*counts.groups()]
    if keys:
        opener = identities(keys)
        note(settings, "letter-shown", details={"letters": len(groups), "masked": True})
        lines = [*_lines(settings, groups, opener)]
    else:
        lines = [*_lines(settings, groups)]
    if as_json:
        for line in lines:
            click.echo(msgspec.json.encode(line))
        return
    show_table(_HEAD, map(_row, lines))
    for line in lines:
        if line.sample:
            click.echo(f"{line.example}: {printable(line.sample)}")
    click.echo(f"{sum(line.waiting for line in lines):,} letters wait", err=True)


@click.command()
@click.argument("place", type=PLACE)
@IDENTITY
@click.option("--whole", is_flag=True, help="Show the record as it was sent; needs --case.")
@click.option("--case", default="", help="Case or incident for which it is shown; recorded in the audit log.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def show(place: Place, keys: tuple[Path, ...], whole: bool, case: str, as_json: bool) -> None:
    """Show the letter of the record at PLACE: why it was refused, and what was done about it.

    With --identity, it shows the record, with # for digits and x for letters, or --whole. The audit log records that.

    Example: forewarn letters show calls/3/1180 --identity letters.key
    """
    if whole:
        checked_case(case)
        if not keys:
            raise InputError("--whole needs --identity, the file of the private key that opens letters")
    settings = site_settings()
    opener = identities(keys) if keys else None
    letter, handled = run(_one(settings, at_site(settings, place)))
    said: dict[str, Any] = {
        "place": shown_place(settings, letter.origin),
        "reason": letter.reason,
        "detail": letter.detail,
        "source": letter.source,
        "arrived": letter.origin.timestamp,
        "status": handled.status if handled else "waiting",
    }
    if handled is not None:
        said |= {"at": handled.at, "who": handled.who, "case": handled.case, "note": handled.note}
    if opener is not None:
        record = _opened(letter, opener)
        about = _number_of(record) if whole else []
        note(settings, "letter-shown", case=case.strip(), about=about, details={"letters": 1, "masked": not whole})
        said["record"] = line_of(letter.reason, letter.detail, record) if whole else masked(record.value)
    if as_json:
        click.echo(msgspec.json.encode(said))
        return
    for name, value in said.items():
        if name in ("arrived", "at"):
            value = _moment(value)
        elif not isinstance(value, str):
            value = msgspec.json.encode(value).decode()
        click.echo(f"{name}\t{printable(value)}")


async def _count(settings: Settings, choice: Choice) -> Counts:
    counts = Counts(await handled_letters(settings))
    async with aclosing(letters_of(settings)) as letters:
        async for letter in chosen(letters, choice):
            counts.take(letter)
    return counts


async def _one(settings: Settings, place: Place) -> tuple[Found, Handled | None]:
    handled = await handled_letters(settings)
    async with aclosing(letters_of(settings)) as letters:
        async for letter in chosen(letters, Choice(place=place)):
            return letter, handled.get(letter.origin)
    raise InputError("no letter is about a record there: see forewarn letters list")


def _opened(letter: Found, keys: Identities) -> Envelope:
    try:
        return opened(letter.sealed, keys)
    except (SealError, NewerFormatError) as error:
        raise CommandError(f"the letter at {letter.where} cannot be opened: {error}") from None


def _sample(letter: Found, keys: Identities) -> str:
    try:
        return masked(opened(letter.sealed, keys).value)
    except (SealError, NewerFormatError) as error:
        return f"({error})"


def _lines(settings: Settings, groups: list[Group], keys: Identities | None = None) -> Iterator[Line]:
    for group in groups:
        letter = group.example
        yield Line(
            topic=letter.origin.topic.removeprefix(settings.topic_prefix),
            reason=letter.reason,
            source=letter.source,
            waiting=group.counts["waiting"],
            redriven=group.counts["redriven"],
            discarded=group.counts["discarded"],
            first=group.first,
            last=group.last,
            example=shown_place(settings, letter.origin),
            detail=letter.detail,
            sample="" if keys is None else _sample(letter, keys),
        )


_HEAD = ("topic", "reason", "source", "waiting", "redriven", "discarded", "first", "last", "example", "detail")


def _row(line: Line) -> tuple[str, ...]:
    counts = (f"{count:,}" for count in (line.waiting, line.redriven, line.discarded))
    times = map(_moment, (line.first, line.last))
    return line.topic, line.reason, line.source, *counts, *times, line.example, line.detail


def _number_of(record: Envelope) -> list[str]:
    """Whom a record is about, for the audit log, if its key is a number."""
    key = record.key or b""
    return [f"number:{key.decode()}"] if key.isdigit() and len(key) <= LONGEST_NUMBER else []


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
