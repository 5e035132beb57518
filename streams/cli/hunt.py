"""``forewarn hunt``: find in the ledger everyone who was in contact with a number or domain."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, Literal

import click
import msgspec
from rich.console import Console
from rich.table import Table

from models.access.audit_chain import Plain
from models.indicators.indicator import Indicator, IndicatorError, IndicatorType
from streams.cli import InputError, site_settings
from streams.cli.indicator_options import Region
from streams.cli.noting import note
from streams.cli.private_files import NEW_FILE, PLAIN, kind_of, seal_for, write_private
from streams.cli.progress import count_bar
from streams.cli.since import Since
from streams.files.indicator_files import Defaults, IndicatorFile
from streams.files.text_lines import FileError
from streams.ledger.inquiry import Inquiry, InquiryError, check_since, wanted
from streams.ledger.people import Reached
from streams.ledger.storage import LedgerError
from streams.setting_fields import SettingsError


@click.command()
@click.option("--number", "numbers", multiple=True, help="A number, or a prefix of numbers: 861700*")
@click.option("--domain", "domains", multiple=True, help="A domain, with all its subdomains.")
@click.option("--url", "urls", multiple=True, help="A URL, with everything below its path.")
@click.option("--file", "file", type=click.Path(path_type=Path), help="A list, as for indicators import.")
@click.option("--since", type=Since(), default="30d", show_default=True, help="How far to look back.")
@click.option("--case", required=True, help="The case that needs this look-up; recorded in the audit log.")
@click.option("--region", type=Region(), default="CN", show_default=True, help="Country of numbers without its code.")
@click.option("--json", "form", flag_value="json", help="Write JSON Lines.")
@click.option("--csv", "form", flag_value="csv", help="Write CSV.")
@click.option("--out", type=NEW_FILE, help="Write into a new file, sealed to the centre's key; CSV without --json.")
@PLAIN
def hunt(
    numbers: tuple[str, ...],
    domains: tuple[str, ...],
    urls: tuple[str, ...],
    file: Path | None,
    since: datetime,
    case: str,
    region: str,
    form: Literal["json", "csv"] | None,
    out: Path | None,
    plain: bool,
) -> None:
    """Find everyone who was in contact with a number or domain: when, how often, in which direction, for how long.

    The audit log records every look-up with its case. To have the people warned as well, import the number: the hunter
    then looks back by itself. A list that is to be carried away belongs into --out, which only the holder of the
    private key can read: `age --decrypt --identity KEY` opens it.

    Example: forewarn hunt --number "+999 00 123456" --since 30d --case A-2026-118
    """
    settings = site_settings()
    if not case.strip():
        raise InputError("--case is empty: give the reference of the case that needs this look-up")
    asked = [*_wanted("number", numbers, region), *_wanted("domain", domains, region), *_wanted("url", urls, region)]
    if file is not None:
        asked += _listed(file, region)
    if not asked:
        raise click.UsageError("give --number, --domain, --url or --file")
    if plain and out is None:
        raise click.UsageError("--plain goes with --out")
    seal = None if out is None else seal_for(settings, plain)
    if out is not None and out.exists():
        raise InputError(f"{out} exists already: name another file in --out")
    keys = [indicator.key for indicator in dict.fromkeys(asked)]
    try:
        check_since(since, datetime.now(UTC), settings.ledger_days)
        settings.audit_keys()  # without one, the ledger need not be searched
        found = Inquiry(settings).reached(keys, since, bar=partial(count_bar, "looking back"))
    except InquiryError as error:
        raise InputError(f"--since {error}") from None
    except (LedgerError, SettingsError) as error:
        raise InputError(str(error)) from None
    people = len({each.subscriber for each in found})
    said = since.isoformat(timespec="seconds")
    details: dict[str, Plain] = {"since": said, "found": people}
    if out is not None:
        details |= kind_of(seal)
    note(settings, "look-up", case=case, about=keys, details=details)
    if out is not None:
        write_private(out, _CONTENTS[form or "csv"](found), seal)
    elif form is not None:
        stdout = click.get_binary_stream("stdout")
        stdout.write(_CONTENTS[form](found))
        stdout.flush()
    elif sys.stdout.isatty():
        _show_table(found)
    else:
        _show_tabs(found)
    click.echo(f"{people:,} people", err=True)


def _wanted(kind: IndicatorType, values: Sequence[str], region: str) -> Iterator[Indicator]:
    for position, value in enumerate(values, 1):
        try:
            yield wanted(kind, value, region)
        except IndicatorError as error:
            raise InputError(f"--{kind} {position} cannot be looked up: {error}") from None


def _listed(path: Path, region: str) -> list[Indicator]:
    try:
        with path.open("rb") as raw:
            items = [*IndicatorFile(raw, Defaults(region=region))]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except FileError as error:
        raise InputError(f"{path}: {error}") from None
    wrong = [item for item in items if not isinstance(item, Indicator)]
    if wrong:
        raise InputError(
            f"{path}: {wrong[0]} ({len(wrong):,} wrong lines in all). Nothing was looked up: correct the list first"
        )
    return [item for item in items if isinstance(item, Indicator)]


_HEAD = ("subscriber", "indicator", "first", "last", "contacts", "calls in", "calls out", "talk s", "SMS in", "SMS out")


def _row(line: Reached) -> tuple[str, ...]:
    counts = (line.contacts, line.calls_in, line.calls_out, round(line.talk_s), line.sms_in, line.sms_out)
    return (line.subscriber, line.indicator, moment(line.first_at), moment(line.last_at), *map(str, counts))


def moment(at: int) -> str:
    """A time (epoch ms) in readable form, UTC to the second."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _show_table(found: Sequence[Reached]) -> None:
    table = Table(*_HEAD, box=None)
    for line in found:
        table.add_row(*_row(line))
    Console().print(table, markup=False)


def _show_tabs(found: Sequence[Reached]) -> None:
    click.echo("\t".join(_HEAD))
    for line in found:
        click.echo("\t".join(_row(line)))


def _csv(found: Sequence[Reached]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEAD)
    writer.writerows(map(_row, found))
    return text.getvalue().encode()


def _json(found: Sequence[Reached]) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in found)


_CONTENTS: Final = {"csv": _csv, "json": _json}
