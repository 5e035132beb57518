"""``python -m tests.chaos.soak``: runs an hour at a steady pace; writes memory, latency and lag to the page.

The page is ``docs/evidence/soak.md``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, TaskID

from bench.latency import latencies
from bench.records import fraud_domains, fraud_numbers, indicators_of, made
from streams.cli.demo import percentile
from streams.kafka.indicator_topic import publish
from streams.local.jars import KAFKA_VERSION
from streams.local.stack import LocalStack
from streams.local.worker import metric
from tests.chaos.city import City
from tests.chaos.ground import PARTITIONS, Ground
from tests.chaos.poison import resident_megabytes
from tests.site import ROOT, Site

FOLDER = Path(".forewarn/soak")
PAGE = ROOT / "docs" / "evidence" / "soak.md"


@dataclass
class Watch:
    """The figures of a worker, noted every minute."""

    http: str
    pid: int
    progress: Progress
    task: TaskID
    rows: list[tuple[int, int, float, float, int, int]] = field(default_factory=list)
    """Minute, alerts, p50 and p99 in ms, memory in MB, lag in records."""
    _seen: int = 0

    def minute(self, found: Sequence[float]) -> None:
        """Note the figures of this minute."""
        delays, self._seen = found[self._seen :], len(found)
        p50, p99 = (1000 * percentile(list(delays), of) for of in (50, 99))
        lag = int(metric(self.http, "forewarn_lag_records"))
        self.rows.append((len(self.rows) + 1, len(delays), p50, p99, resident_megabytes(self.pid), lag))
        self.progress.advance(self.task)


@click.command()
@click.option("--minutes", default=60, show_default=True)
@click.option("--rate", default=20_000, show_default=True, help="Events a second.")
@click.option("--indicators", default=1_000_000, show_default=True)
def main(minutes: int, rate: int, indicators: int) -> None:
    """Run a worker at a steady pace and write down its memory, its latency and its lag.

    Example: python -m tests.chaos.soak --minutes 5 --rate 5000
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    shutil.rmtree(FOLDER, ignore_errors=True)
    numbers, domains = fraud_numbers(indicators * 8 // 10), fraud_domains(indicators // 5)
    with LocalStack(FOLDER / "stack", 0, 0) as stack, Progress(console=Console(stderr=True)) as progress:
        ground = Ground(stack, City(0, 0), FOLDER)
        ground.create_topics()
        asyncio.run(publish(ground.settings, indicators_of(numbers, domains)))
        site = Site(ground.settings, FOLDER, watch=stack.watch)
        try:
            worker, http = site.start_worker(wait=False)
            worker.wait(60)
            records = made(60 * minutes * rate + 1, numbers, domains, rate=rate)
            watch = Watch(http, worker.process.pid, progress, progress.add_task("soak", total=minutes))
            asyncio.run(latencies(ground.settings, records, rate, PARTITIONS, watch.minute))
            assert worker.runs, "the worker ended"
        finally:
            site.stop()
    shutil.rmtree(FOLDER, ignore_errors=True)
    write(watch.rows, rate, indicators)
    click.echo(f"written: {PAGE}")


def write(rows: Sequence[tuple[int, int, float, float, int, int]], rate: int, indicators: int) -> None:
    """Write the page with every fifth minute and the worst figures; it is written whole or not at all."""
    worst = max(row[3] for row in rows)
    early, most, lag = rows[min(4, len(rows) - 1)][4], max(row[4] for row in rows), max(row[5] for row in rows)
    text = f"""\
# Soak: {len(rows)} minutes at {rate:,} events a second

Made by `python -m tests.chaos.soak`: one worker, a real Kafka and Valkey, and the program that sends and reads, on the
same {os.cpu_count()} cores. Forewarn {version("forewarn")}, Apache Kafka {KAFKA_VERSION}, {date.today().isoformat()}.
{len(rows) * 60 * rate:,} events (70 % call records, 30 % SMS, one in two hundred touches an indicator),
{indicators:,} indicators. Latency is the time from handing an event to the producer to reading its alert. Lag is the
number of records not applied yet at that moment.

The worst minute's p99 was {worst:.0f} ms; memory was {early} MB after five minutes and {most} MB at most; the lag was
{lag:,} records at most, which is {1000 * lag / rate:.0f} ms of events.

| minute | alerts in it | p50 ms | p99 ms | memory MB | lag |
|---:|---:|---:|---:|---:|---:|
"""
    for minute, alerts, p50, p99, memory, behind in rows:
        if minute % 5 == 0 or minute == 1:
            text += f"| {minute} | {alerts:,} | {p50:.1f} | {p99:.1f} | {memory} | {behind:,} |\n"
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    beside = PAGE.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(PAGE)


if __name__ == "__main__":
    main()
