"""Scenario: carriers that write in Kafka transactions. Some are aborted, and one stays open for a while."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import islice

from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, TopicPartition

from bench.filling import BATCH_BYTES, LARGEST, Packer
from bench.pipeline import ends
from bench.records import Made, fraud_numbers
from streams.kafka.indicator_topic import publish
from streams.settings import Settings
from tests.chaos.city import City
from tests.chaos.ground import PARTITIONS, Ground
from tests.chaos.trial import SAME_MEMBER, Finding

CARRIERS = 4
TRANSACTIONS = 60
ABORTED = 1 / 3
"""The share of transactions that are aborted; another carrier writes their records again."""

LONGEST_TRANSACTION_MS = 900_000
"""The longest transaction that Kafka allows by default (``transaction.max.timeout.ms``)."""


def carriers(ground: Ground, events: int) -> Finding:
    """Several carriers take turns; one hangs with an open transaction, and a worker is killed before and after that."""
    here = replace(ground.beside("transactions."), city=City(events, min(events // 20_000, 60)))
    asyncio.run(publish(here.settings, here.city.indicators()))
    aborted = asyncio.run(_fill(here))
    here.ends = ends(here.settings)
    here.expected, here.refused = frozenset(here.city.alerts()), frozenset(here.city.broken())
    held = sum(_stable(here.settings, here.ends).values())
    with here.trial("transactions") as trial:
        for until in (held // 2, held):
            worker = trial.start(SAME_MEMBER)
            trial.reach(until)
            trial.kill(worker)
        assert trial.progress() == held, "a record of an open transaction was read"
        asyncio.run(_start_again(here.settings))
        trial.start(SAME_MEMBER)
        trial.move_on()
        behind = trial.events - held
        return trial.finding(
            "carriers that write in transactions",
            aborted,
            f"{TRANSACTIONS} transactions of {CARRIERS} carriers and {aborted} aborted ones; one stayed open in front "
            f"of {behind:,} offsets until its carrier started again",
        )


async def _fill(ground: Ground) -> int:
    """Write the city's records in transactions and leave one open in the middle; returns how many were aborted."""
    chance, aborted, records = random.Random(7), 0, ground.city.records()
    size = ground.city.events // TRANSACTIONS + 1
    async with AsyncExitStack() as open_carriers:
        names = [f"carrier-{number}" for number in range(CARRIERS)]
        taking_turns = [await open_carriers.enter_async_context(_carrier(ground.settings, name)) for name in names]
        for number in range(TRANSACTIONS):
            chunk = [*islice(records, size)]
            if number == TRANSACTIONS // 2:
                await _leave_open(ground.settings)
            while chance.random() < ABORTED:
                await _transact(chance.choice(taking_turns), ground.settings, [*chunk, *_never_said()], commits=False)
                aborted += 1
            await _transact(chance.choice(taking_turns), ground.settings, chunk, commits=True)
    return aborted


async def _transact(carrier: AIOKafkaProducer, settings: Settings, records: list[Made], *, commits: bool) -> None:
    await carrier.begin_transaction()
    packer = Packer(carrier, settings, PARTITIONS)
    for record in records:
        await packer.add(record)
    await packer.confirmed()
    await (carrier.commit_transaction() if commits else carrier.abort_transaction())


def _never_said() -> Iterator[Made]:
    """Calls of known numbers that would raise an alert each, one at least in every partition."""
    for number in range(20 * PARTITIONS):
        who = f"861099{number:07}"
        value = (
            f'{{"id":"never{number}","subscriber":"{who}","peer":"{fraud_numbers(1)[0]}","direction":"in",'
            '"phase":"end","at":1773625200000,"duration_s":900}'
        )
        for role in ("calls", "sms"):
            yield Made(role, who, value.encode() if role == "calls" else b"{", 0)


async def _leave_open(settings: Settings) -> None:
    """Begin a transaction in every partition and vanish."""
    async with _carrier(settings, "hangs") as hanging:  # aiokafka leaves a transaction open when a producer stops
        await hanging.begin_transaction()
        packer = Packer(hanging, settings, PARTITIONS)
        for record in _never_said():
            await packer.add(record)
        await packer.confirmed()


async def _start_again(settings: Settings) -> None:
    """Start the carrier that hangs again: Kafka then aborts its transaction."""
    async with _carrier(settings, "hangs"):
        pass


@asynccontextmanager
async def _carrier(settings: Settings, name: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        **settings.aiokafka_options(),
        transactional_id=settings.topic(name),
        transaction_timeout_ms=LONGEST_TRANSACTION_MS,
        max_batch_size=BATCH_BYTES,
        max_request_size=LARGEST,
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def _stable(settings: Settings, ends: dict[tuple[str, int], int]) -> dict[TopicPartition, int]:
    """The last stable offset of each partition: no record from there on can be read."""
    with KafkaConsumer(bootstrap_servers=settings.kafka, isolation_level="read_committed") as consumer:
        found: dict[TopicPartition, int] = consumer.end_offsets([TopicPartition(*place) for place in ends])
        return found
