"""Latency: events at a steady pace into a running worker, timed from handing each over to reading its alert."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.filling import Packer
from bench.records import Made, touches_indicator
from models.detection.alerts import Alert
from streams.settings import Settings

TICK = 0.005
"""Seconds between two sends: the producer's own linger, part of what is measured."""

_alert = msgspec.json.Decoder(Alert)


class _Id(msgspec.Struct):
    id: str


_id = msgspec.json.Decoder(_Id)


async def latencies(
    settings: Settings,
    records: Iterable[Made],
    rate: int,
    partitions: int,
    minute: Callable[[Sequence[float]], object] = lambda found: None,
) -> list[float]:
    """Send so many records a second; the seconds to each alert that one of them brought, in order of arrival.

    ``minute`` hears of those found so far, every minute. The collector is off in between: what is measured is not how
    long it looks through the records handed over here.
    """
    handed: dict[tuple[str, int], float] = {}
    found: list[float] = []
    topic = settings.topic("alerts")
    consumer = AIOKafkaConsumer(**settings.aiokafka_options(), fetch_max_wait_ms=100)
    producer = AIOKafkaProducer(**settings.aiokafka_options(), max_batch_size=200_000, linger_ms=0)
    await consumer.start()
    await producer.start()
    gc.disable()
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        reading = asyncio.create_task(_read(consumer, handed, found))
        for role in ("calls", "sms"):  # the first record must not wait for the producer to get to know its topic
            await producer.partitions_for(settings.topic(role))
        packer = Packer(producer, settings, partitions)
        began = time.perf_counter()
        for count, record in enumerate(records):
            due = began + count / rate
            if due > time.perf_counter() + TICK:
                await packer.flush()
                await asyncio.sleep(due - time.perf_counter())
            if touches_indicator(record):
                handed[_id.decode(record.value).id, record.at] = time.time()
            await packer.add(record)
            if count and count % (60 * rate) == 0:
                minute(found)
                gc.collect()
        await packer.confirmed()
        await asyncio.sleep(2)
        reading.cancel()
    finally:
        gc.enable()
        await consumer.stop()
        await producer.stop()
    return found


async def _read(consumer: AIOKafkaConsumer, handed: dict[tuple[str, int], float], found: list[float]) -> None:
    async for record in consumer:
        now = time.time()
        alert = _alert.decode(record.value)
        causes = [handed[e, alert.at] for why in alert.reasons for e in why.events if (e, alert.at) in handed]
        if causes:  # an alert at a mark of a call has no event of its own
            found.append(now - max(causes))
