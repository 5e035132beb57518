"""``python -m bench.looking_back``: looks up one number, and a thousand, in ledgers of growing size.

The ledger is made here and sorted as `forewarn ledger compact` leaves it. It has 30 days with a segment each, made-up
contacts spread evenly over them, and a thousand numbers that have reached 400 people each. Each look-up is a process of
its own, so only the system's file cache is warm.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
from kafka import KafkaConsumer, TopicPartition
from rich.console import Console

from bench.records import BEGIN, fraud_numbers, indicators_of
from models.base.durations import DAY
from models.base.number_keys import key_of
from models.indicators.path_hashes import PUBLIC
from models.lookback.contacts import Rows
from models.lookback.keys import keys_of
from models.lookback.naming import Named
from streams.cli.progress import count_bar
from streams.kafka.indicator_topic import publish
from streams.ledger.lookup import find
from streams.ledger.people import People, contacts_of
from streams.ledger.segments import ROW_GROUP, Knowledge, table_of, writer
from streams.ledger.storage import Segment, Storage
from streams.local.stack import LocalStack
from streams.settings import Settings
from tests.site import Site

FOLDER = Path(".forewarn/bench-ledger")
OUT = Path(".forewarn/bench-looking-back.json")
DAYS = 30
NUMBERS = 1000
REACHED = 400
CHUNK = ROW_GROUP * 16
PATIENCE_S = 60.0


@click.group()
def main() -> None:
    """Measure look-ups in a large ledger."""


@main.command()
@click.option("--contacts", multiple=True, default=(10_000_000, 40_000_000, 160_000_000), show_default=True)
@click.option("--times", default=9, show_default=True, help="Look-ups of one number, each in a process of its own.")
def curve(contacts: tuple[int, ...], times: int) -> None:
    """Make ledgers of these sizes one after the other, and look numbers up in each.

    Example: python -m bench.looking_back curve --contacts 700000000
    """
    results = []
    for count in contacts:
        shutil.rmtree(FOLDER, ignore_errors=True)
        began = time.perf_counter()
        make(count)
        size = sum(path.stat().st_size for path in FOLDER.rglob("*.parquet"))
        made = time.perf_counter() - began
        one = [_asked(1, seed) for seed in range(times)]
        thousand = _asked(NUMBERS, 0)
        results.append(
            {
                "contacts": count,
                "bytes_per_contact": round(size / count, 1),
                "made_s": round(made),
                "one_s": {
                    "min": round(min(each["seconds"] for each in one), 3),
                    "median": round(statistics.median(each["seconds"] for each in one), 3),
                    "max": round(max(each["seconds"] for each in one), 3),
                },
                "people": one[0]["people"],
                "thousand_s": round(thousand["seconds"], 2),
                "thousand_people": thousand["people"],
                "peak_mb": round(max(each["peak_mb"] for each in [*one, thousand])),
            }
        )
        Console(stderr=True).print(results[-1])
    shutil.rmtree(FOLDER, ignore_errors=True)
    OUT.write_text(json.dumps(results, indent=2) + "\n")
    click.echo(OUT)


@main.command()
@click.argument("numbers", type=int)
@click.argument("seed", type=int)
def ask(numbers: int, seed: int) -> None:
    """Look up this many numbers once; print seconds, people and peak memory (MB) as JSON."""
    chosen = random.Random(seed).sample(fraud_numbers(NUMBERS), numbers)
    keys = [f"number:{number}" for number in chosen]
    began = time.perf_counter()
    storage = Storage(Settings(ledger=str(FOLDER)))
    people = People(Named(keys, PUBLIC))
    for table in find(storage, storage.segments(), keys_of(keys)):
        for contact in contacts_of(table):
            people.add(contact)
    found = len(people.lines())
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    click.echo(json.dumps({"seconds": seconds, "people": found, "peak_mb": peak}))


@main.command()
@click.option("--contacts", default=40_000_000, show_default=True)
@click.option("--times", default=9, show_default=True, help="How many indicators to send, one after the other.")
def signal(contacts: int, times: int) -> None:
    """Time a hunter over such a ledger, from sending a new indicator to reading the first signal of a past contact.

    Example: python -m bench.looking_back signal --contacts 10000000
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    shutil.rmtree(FOLDER, ignore_errors=True)
    make(contacts)
    told = Console(stderr=True)
    with LocalStack(FOLDER / "stack", 0, 0, notify=told.print) as stack:
        settings = Settings(kafka=stack.kafka, redis=stack.redis, ledger=str(FOLDER))
        site = Site(settings, FOLDER, watch=stack.watch)
        site.apply_topics()
        site.start_hunter(FOREWARN_LEDGER=str(FOLDER.absolute()))
        try:
            seconds = [_first_signal(site, number) for number in fraud_numbers(NUMBERS)[:times]]
        finally:
            site.stop()
    shutil.rmtree(FOLDER, ignore_errors=True)
    told.print(f"first signal after {min(seconds):.2f} / {statistics.median(seconds):.2f} / {max(seconds):.2f} s")
    click.echo(json.dumps({"contacts": contacts, "seconds": [round(each, 3) for each in sorted(seconds)]}))


