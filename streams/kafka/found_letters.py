"""Found letters: reads the dead letters of a site, still sealed, for an operator; joins no group."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.kafka.clients import up_to_now
from streams.kafka.letters import DEAD_LETTERS, HEADER
from streams.kafka.record_batches import Consumer
from streams.settings import Settings


class LettersError(Exception):
    """The dead letters cannot be read; the message says what to do."""


class Found(NamedTuple):
    """A dead letter as it lies in its topic: what everybody may read of it, and the sealed record."""

    where: str
    """Its place, for a message."""
    topic: str
    """The topic of its record, with the site's prefix."""
    reason: str
    detail: str
    sealed: bytes

    @classmethod
    def of(cls, record: Any) -> Found:
        """A record of the topic, as a consumer gives it."""
        said = {name.removeprefix(HEADER): (value or b"").decode(errors="replace") for name, value in record.headers}
        where = f"{record.topic}, partition {record.partition}, offset {record.offset}"
        return cls(where, said.get("topic", ""), said.get("reason", ""), said.get("detail", ""), record.value or b"")


async def letters_of(settings: Settings) -> AsyncGenerator[Found, None]:
    """All dead letters up to now, partition by partition in order.

    Raises `LettersError` when Kafka does not answer or the topic does not exist.
    """
    topic = settings.topic(DEAD_LETTERS)
    consumer: AIOKafkaConsumer = Consumer(
        enable_auto_commit=False, auto_offset_reset="earliest", **settings.consumer_options()
    )
    try:
        await consumer.start()
        cluster = await consumer._client.fetch_all_metadata()  # a request for one topic alone could create it
        partitions = [TopicPartition(topic, number) for number in sorted(cluster.partitions_for_topic(topic) or ())]
        if not partitions:
            raise LettersError(f"The topic {topic} does not exist: run `forewarn topics apply`.")
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        async for record in up_to_now(consumer, partitions):
            yield Found.of(record)
    except KafkaError as error:
        raise LettersError(f"Kafka at {settings.kafka} cannot be read ({type(error).__name__}).") from None
    finally:
        await consumer.stop()
