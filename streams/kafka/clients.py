"""Clients: they wait for Kafka while it does not answer.

Nothing is acknowledged during that time, so nothing is lost. `/readyz` names the parts that a program waits for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError

from streams import metrics
from streams.backoff import Backoff
from streams.kafka.record_batches import Consumer
from streams.settings import Settings

log = structlog.get_logger(__name__)

C = TypeVar("C")


async def _ready(client: Any) -> None:
    """Do nothing: the client needs no preparation."""


async def started(make: Callable[[], C], settings: Settings, prepared: Callable[[C], Awaitable[None]] = _ready) -> C:
    """Start a client of aiokafka, and wait for Kafka's answer; ``prepared`` makes it ready for use.

    A new client is made for each attempt. Any error but a lost connection is raised.
    """
    backoff = Backoff(0.1)
    while True:
        client: Any = make()
        try:
            await client.start()
            await prepared(client)
        except KafkaConnectionError:
            await client.stop()
            metrics.READY.labels("kafka").set(0)
            log.warning("waiting for Kafka", kafka=settings.kafka)
            await backoff.wait()
        except BaseException:  # for example when the program is stopped
            await client.stop()
            raise
        else:
            metrics.READY.labels("kafka").set(1)
            started_client: C = client
            return started_client


async def reader(settings: Settings, *topics: str, **options: Any) -> tuple[AIOKafkaConsumer, list[TopicPartition]]:
    """A consumer outside any group, at the beginning of all partitions of these topics; waits for Kafka's answer.

    Raises KafkaError when a topic does not exist, or when this login may not see it.
    """
    options = {"auto_offset_reset": "earliest", "enable_auto_commit": False} | options | settings.consumer_options()
    consumer = await started(lambda: Consumer(**options), settings)
    try:
        cluster = await consumer._client.fetch_all_metadata()  # a request for one topic alone could create it
        partitions: list[TopicPartition] = []
        for topic in topics:
            numbers = sorted(cluster.partitions_for_topic(topic) or ())
            if not numbers:
                raise KafkaError(unseen(topic))
            partitions += [TopicPartition(topic, number) for number in numbers]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
    except BaseException:
        await consumer.stop()
        raise
    return consumer, partitions


def unseen(topic: str) -> str:
    """The sentence about a topic that Kafka does not list; it does not tell whether the topic exists."""
    return (
        f"The topic {topic} does not exist, or this login may not see it: run `forewarn topics apply`, and see "
        "`forewarn topics acl` for the rights."
    )


async def has_reached(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    """Whether a consumer has read every one of these partitions to its end, or beyond."""
    return all([await consumer.position(partition) >= end for partition, end in ends.items()])


async def up_to_now(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> AsyncIterator[Any]:
    """The records of these partitions up to their present ends."""
    ends = await consumer.end_offsets(partitions)
    while not await has_reached(consumer, ends):
        for records in (await consumer.getmany(timeout_ms=200, max_records=10_000)).values():
            for record in records:
                yield record


def passes(error: KafkaError) -> bool:
    """Whether an error is temporary, so that a later attempt may succeed."""
    return bool(error.retriable) or isinstance(error, KafkaConnectionError | KafkaTimeoutError)
