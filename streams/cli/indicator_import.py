"""``forewarn indicators import``: check the lines of a list, publish them, and report each refused line."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from models.indicators.indicator import SCAM_TYPES, TYPES, Indicator, IndicatorError, IndicatorType, check
from streams.cli import CommandError, site_settings
from streams.cli.indicator_options import Encoding, Instant, Region, run
from streams.cli.noting import note
from streams.files.indicator_files import Defaults, IndicatorFile, Refusal
from streams.files.text_lines import FileError
from streams.kafka.indicator_topic import TopicError, publish
from streams.printable import printable


@dataclass
class _Tally:
    """Counts the results of a file's lines."""

    on_refusal: Callable[[Refusal], object]
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    types: Counter[str] = field(default_factory=Counter)
    _seen: dict[str, int] = field(default_factory=dict)

    def sift(self, found: Iterable[Indicator | Refusal]) -> Iterator[Indicator]:
        """The indicators to send; a line that repeats the last content of its value is only counted."""
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


@click.command("import")
@click.argument("file", type=click.Path(path_type=str))
@click.option("--type", "kind", type=click.Choice(TYPES), help="Type of the values; guessed by default.")
@click.option("--scam-type", default="other", show_default=True, help=f"{', '.join(SCAM_TYPES)}, or another word.")
@click.option("--confidence", type=click.IntRange(0, 100), default=80, show_default=True, help="Per cent.")
@click.option("--source", default="import", show_default=True, help="Who reported the indicators.")
@click.option(
    "--valid-from",
    type=Instant(),
    default=0,
    help="Start of validity: 2024-11-05, also with time and offset, or epoch ms [default: always valid].",
)
@click.option("--region", type=Region(), default="CN", show_default=True, help="Country of numbers without its code.")
@click.option("--encoding", type=Encoding(), help="Encoding of the text; recognised by default.")
@click.option("--case", help="The case that the indicators come from.")
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
    encoding: str | None,
    case: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import FILE (- is standard input) into the indicators topic.

    FILE is CSV with headings (value, number, domain, url, type, scam_type, confidence, source, valid_from,
    valid_until, case, revoked), JSON Lines, one value a line, or a blocklist (hosts, dnsmasq, Unbound, Adblock, RPZ);
    plain, gzip or zstd. Options apply where a line gives no value. A wrong line is reported, and the others are
    imported.

    Exit status: 0 all imported, 1 a line was refused or Kafka failed, 2 wrong usage, 130 stopped with Ctrl-C.

    Example: forewarn indicators import blacklist.csv --scam-type loan --source city-centre
    """
    settings = site_settings()
    defaults = Defaults(
        type=kind,
        scam_type=scam_type,
        confidence=confidence,
        source=source,
        valid_from=valid_from,
        case=case,
        region=region,
    )
    _check_defaults(defaults)
    tally = _Tally(_write_refusal if as_json else _say_refusal)
    lines: IndicatorFile | None = None
    problem: str | None = None
    stopped = False
    confirmed = 0
    with _opened(file) as (raw, size):
        try:
            lines = IndicatorFile(raw, defaults, encoding)
            _introduce(file, lines)
            wanted = tally.sift(lines)
            if dry_run:
                for _ in wanted:
                    pass
            else:
                note(settings, "indicators-imported", case=case or "", details={"source": source, "bytes": size})
                with _progress(raw, size) as advance:

                    def hear(count: int) -> None:
                        nonlocal confirmed
                        confirmed = count
                        advance(count)

                    run(publish(settings, wanted, hear))
        except KeyboardInterrupt:
            stopped = True
        except FileError as error:
            problem = f"{file}: {error}"
        except TopicError as error:
            problem = str(error)
    _summarise(file, tally, lines.left_out if lines else {}, None if dry_run else confirmed, as_json)
    if problem:
        raise CommandError(problem)
    if stopped:
        click.echo("forewarn: stopped; import again to send the rest (repeated records do no harm)", err=True)
        raise SystemExit(130)
    if tally.refused:
        raise SystemExit(1)


@contextmanager
def _opened(file: str) -> Iterator[tuple[IO[bytes], int | None]]:
    """The file and its size in bytes; no size for standard input."""
    if file == "-":
        yield _standard_input(), None
        return
    path = Path(file)
    try:
        raw = path.open("rb")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    with raw:
        yield raw, path.stat().st_size


def _standard_input() -> IO[bytes]:
    """Standard input with its own buffer, because Python cannot exit while a thread waits in that of ``sys.stdin``."""
    if sys.stdin is None:
        raise CommandError("there is no standard input to read from")
    try:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    except OSError:
        return click.get_binary_stream("stdin")


@contextmanager
def _progress(raw: IO[bytes], size: int | None) -> Iterator[Callable[[int], object]]:
    """A progress bar on a terminal, by bytes read; call the function with the number of confirmed indicators."""
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


def _check_defaults(defaults: Defaults) -> None:
    """Refuse an option that would make every line invalid."""
    try:
        check(
            Indicator(
                type="number",
                value="99900000000",
                scam_type=defaults.scam_type,
                confidence=defaults.confidence,
                source=defaults.source,
                valid_from=defaults.valid_from,
                case=defaults.case,
            )
        )
    except IndicatorError as error:
        raise click.UsageError(str(error)) from None


def _say_refusal(refusal: Refusal) -> None:
    click.echo(f"line {refusal.line}: {printable(refusal.reason)}", err=True)


def _write_refusal(refusal: Refusal) -> None:
    click.echo(msgspec.json.encode({"line": refusal.line, "refused": refusal.reason}))


def _introduce(file: str, lines: IndicatorFile) -> None:
    """Say how the file is read, where that is not as usual."""
    if not lines.layout.is_usual:
        click.echo(f"{file}: read as {lines.layout.name}", err=True)
    if lines.encoding not in (None, "utf-8"):
        click.echo(f"{file}: read as {str(lines.encoding).upper()} text", err=True)
    if lines.layout.ignored:
        click.echo(f"{file}: ignored: column {printable(', '.join(lines.layout.ignored))}", err=True)


def _summarise(file: str, tally: _Tally, left_out: Mapping[str, int], confirmed: int | None, as_json: bool) -> None:
    if as_json:
        summary = {
            "file": file,
            "accepted": tally.accepted,
            "confirmed": confirmed,
            "duplicates": tally.duplicates,
            "refused": tally.refused,
            "left_out": left_out,
            "types": dict(sorted(tally.types.items())),
        }
        click.echo(msgspec.json.encode(summary))
        return
    if left_out:
        parts = ", ".join(f"{what} ({count:,})" for what, count in sorted(left_out.items()))
        click.echo(f"{file}: left out: {parts}", err=True)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(tally.types.items())) or "nothing"
    done = "checked, nothing sent" if confirmed is None else f"{confirmed:,} confirmed by Kafka"
    click.echo(f"{file}: {kinds}; {done}; {tally.duplicates:,} duplicates, {tally.refused:,} lines refused", err=True)
