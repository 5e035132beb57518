"""Latency: events go at a steady pace into a running worker; each is timed from sending it to reading its alert."""

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
"""Seconds between two sends. This is the producer's linger, and part of the measured latency."""

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
    """Send ``rate`` records a second; return the seconds until each alert that a record caused, in order of arrival.

    ``minute`` is called every minute with the latencies found so far. The garbage collector is off in between, so that
    its pauses over the records of this process are not measured.
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
        for role in ("calls", "sms"):  # or the first record would wait until the producer knows its topic
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
        if causes:  # an alert at a call milestone has no event of its own
            found.append(now - max(causes))
