"""Scenario: poison. Every wrong record becomes one dead letter; good records have the same effect as without it.

Some of the records that are accepted are dated in the year 2100. They count when the broker wrote them, so the
undisturbed run is told that time.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import islice, tee
from operator import itemgetter
from pathlib import Path

import msgspec
from aiokafka import TopicPartition

from bench.filling import packing
from bench.pipeline import ends
from bench.records import Made
from models.events.decoding import CallReader, MessageReader
from models.events.event import RecordError
from streams.kafka.clients import reader
from streams.kafka.indicator_topic import publish
from streams.kafka.partitioning import partition_of
from tests.chaos.city import City, alerts_of
from tests.chaos.fuzzing import Fuzzed, fuzz
from tests.chaos.ground import PARTITIONS, Ground
from tests.chaos.recording import line
from tests.chaos.trial import Finding

SEED = 20261125
GROWTH = 1.3
"""The largest allowed ratio of a worker's memory at the end to its memory after a quarter of the records.

Mutated texts have ever new hosts, so the caches of hosts fill up. They are full after some 65,000 different hosts, and
take about 40 MB then.
"""

Place = tuple[str, int, int]
"""Topic, partition and offset."""


class _Time(msgspec.Struct):
    at: int


_time = msgspec.json.Decoder(_Time)


def poison(ground: Ground, records: int) -> Finding:
    """Read ``records`` mutated records among as many good ones."""
    here = replace(ground.beside("poison."), city=City(records, min(records // 20_000, 60)))
    asyncio.run(publish(here.settings, here.city.indicators()))
    refused = asyncio.run(_fill(here, records))
    here.ends = ends(here.settings)
    appended = asyncio.run(_append_times(here, records))
    here.expected = frozenset(alerts_of(lambda: _accepted(here.city, records, appended), here.city.indicators()))
    with here.trial("poison") as trial:
        worker = trial.start(wait=True)
        sizes = []
        while (covered := trial.progress()) < trial.events and worker.runs:
            sizes.append((covered, resident_megabytes(worker.process.pid)))
            time.sleep(0.2)
        assert worker.runs, "the worker ended"
        assert not trial.restarts
        quarters = [max(size for covered, size in sizes if 4 * covered <= part * trial.events) for part in range(1, 5)]
        finding = trial.finding("poison", records)
        letters = Counter(_origin(letter) for letter in trial.letters)
        reasons = Counter(refused.values())
        assert quarters[-1] < quarters[0] * GROWTH, f"memory grew from {quarters[0]} to {quarters[-1]} MB"
        return replace(
            finding,
            letters_lost=len(refused.keys() ^ letters.keys()) + sum(letters.values()) - len(letters),
            notes=(
                f"{len(refused):,} wrong records, each became one dead letter, for {len(reasons)} reasons; "
                f"the worker's memory after each quarter: {', '.join(map(str, quarters))} MB",
            ),
        )


def _mixed(city: City, records: int) -> Iterator[Fuzzed]:
    """Good records of the city and mutated ones, in the order of their times before the mutation.

    So only a mutation makes a record late. Intermediate alerts about late records may depend on how batches are cut.
    """
    sources, times = tee(replace(city, seed=2, events=records + 2, copies=0).records())
    bad = zip((record.at for record in islice(times, 1, None)), fuzz(sources, SEED), strict=False)
    good = ((record.at, Fuzzed(record.role, record.key.encode(), record.value)) for record in city.records())
    return (record for _, record in heapq.merge(good, bad, key=itemgetter(0)))


def _placed(city: City, records: int) -> Iterator[tuple[Fuzzed, Place, str | None]]:
    """Each record with its place, and the reason for which the strict decoder refuses it alone; None for a good one.

    The topic of a place is its role here.
    """
    strict: dict[str, CallReader | MessageReader] = {"calls": CallReader(), "sms": MessageReader()}
    offsets: Counter[tuple[str, int]] = Counter()
    partition_at = cache(partition_of)
    for record in _mixed(city, records):
        partition = partition_at(record.key or b"", PARTITIONS)
        place = record.role, partition, offsets[record.role, partition]
        offsets[record.role, partition] += 1
        try:
            strict[record.role].one(record.value, record.key)
        except RecordError as error:
            yield record, place, error.reason
        else:
            yield record, place, None


def _accepted(city: City, records: int, appended: Mapping[Place, int]) -> Iterator[Made]:
    """The good records; those of ``appended`` say when the broker wrote them, as recorded ones do."""
    for record, place, reason in _placed(city, records):
        if reason is None:
            value = record.value or b""
            at = appended.get(place)
            yield Made(record.role, (record.key or b"").decode(), value if at is None else line(value, appended=at), 0)


async def _append_times(ground: Ground, records: int) -> dict[Place, int]:
    """When the broker wrote the good records that are dated later than now: they count at that time."""
    now = int(time.time() * 1000)
    found: dict[Place, int] = {}
    consumer, _ = await reader(ground.settings, *(ground.settings.topic(role) for role in ("calls", "sms")))
    try:
        for record, place, reason in _placed(ground.city, records):
            if reason is None and _time.decode(record.value or b"").at > now:
                role, partition, offset = place
                at = TopicPartition(ground.settings.topic(role), partition)
                consumer.seek(at, offset)
                found[place] = (await consumer.getone(at)).timestamp
    finally:
        await consumer.stop()
    return found


async def _fill(ground: Ground, records: int) -> dict[Place, str]:
    """Write all records; returns the places of those that must be refused, with the reasons."""
    refused: dict[Place, str] = {}
    topics = {role: ground.settings.topic(role) for role in ("calls", "sms")}
    async with packing(ground.settings, PARTITIONS) as packer:
        for index, (record, (role, partition, offset), reason) in enumerate(_placed(ground.city, records)):
            await packer.put(role, partition, record.key, record.value)
            if reason is not None:
                refused[topics[role], partition, offset] = reason
            if index % 20_000 == 0:
                await asyncio.sleep(0)
    return refused


def _origin(letter: object) -> Place:
    headers = dict(letter.headers)  # type: ignore[attr-defined]
    topic, partition, offset = (headers[f"forewarn.error.{name}"].decode() for name in ("topic", "partition", "offset"))
    return topic, int(partition), int(offset)


def resident_megabytes(pid: int) -> int:
    """The resident memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))
