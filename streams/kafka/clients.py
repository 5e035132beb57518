"""Clients that wait: for a Kafka that does not answer yet, and for a Redis that does not at present.

Nothing is acknowledged meanwhile, so nothing is lost; `/readyz` says what is waited for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError
from redis.exceptions import BusyLoadingError, ConnectionError, ReadOnlyError, TimeoutError

from streams import metrics
from streams.backoff import Backoff
from streams.settings import Settings

log = structlog.get_logger(__name__)

C = TypeVar("C")
T = TypeVar("T")


async def _ready(client: Any) -> None:
    """Nothing more to do than to start it."""


async def started(make: Callable[[], C], settings: Settings, prepared: Callable[[C], Awaitable[None]] = _ready) -> C:
    """A client of aiokafka that has started and is ``prepared``; a new one is made for each attempt."""
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
        except BaseException:  # told to stop meanwhile, for one
            await client.stop()
            raise
        else:
            metrics.READY.labels("kafka").set(1)
            started_client: C = client
            return started_client


async def reader(settings: Settings, *topics: str, **options: Any) -> tuple[AIOKafkaConsumer, list[TopicPartition]]:
    """A consumer that is no member of a group, at the beginning of all partitions of topics; waits for Kafka's answer.

    Raises KafkaError when there is no such topic.
    """
    options = {"auto_offset_reset": "earliest", "enable_auto_commit": False} | options | settings.aiokafka_options()
    consumer = await started(lambda: AIOKafkaConsumer(**options), settings)
    try:
        cluster = await consumer._client.fetch_all_metadata()  # asking for one topic alone could create it
        partitions: list[TopicPartition] = []
        for topic in topics:
            numbers = sorted(cluster.partitions_for_topic(topic) or ())
            if not numbers:
                raise KafkaError(f"The topic {topic} does not exist: run `forewarn topics apply`.")
            partitions += [TopicPartition(topic, number) for number in numbers]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
    except BaseException:
        await consumer.stop()
        raise
    return consumer, partitions


async def up_to_now(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> AsyncIterator[Any]:
    """The records of these partitions up to the end that they have at this moment."""
    ends = await consumer.end_offsets(partitions)
    while any([await consumer.position(part) < ends[part] for part in partitions]):
        for records in (await consumer.getmany(timeout_ms=200, max_records=10_000)).values():
            for record in records:
                yield record


def passes(error: KafkaError) -> bool:
    """Whether Kafka may do tomorrow what it did not do now."""
    return bool(error.retriable) or isinstance(error, KafkaConnectionError | KafkaTimeoutError)


async def answered(ask: Callable[[], Awaitable[T]], settings: Settings) -> T:
    """What Redis answers, asked again until it does."""
    backoff = Backoff(0.05)
    while True:
        try:
            answer = await ask()
        except (ConnectionError, TimeoutError, BusyLoadingError, ReadOnlyError, OSError) as error:
            metrics.READY.labels("redis").set(0)
            metrics.RETRIES.labels("redis").inc()
            if backoff.pause >= 0.4:
                log.warning("waiting for Redis", redis=settings.redis_shown, error=type(error).__name__)
            await backoff.wait()
        else:
            metrics.READY.labels("redis").set(1)
            return answer