def _first_signal(site: Site, number: str) -> float:
    """Seconds from sending a number's indicator to reading a signal about it; raises `RuntimeError` if none comes."""
    settings = site.settings
    topic = settings.topic("signals")
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka, enable_auto_commit=False)
    try:
        consumer.assign([TopicPartition(topic, part) for part in consumer.partitions_for_topic(topic) or ()])
        consumer.seek_to_end()
        for part in consumer.assignment():
            consumer.position(part)
        began = time.perf_counter()
        asyncio.run(publish(settings, indicators_of([number], [])))
        while not consumer.poll(timeout_ms=20):
            if time.perf_counter() - began > PATIENCE_S:
                raise RuntimeError("no signal came")
        found = time.perf_counter() - began
        _until_quiet(consumer)
        return found
    finally:
        consumer.close()


def _until_quiet(consumer: KafkaConsumer) -> None:
    """Read until all signals of this look-back have come."""
    while consumer.poll(timeout_ms=2000):
        pass


def make(count: int) -> None:
    """Make a ledger of ``count`` contacts."""
    storage = Storage(Settings(ledger=str(FOLDER)))
    first = date(2026, 3, 16)
    with count_bar("making the ledger", count) as told:
        for day in range(DAYS):
            rows = count // DAYS
            segment = Segment(0, (day * rows, (day + 1) * rows), (0, 0), first + timedelta(days=day))
            file = Path(storage.shown) / segment.path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as to, writer(to, Knowledge()) as parquet:
                for table in _sorted(day, rows):
                    parquet.write_table(table, row_group_size=ROW_GROUP)
                    told(len(table))


def _sorted(day: int, rows: int) -> Iterator[pa.Table]:
    """A day's rows in the order of their keys, in pieces: the fraud numbers, then the ordinary peers."""
    chance = np.random.default_rng(day)
    fraud = np.sort(np.repeat([key_of(number) for number in fraud_numbers(NUMBERS)], REACHED // DAYS + (day % 3 == 0)))
    low, span = key_of("8613000000000"), 700_000_000
    pieces = max(rows // CHUNK, 1)
    assert fraud[-1] < low, "the pieces would not be in order"
    yield _table(chance, day, fraud, pieces)
    edges = np.linspace(low, low + span, pieces + 1).astype(np.int64)
    for piece in range(pieces):
        size = rows // pieces
        yield _table(chance, day, np.sort(chance.integers(edges[piece], edges[piece + 1], size)), piece)


def _table(chance: np.random.Generator, day: int, keys: np.ndarray, piece: int) -> pa.Table:
    size = len(keys)
    ids = [f"c{piece}-{number}".encode() for number in chance.integers(0, 10**9, size).tolist()]
    kinds = chance.integers(0, 6, size).astype(np.uint8)
    ended = (kinds & 2 > 0) & (kinds < 4)
    return table_of(
        [
            Rows(
                keys,
                key_of("8610000000000") + chance.integers(0, 10_000_000, size),
                keys,
                BEGIN + day * DAY + chance.integers(0, DAY, size),
                kinds,
                np.where(ended, chance.integers(0, 600, size).astype(np.float64), -1.0),
                np.frombuffer(b"".join(ids), dtype=np.uint8),
                np.cumsum([len(each) for each in ids]),
            )
        ]
    )


def _asked(numbers: int, seed: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.looking_back", "ask", str(numbers), str(seed)],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


if __name__ == "__main__":
    main()
