"""Found letters: reads the dead letters of a site, still sealed, for an operator; joins no group."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from models.events.numbering import UNNAMED
from streams.kafka.clients import unseen, up_to_now
from streams.kafka.letters import DEAD_LETTERS, HEADER
from streams.kafka.record_batches import Consumer
from streams.settings import Settings


class LettersError(Exception):
    """The dead letters cannot be read or worked with; the message says what to do."""


class Origin(NamedTuple):
    """The refused record that a letter is about. A record has several letters if a worker has read it again."""

    topic: str
    """Its topic, with the site's prefix."""
    partition: int
    offset: int
    timestamp: int
    """When it arrived (epoch ms), or when it was refused if its topic keeps it for longer than its letter. It tells the
    record from one with the same offset, of a topic that was deleted and made anew."""


class Found(NamedTuple):
    """A dead letter as it lies in its topic: what everybody may read of it, and the sealed record."""

    partition: int
    """The partition of ``dead-letters`` in which it lies."""
    offset: int
    """Its offset there."""
    origin: Origin
    reason: str
    detail: str
    source: str
    """Which source has sent the record: a declared one, or one of `UNNAMED`."""
    sealed: bytes

    @property
    def where(self) -> str:
        """Its place, for a message."""
        return f"{DEAD_LETTERS}, partition {self.partition}, offset {self.offset}"

    @classmethod
    def of(cls, record: Any) -> Found:
        """A record of the topic, as a consumer gives it."""
        said = {name.removeprefix(HEADER): (value or b"").decode(errors="replace") for name, value in record.headers}
        return cls(
            record.partition,
            record.offset,
            Origin(said.get("topic", ""), _number(said, "partition"), _number(said, "offset"), record.timestamp),
            said.get("reason", ""),
            said.get("detail", ""),
            said.get("source", UNNAMED[0]),
            record.value or b"",
        )


def _number(said: dict[str, str], name: str) -> int:
    """A number in the headers; -1 in a record that is no letter of ours."""
    written = said.get(name, "")
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 20 else -1


async def letters_of(settings: Settings) -> AsyncGenerator[Found, None]:
    """All dead letters up to now, partition by partition in order.

    Raises `LettersError` when Kafka does not answer or the topic does not exist.
    """
    async with aclosing(records_of(settings, DEAD_LETTERS)) as records:
        async for record in records:
            yield Found.of(record)


async def records_of(settings: Settings, name: str) -> AsyncGenerator[Any, None]:
    """All records of a topic up to now, as a consumer gives them. Raises `LettersError` as `letters_of` does."""
    topic = settings.topic(name)
    consumer: AIOKafkaConsumer = Consumer(
        enable_auto_commit=False, auto_offset_reset="earliest", **settings.consumer_options()
    )
    try:
        await consumer.start()
        cluster = await consumer._client.fetch_all_metadata()  # a request for one topic alone could create it
        partitions = [TopicPartition(topic, number) for number in sorted(cluster.partitions_for_topic(topic) or ())]
        if not partitions:
            raise LettersError(unseen(topic))
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        async for record in up_to_now(consumer, partitions):
            yield record
    except KafkaError as error:
        raise LettersError(f"Kafka at {settings.kafka} cannot be read ({type(error).__name__}).") from None
    finally:
        await consumer.stop()
