"""``forewarn city``: write a simulated city with known victims, as files that every other command reads."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import click
import msgspec

from models.city import grammar
from models.city.city import City
from streams.cli import InputError
from streams.cli.progress import count_bar
from streams.files.scam_scripts import OURS, ScriptFileError, read_scripts, write_scripts
from streams.simulation.cities import ASKED, Asked
from streams.simulation.city_writing import write

MOST_PEOPLE = 3_000_000
"""Each person, with their acquaintances, needs some twenty numbers, and there are a hundred million numbers."""
MOST_DRAWN = 600
"""With more scripts, most of them would have no gang in a city of that size."""


@click.command()
@click.option("--people", type=click.IntRange(100, MOST_PEOPLE), default=100_000, show_default=True)
@click.option("--days", type=click.IntRange(1, 366), default=14, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True)
@click.option("--scripts", type=click.Path(path_type=Path), help="A folder of scam scripts instead of Forewarn's own.")
@click.option(
    "--drawn",
    type=click.IntRange(0, MOST_DRAWN),
    default=0,
    metavar="N",
    help="N scripts drawn at random instead of Forewarn's own, or beside those of --scripts.",
)
@click.option(
    "--known",
    type=click.FloatRange(0, 1),
    default=0.4,
    show_default=True,
    help="Share of fraud numbers and domains that ever become known.",
)
@click.option(
    "--known-after",
    type=click.FloatRange(0, min_open=True),
    default=6.0,
    show_default=True,
    help="Hours from first use until half of those are known.",
)
@click.option(
    "--prevalence",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    metavar="SHARE",
    help="Share of the scripts' gangs: 0.05 is about what police and banks publish. Nothing else changes.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to create.")
@click.option("--json", "as_json", is_flag=True, help="Write the summary as one JSON object on stdout.")
def city(
    people: int,
    days: int,
    seed: int,
    scripts: Path | None,
    drawn: int,
    known: float,
    known_after: float,
    prevalence: float,
    out: Path,
    as_json: bool,
) -> None:
    """Make a simulated city: its call and SMS records, its indicators over time, and the truth about its victims.

    The same arguments give the same bytes. The folder gets calls.jsonl, sms.jsonl, indicators.jsonl,
    subscribers.jsonl, truth.jsonl and city.json, and the drawn scripts; docs/city.md describes them.

    Example: forewarn city --people 20000 --days 7 --seed 7 --out city
    """
    if out.exists():
        raise InputError(f"{out} exists already: name another folder, or remove it.")
    began = perf_counter()
    try:
        played = [] if drawn and scripts is None else read_scripts(scripts or OURS)
    except ScriptFileError as error:
        raise InputError(str(error)) from None
    ours = grammar.scripts(drawn, seed)
    played += ours
    made = City(people, days, seed, played, known, known_after, prevalence)
    asked = Asked(people, days, seed, known, known_after, [name for name, _ in played], prevalence, drawn)
    with _folder(out) as folder, count_bar("hours", days * 24) as bar:
        if ours:
            write_scripts(ours, folder / "scripts")
        counts = write(made, folder, bar)
        (folder / ASKED).write_bytes(msgspec.json.format(msgspec.json.encode(asked)) + b"\n")
    seconds = perf_counter() - began
    summary = counts | {
        "paid": sum(truth.paid_at is not None for truth in made.truths),
        "tried": len(made.truths),
        "paid_by_script": dict(sorted(Counter(t.script for t in made.truths if t.paid_at is not None).items())),
        "seconds": round(seconds, 1),
        "records_per_second": round((counts["calls"] + counts["sms"]) / seconds),
    }
    if as_json:
        click.echo(msgspec.json.encode(summary))
        return
    click.echo(
        f"{out}: {people:,} people, {days} days: {counts['calls']:,} call records, {counts['sms']:,} SMS, "
        f"{counts['indicators']:,} indicators; {summary['tried']:,} people were targeted, {summary['paid']:,} paid "
        f"({seconds:.0f} s, {summary['records_per_second']:,} records a second)",
        err=True,
    )


@contextlib.contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """A folder to fill, which gets its final name only when it is complete."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise InputError(f"{out} cannot be created: {error.strerror}.") from None
    try:
        yield beside
        beside.chmod(0o755)
        beside.rename(out)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}.") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
