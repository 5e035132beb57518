"""``forewarn check``: try call or SMS records as the worker would read them, from files or from a topic."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import click
import msgspec

from models.base.packed import Packed
from models.events.decoding import CallReader, Decoded, MessageReader
from models.events.numbering import Sources
from streams.cli import CommandError, InputError, site_settings
from streams.cli.noting import note
from streams.cli.progress import byte_bar
from streams.cli.since import Since
from streams.files.record_check import RecordCheck
from streams.files.records import RecordFiles, RefusedLine
from streams.files.text_lines import FileError
from streams.kafka.contracts import ContractError, load
from streams.kafka.recent_records import RecentRecordsError, recent_records
from streams.printable import printable
from streams.settings import Settings

Kind = Literal["calls", "sms"]
KINDS: Final = ("calls", "sms")
REMARKS: Final = {
    "nobody-known": "read; nobody is known at the other end",
    "sender-no-number": "read; the sender is a name or an address, which matches no number",
    "unknown-source": "read by the default numbering; the source is not declared in topics.yaml",
}


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as", "kind", type=click.Choice(KINDS), help="What the files hold.")
@click.option("--topic", type=click.Choice(KINDS), help="Read this topic instead of files.")
@click.option("--last", "since", type=Since(), default="1h", show_default=True, help="How far back to read the topic.")
@click.option("--json", "as_json", is_flag=True, help="Write the result as one JSON object on stdout.")
def check(files: tuple[Path, ...], kind: Kind | None, topic: Kind | None, since: datetime, as_json: bool) -> None:
    """Say what the worker would make of call or SMS records: how many are good, and why it would refuse the others.

    FILES are JSON Lines (plain, gzip or zstd) or Parquet. It sends and changes nothing. Of the refused records it shows
    the first of each reason, with # for digits and x for letters; the audit log records a look at a topic.
    docs/records.md explains the reasons.

    Exit status: 0 all are good, 1 some are refused or cannot be read, 2 wrong usage.

    Example: forewarn check calls.jsonl --as calls
    """
    if bool(files) == (topic is not None):
        raise InputError("give files with --as calls or --as sms, or give --topic")
    if files and kind is None:
        raise InputError("say with --as calls or --as sms what the files hold")
    settings = site_settings()
    if topic is not None:
        note(settings, "topic-checked", details={"topic": topic, "since": since.isoformat(timespec="seconds")})
    found = RecordCheck()
    try:
        sources = load(settings.topics_file).sources
        if topic is not None:
            logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
            asyncio.run(_topic(settings, sources, topic, int(since.timestamp() * 1000), found))
        else:
            _files(files, kind or "calls", sources, found)
    except (FileError, ContractError, RecentRecordsError) as error:
        raise CommandError(str(error)) from None
    if as_json:
        click.echo(msgspec.json.encode(found.summary()))
    else:
        _show(found)
    if found.refused:
        raise SystemExit(1)


def _read(kind: Kind, sources: Sources, *, keyed: bool) -> Callable[[Packed], Decoded[Any]]:
    """The worker's own reader."""
    return CallReader(sources, keyed=keyed).read if kind == "calls" else MessageReader(sources, keyed=keyed).read


def _files(files: tuple[Path, ...], kind: Kind, sources: Sources, found: RecordCheck) -> None:
    def refuse(line: RefusedLine) -> None:
        found.refuse(line.reason, f"{line.path}:{line.line}", line.detail, line.content)

    with byte_bar("checking", files) as told:
        for events in RecordFiles(files, _read(kind, sources, keyed=False), refuse, told).chunks():
            found.take(events)


async def _topic(settings: Settings, sources: Sources, topic: Kind, since: int, found: RecordCheck) -> None:
    read = _read(topic, sources, keyed=True)
    async for fetched in recent_records(settings, topic, since):
        decoded = read(fetched.records)
        found.take(decoded.events)
        for refusal in decoded.refusals:
            where = f"{settings.topic(topic)} partition {fetched.partition} offset {fetched.offsets[refusal.index]}"
            found.refuse(refusal.reason, where, refusal.detail, fetched.records.value(refusal.index))


def _show(found: RecordCheck) -> None:
    for reason, count in found.refused.most_common():
        click.secho(f"{count:,} refused: {reason}", fg="red")
        for example in found.first:
            if example.reason == reason:
                click.echo(f"  {example.where}: {printable(example.detail)}\n    {printable(example.masked)}")
    for remark, count in found.remarks.most_common():
        click.echo(f"{count:,} {REMARKS[remark]}")
    click.echo(f"{found.records:,} records: {found.good:,} good, {found.refused.total():,} refused")
