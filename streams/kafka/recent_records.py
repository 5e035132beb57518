"""Recent records: reads what a topic has received since a time, for a check by an operator; it joins no group."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from models.base.packed import Packed
from streams.kafka.clients import unseen
from streams.kafka.record_batches import Consumer
from streams.settings import Settings


class RecentRecordsError(Exception):
    """The topic cannot be read; the message says what to do."""


class Fetched(NamedTuple):
    """Some records of a partition in order, with their offsets and append times (epoch ms)."""

    partition: int
    offsets: Sequence[int]
    records: Packed
    arrived: Sequence[int]


async def recent_records(settings: Settings, name: str, since: int) -> AsyncIterator[Fetched]:
    """The records of a topic from an append time (epoch ms) on, up to its present end.

    Raises `RecentRecordsError` when Kafka does not answer or does not list the topic.
    """
    topic = settings.topic(name)
    consumer = Consumer(
        enable_auto_commit=False,
        isolation_level="read_committed",
        max_partition_fetch_bytes=8_000_000,
        **settings.aiokafka_options(),
    )
    try:
        await consumer.start()
        cluster = await consumer._client.fetch_all_metadata()  # a request for one topic alone could create it
        numbers = sorted(cluster.partitions_for_topic(topic) or ())
        if not numbers:
            raise RecentRecordsError(unseen(topic))
        partitions = [TopicPartition(topic, number) for number in numbers]
        ends = await consumer.end_offsets(partitions)
        begins = await consumer.offsets_for_times(dict.fromkeys(partitions, since))
        first = {partition: found.offset for partition, found in begins.items() if found is not None}
        if not first:
            return
        consumer.assign([*first])
        for partition, offset in first.items():
            consumer.seek(partition, offset)
        async for fetched in _read(consumer, {partition: ends[partition] for partition in first}):
            yield fetched
    except KafkaError as error:
        raise RecentRecordsError(f"Kafka at {settings.kafka} cannot be read ({type(error).__name__}).") from None
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, open_: dict[TopicPartition, int]) -> AsyncIterator[Fetched]:
    while open_:
        for partition, records in (await consumer.getmany(*open_, timeout_ms=200, max_records=8192)).items():
            due = [record for record in records if record.offset < open_[partition]]
            if due:
                offsets, arrived = ([getattr(record, name) for record in due] for name in ("offset", "timestamp"))
                yield Fetched(partition.partition, offsets, packed_records(due), arrived)
        for partition in [*open_]:
            if await consumer.position(partition) >= open_[partition]:  # markers of transactions are positions, too
                del open_[partition]


def packed_records(records: Sequence[Any]) -> Packed:
    """Records as consumers give them one by one, in one buffer."""
    pieces = [piece for record in records for piece in (record.value, record.key)]
    sizes = np.array([len(piece or b"") for piece in pieces], dtype=np.int64)
    ends = np.cumsum(sizes)
    begins = ends - sizes
    missing = np.array([piece is None for piece in pieces])
    begins[missing] = ends[missing] = -1
    buffer = np.frombuffer(b"".join(piece or b"" for piece in pieces), dtype=np.uint8)
    return Packed(buffer, *(column.copy() for column in (begins[::2], ends[::2], begins[1::2], ends[1::2])))
