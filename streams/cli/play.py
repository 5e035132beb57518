"""``forewarn play``: send records from files to the topics, as a carrier would."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter, time

import click

from streams.cli import CommandError, site_settings
from streams.cli.progress import byte_bar
from streams.demo.playing import PlayedRecord, PlayError, by_rate, by_speed, play, records, shifted, span
from streams.files.text_lines import FileError

FILES = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("play")
@click.option("--calls", type=FILES, multiple=True, help="File of call records, JSON Lines; may be repeated.")
@click.option("--sms", type=FILES, multiple=True, help="File of SMS records, JSON Lines; may be repeated.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Records a second [default: all at once].")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    help="So many times as fast as the events were.",
)
@click.option(
    "--now", "is_now", is_flag=True, help="Move all times so that the newest record is of the end of the play."
)
def play_command(
    calls: tuple[Path, ...], sms: tuple[Path, ...], rate: float | None, speed: float | None, is_now: bool
) -> None:
    """Send records from files to the topics calls and sms, merged by event time.

    Files are plain, gzip or zstd. Invalid lines are sent as well and become dead letters. Alerts about records of long
    ago send nobody (dispatch.oldest_days in policy.yaml); --now plays an old file as if it were of today.

    Example: forewarn play --calls examples/calls.jsonl --sms examples/sms.jsonl --rate 500
    """
    if not calls and not sms:
        raise click.UsageError("give --calls or --sms, or both")
    if rate is not None and speed is not None:
        raise click.UsageError("give --rate or --speed, not both")
    settings = site_settings()
    schedule = by_rate(rate) if rate is not None else by_speed(speed) if speed is not None else None
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    began = perf_counter()
    try:
        with byte_bar("playing", [*calls, *sms]) as read:

            def sent(record: PlayedRecord, at: float) -> None:
                read(len(record.value) + 1)

            played = _moved(calls, sms, speed) if is_now else records(calls, sms)
            count = asyncio.run(play(settings, played, schedule, sent))
    except (FileError, PlayError) as error:
        raise CommandError(str(error)) from None
    seconds = perf_counter() - began
    click.echo(f"{count:,} records sent and confirmed in {seconds:.1f} s ({count / seconds:,.0f} a second)", err=True)


def _moved(calls: Sequence[Path], sms: Sequence[Path], speed: float | None) -> Iterator[PlayedRecord]:
    """The records with their times moved, so that none is ever sent before its time."""
    first, last = span(calls, sms)
    takes_ms = 0 if speed is None else int((last - first) / max(speed, 1.0))
    return shifted(records(calls, sms), int(time() * 1000) + takes_ms - last)
