"""The outbox: commits case snapshots and the inbox's read offsets in one Kafka transaction.

The published cases always match the records read: a dispatcher that is killed at any point leaves either both or
neither. Kafka refuses a dispatcher that has been replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType

from aiokafka import AIOKafkaProducer, TopicPartition

from models.casework.cases import Case, encode
from streams.kafka.clients import started
from streams.kafka.letters import Letter
from streams.settings import Settings

TOPIC = "dispatch"


def group(settings: Settings) -> str:
    """The consumer group that holds the dispatcher's read offsets; it is also the dispatcher's transactional id."""
    return f"{settings.topic_prefix}{settings.group}.dispatcher"


class Outbox:
    """A transactional producer; a context manager. Starting it ends what an earlier dispatcher left unfinished."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topic(TOPIC)
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Outbox:
        """Connect and fence off any earlier dispatcher; waits until Kafka answers."""
        self._producer = await started(self._unstarted, self._settings)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect; a transaction that is not committed has no effect."""
        if self._producer is not None:
            await self._producer.stop()

    async def commit(
        self, changes: Mapping[str, Case | None], letters: Sequence[Letter], read: Mapping[TopicPartition, int]
    ) -> None:
        """Publish cases by name (None: forgotten) and dead letters, and commit the inbox's offsets: all or nothing.

        Returns once Kafka has confirmed the transaction. Raises KafkaError; it is then unknown whether it took effect.
        """
        producer = self._producer
        if producer is None:
            raise RuntimeError("The outbox is not connected: use it as a context manager.")
        async with producer.transaction():
            sent = [
                await producer.send(self._topic, key=name.encode(), value=value, partition=partition)
                for name, case in changes.items()
                for value, partition in await self._words(producer, case)
            ]
            sent += [
                await producer.send(
                    each.topic,
                    key=each.key,
                    value=each.value,
                    headers=list(each.headers),
                    timestamp_ms=each.timestamp,
                )
                for each in letters
            ]
            if sent:
                await asyncio.gather(*sent)
            if read:
                await producer.send_offsets_to_transaction(dict(read), group(self._settings))

    async def _words(self, producer: AIOKafkaProducer, case: Case | None) -> list[tuple[bytes | None, int | None]]:
        """The records about a case, each with its partition (None: that of its key).

        A tombstone goes to every partition. If partitions were added, an earlier word of the case is elsewhere, and it
        would be the newest again once Kafka has dropped the tombstone.
        """
        if case is not None:
            return [(encode(case), None)]
        return [(None, partition) for partition in sorted(await producer.partitions_for(self._topic))]

    def _unstarted(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            acks="all",
            transactional_id=group(self._settings),
            transaction_timeout_ms=30_000,
            linger_ms=5,
            max_batch_size=1_000_000,
            max_request_size=3_000_000,
            request_timeout_ms=10_000,
            **self._settings.aiokafka_options(),
        )
