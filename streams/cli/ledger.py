"""``forewarn ledger``: show the contents of the ledger, merge its segments, and delete old days."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime

import click
import msgspec
from rich.console import Console
from rich.table import Table

from streams.cli import InputError, site_settings
from streams.cli.noting import note
from streams.cli.progress import count_bar
from streams.ledger import compaction
from streams.ledger.storage import LedgerError, Segment, Storage, merge_mark, whole

LONGEST_MERGE = 3600
"""Seconds after which an unfinished merge counts as killed."""


@click.group()
def ledger() -> None:
    """Show, compact and expire the ledger of contacts.

    Example: forewarn ledger compact --every 60
    """


EVERY = click.option(
    "--every",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="Repeat at this interval, as a service; Ctrl-C ends.",
)


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object on stdout.")
def status(as_json: bool) -> None:
    """Show the days in the ledger, with segments and bytes.

    Example: forewarn ledger status
    """
    storage = _storage()
    with _told():
        sizes = storage.days()
        segments = storage.segments()
    days = {day: sum(each.day == day for each in segments) for day in sizes}
    if as_json:
        rows = [{"day": day.isoformat(), "segments": days[day], "bytes": size} for day, size in sizes.items()]
        click.echo(msgspec.json.encode({"place": storage.shown, "days": rows}))
        return
    table = Table("day", "segments", "MB", box=None)
    for day, size in sizes.items():
        table.add_row(day.isoformat(), f"{days[day]:,}", f"{size / 1e6:,.1f}")
    Console().print(table)
    click.echo(f"{len(segments):,} segments, {sum(sizes.values()) / 1e6:,.1f} MB in {storage.shown}", err=True)


@ledger.command()
@EVERY
def compact(every: float | None) -> None:
    """Merge small segments, so that a look-up opens few files. Safe at any time, also while workers run.

    Segments from before links were hashed are written again without the links.

    Example: forewarn ledger compact --every 60
    """
    newest: set[Segment] = set()
    _again(every, lambda storage: _compact(storage, _today(), newest))


@ledger.command()
@click.option("--keep", type=click.IntRange(min=1), metavar="DAYS", help="Days to keep  [FOREWARN_LEDGER_DAYS]")
@EVERY
def expire(keep: int | None, every: float | None) -> None:
    """Delete whole days that are older than the time for which contacts are kept, with what could not be read of them.

    Example: forewarn ledger expire --every 3600
    """
    days = keep if keep is not None else site_settings().ledger_days
    _again(every, lambda storage: _expire(storage, days))


def _storage() -> Storage:
    settings = site_settings()
    if not settings.ledger:
        raise InputError("There is no ledger: FOREWARN_LEDGER is empty")
    with _told():
        return Storage(settings)


class _told:  # noqa: N801 - reads as a sentence
    """Reports an error of the ledger in one sentence."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (LedgerError, OSError)):
            raise InputError(str(error)) from None


def _again(every: float | None, work: Callable[[Storage], None]) -> None:
    storage = _storage()
    try:
        while True:
            with _told():
                work(storage)
            if every is None:
                return
            time.sleep(every)
    except KeyboardInterrupt:
        click.echo("Stopped", err=True)


def _compact(storage: Storage, today: date, newest: set[Segment]) -> None:
    now = int(time.time())
    storage.clear_merges(now - LONGEST_MERGE)
    listed = storage.listed()
    segments = whole(listed)
    for segment in listed.keys() - set(segments):  # parts of a merge that was interrupted before it deleted them
        storage.remove(segment)
    todo = [*compaction.due(segments, listed, today)]
    merging = {part for each in todo for part in each.parts}
    alone = [segment for segment in segments if segment not in merging]
    todo += compaction.outdated(storage, alone, newest)
    merged = rows = 0
    with count_bar("compacting", len(todo)) as told:
        for each in todo:
            count = compaction.merge(storage, each, merge_mark(now))
            if count:
                merged, rows = merged + len(each.parts), rows + count
            told(1)
    click.echo(f"{merged:,} segments became {len(todo):,}, {rows:,} rows", err=True)


def _expire(storage: Storage, keep: int) -> None:
    days = compaction.expired(sorted({*storage.days(), *storage.days_aside()}), keep, _today())
    if days:
        note(site_settings(), "ledger-expired", details={"days": len(days), "newest": max(days).isoformat()})
    for day in days:
        storage.remove_day(day)
    click.echo(f"days deleted: {len(days):,}; {keep} days are kept", err=True)


def _today() -> date:
    return datetime.now(UTC).date()
