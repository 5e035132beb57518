"""``forewarn indicators``: import lists of fraud numbers and domains, list what is known, revoke what is wrong."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from models.indicators import (
    SCAM_TYPES,
    TYPES,
    Indicator,
    IndicatorError,
    IndicatorType,
    encode,
    guess_type,
    normalise,
)
from streams.cli import CommandError
from streams.indicator_files import Defaults, IndicatorFile, Refusal, instant
from streams.indicator_topic import TopicError, publish, read
from streams.settings import Settings, SettingsError
from streams.text_lines import FileError

T = TypeVar("T")


@click.group()
def indicators() -> None:
    """Import, list and revoke known fraud numbers and domains.

    Example: forewarn indicators import blacklist.csv --source city-centre
    """


class _Instant(click.ParamType):
    """A time: epoch ms, or a date and perhaps a time of day."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Epoch ms of what was written."""
        try:
            return instant(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@dataclass
class _Tally:
    """What became of a file's lines."""

    on_refusal: Callable[[Refusal], object]
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    types: Counter[str] = field(default_factory=Counter)
    _seen: dict[str, int] = field(default_factory=dict)

    def sift(self, found: Iterable[Indicator | Refusal]) -> Iterator[Indicator]:
        """The indicators worth sending: a line that repeats its value and says the same is only counted."""
        for item in found:
            if isinstance(item, Refusal):
                self.refused += 1
                self.on_refusal(item)
                continue
            content = hash(item)
            key = item.key
            if self._seen.get(key) == content:
                self.duplicates += 1
                continue
            self._seen[key] = content
            self.accepted += 1
            self.types[item.type] += 1
            yield item


@indicators.command("import")
@click.argument("file", type=click.Path(path_type=str))
@click.option("--type", "kind", type=click.Choice(TYPES), help="What the values are; else by their looks.")
@click.option(
    "--scam-type", default="other", show_default=True, help=f"{', '.join(SCAM_TYPES)}, or your own."
)
@click.option("--confidence", type=click.IntRange(0, 100), default=80, show_default=True, help="Per cent.")
@click.option("--source", default="import", show_default=True, help="Who says so.")
@click.option(
    "--valid-from",
    type=_Instant(),
    default=0,
    help="From when they count: 2024-11-05, with a time and offset, or epoch ms [default: for any time].",
)
@click.option("--region", default="CN", show_default=True, help="Whose national numbers these are.")
@click.option("--case", help="The case that they come from.")
@click.option("--dry-run", is_flag=True, help="Check the file and send nothing; needs no broker.")
@click.option("--json", "as_json", is_flag=True, help="Write refused lines and a summary as JSON Lines.")
def import_(
    file: str,
    kind: IndicatorType | None,
    scam_type: str,
    confidence: int,
    source: str,
    valid_from: int,
    region: str,
    case: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import FILE (- is standard input) into the indicators topic.

    FILE is CSV with headings (value, number, domain, url, type, scam_type, confidence, source, valid_from,
    valid_until, case), JSON Lines, or one value a line; plain, gzip or zstd. Options hold where a line says
    nothing. A line that is wrong is reported and the others are imported.

    Exit status: 0 all imported, 1 a line was refused or Kafka failed, 2 wrong usage.

    Example: forewarn indicators import blacklist.csv --scam-type loan --source city-centre
    """
    settings = _settings()
    region = region.upper()
    defaults = Defaults(
        type=kind,
        scam_type=scam_type,
        confidence=confidence,
        source=source,
        valid_from=valid_from,
        case=case,
        region=region,
    )
    tally = _Tally(_write_refusal if as_json else _say_refusal)
    problem: str | None = None
    confirmed = 0
    with _opened(file) as (raw, size):
        try:
            lines = IndicatorFile(raw, defaults)
            if lines.ignored:
                click.echo(f"{file}: not read: column {', '.join(lines.ignored)}", err=True)
            wanted = tally.sift(lines)
            if dry_run:
                for _ in wanted:
                    pass
            else:
                with _progress(raw, size) as advance:
                    confirmed = _run(publish(settings, wanted, advance))
        except FileError as error:
            problem, confirmed = f"{file}: {error}", tally.accepted
        except TopicError as error:
            problem, confirmed = str(error), error.confirmed
    _summarise(file, tally, None if dry_run else confirmed, as_json)
    if problem:
        raise CommandError(problem)
    if tally.refused:
        raise SystemExit(1)


@indicators.command("list")
@click.option("--type", "kind", type=click.Choice(TYPES), help="Only these.")
@click.option("--scam-type", help="Only of this scam type.")
@click.option("--source", help="Only from this source.")
@click.option("--all", "everything", is_flag=True, help="Revoked ones as well.")
@click.option("--json", "as_json", is_flag=True, help="Write their records as JSON Lines.")
def list_(
    kind: str | None, scam_type: str | None, source: str | None, everything: bool, as_json: bool
) -> None:
    """List what is known: a table on a terminal, else lines with tabs.

    Example: forewarn indicators list --type domain --json > domains.jsonl
    """
    contents = _run(read(_settings()))
    chosen: list[Indicator] = []
    unsound = 0
    for _, item in contents.indicators():
        if isinstance(item, IndicatorError):
            unsound += 1
        elif (
            (everything or not item.revoked)
            and kind in (None, item.type)
            and scam_type in (None, item.scam_type)
            and source in (None, item.source)
        ):
            chosen.append(item)
    if as_json:
        out = click.get_binary_stream("stdout")
        out.writelines(encode(item) + b"\n" for item in chosen)
        out.flush()
    else:
        _show(chosen)
    click.echo(f"{len(chosen):,} indicators", err=True)
    if everything and contents.tombstones:
        click.echo(f"{len(contents.tombstones):,} more were deleted (tombstones)", err=True)
    if unsound:
        click.echo(f"{unsound:,} records of the topic are no sound indicators; workers ignore them", err=True)


@indicators.command()
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
@click.option("--type", "kind", type=click.Choice(TYPES), help="What the values are; else by their looks.")
@click.option("--region", default="CN", show_default=True, help="Whose national numbers these are.")
def revoke(values: tuple[str, ...], kind: IndicatorType | None, region: str) -> None:
    """Withdraw indicators; alerts that stood only on them are withdrawn in turn.

    Their records stay, marked as revoked. Exit status: 0 all revoked, 1 a value is not known.

    Example: forewarn indicators revoke evil.top "+999 00 123456"
    """
    settings = _settings()
    wanted: dict[str, str] = {}
    for position, value in enumerate(values, 1):
        try:
            type_ = kind or guess_type(value)
            wanted[f"{type_}:{normalise(type_, value, region.upper())}"] = value
        except IndicatorError as error:
            raise CommandError(f"value {position} cannot be an indicator: {error}") from None
    contents = _run(read(settings, frozenset(wanted)))
    known = dict(contents.indicators())
    revoked = []
    for key, value in wanted.items():
        item = known.get(key)
        if not isinstance(item, Indicator):
            click.echo(f"{value} is not a known indicator ({key.partition(':')[0]})", err=True)
        elif item.revoked:
            click.echo(f"{value} is revoked already", err=True)
        else:
            revoked.append(msgspec.structs.replace(item, revoked=True))
    if revoked:
        click.echo(f"{_run(publish(settings, revoked)):,} indicators revoked", err=True)
    if any(not isinstance(known.get(key), Indicator) for key in wanted):
        raise SystemExit(1)


def _settings() -> Settings:
    try:
        return Settings.from_environ()
    except SettingsError as error:
        raise CommandError(str(error)) from None


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to its end, with aiokafka's own log off: what it says comes as one sentence instead."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    try:
        return asyncio.run(work)
    except TopicError as error:
        if error.confirmed:
            raise
        raise CommandError(str(error)) from None
    except SettingsError as error:
        raise CommandError(str(error)) from None


@contextmanager
def _opened(file: str) -> Iterator[tuple[IO[bytes], int | None]]:
    """The file and its size in bytes; no size for standard input."""
    if file == "-":
        yield click.get_binary_stream("stdin"), None
        return
    path = Path(file)
    try:
        raw = path.open("rb")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    with raw:
        yield raw, path.stat().st_size


@contextmanager
def _progress(raw: IO[bytes], size: int | None) -> Iterator[Callable[[int], object]]:
    """A bar on a terminal, by how much of the file has been read; the callback hears what is confirmed."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[confirmed]:,} confirmed"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("importing", total=size, confirmed=0)

        def advance(confirmed: int) -> None:
            progress.update(task, completed=raw.tell() if size else 0, confirmed=confirmed)

        yield advance


def _say_refusal(refusal: Refusal) -> None:
    click.echo(f"line {refusal.line}: {refusal.reason}", err=True)


def _write_refusal(refusal: Refusal) -> None:
    click.echo(msgspec.json.encode({"line": refusal.line, "refused": refusal.reason}))


def _summarise(file: str, tally: _Tally, confirmed: int | None, as_json: bool) -> None:
    if as_json:
        summary = {
            "file": file,
            "accepted": tally.accepted,
            "confirmed": confirmed,
            "duplicates": tally.duplicates,
            "refused": tally.refused,
            "types": dict(sorted(tally.types.items())),
        }
        click.echo(msgspec.json.encode(summary))
        return
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(tally.types.items())) or "nothing"
    done = "checked, nothing sent" if confirmed is None else f"{confirmed:,} confirmed by Kafka"
    click.echo(
        f"{file}: {kinds}; {done}; {tally.duplicates:,} duplicates, {tally.refused:,} lines refused", err=True
    )


def _show(chosen: Iterable[Indicator]) -> None:
    head = ("type", "value", "scam_type", "confidence", "source", "valid_from", "valid_until", "revoked")
    rows = (
        (
            item.type,
            item.value,
            item.scam_type,
            str(item.confidence),
            item.source,
            _day(item.valid_from),
            _day(item.valid_until),
            "revoked" if item.revoked else "",
        )
        for item in chosen
    )
    if not sys.stdout.isatty():
        click.echo("\t".join(head))
        for row in rows:
            click.echo("\t".join(row))
        return
    table = Table(*head, box=None)
    for row in rows:
        table.add_row(*row)
    Console().print(table, markup=False)


def _day(at: int | None) -> str:
    """A time for people, UTC to the minute; empty where there is no limit."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M") if at else ""
