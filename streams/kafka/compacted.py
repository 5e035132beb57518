"""Compacted topics: every worker holds them in memory whole; it reads them to the end first and then follows them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from models.events.event import RecordError, Refusal
from streams import metrics
from streams.kafka.clients import has_reached, started
from streams.kafka.columns import Record
from streams.kafka.publishing import Publisher
from streams.settings import Settings

log = structlog.get_logger(__name__)

LONGEST_CATCH_UP = 5.0
"""Seconds for which a worker waits for the newest indicators before it takes over partitions."""

Apply = Callable[[bytes | None, bytes | None], bool]
"""Applies a record's key and value (None: a tombstone); returns whether something known is no longer known. Raises
`RecordError` for a bad record, and then keeps the last good value."""


class NotedRefusals(Protocol):
    """Remembers which bad records have a dead letter, because every worker reads the whole topic at every start."""

    async def is_new_refusal(self, topic: str, partition: int, offset: int) -> bool:
        """Whether no dead letter has been noted for the record yet."""
        ...

    async def note_refusal(self, topic: str, partition: int, offset: int) -> None:
        """Note that the record has its dead letter; call it once Kafka has confirmed that."""
        ...


class CompactedTopic:
    """Follows one compacted topic without a consumer group; every worker reads all of it.

    ``loaded`` is set once the topic has been read to the end that it had at the start. Belongs to the event loop.
    """

    def __init__(
        self,
        name: str,
        apply: Apply,
        settings: Settings,
        refusals: NotedRefusals,
        publisher: Publisher,
    ) -> None:
        self.name = name
        self.loaded = asyncio.Event()
        self.reached: dict[int, int] = {}
        """The offset before which each partition has been applied; the ledger reads it, on the event loop too."""
        self._topic = settings.topic(name)
        self._apply = apply
        self._settings = settings
        self._refusals = refusals
        self._publisher = publisher
        self._consumer: AIOKafkaConsumer | None = None

    async def follow(self, on_loss: Callable[[], Awaitable[object]]) -> None:
        """Read the topic to its end, set ``loaded`` and continue; it ends only by cancellation or an error.

        Once ``loaded`` is set, ``on_loss`` is called after records that removed something known. Raises KafkaError when
        the topic does not exist.
        """
        consumer = await started(self._unstarted, self._settings)
        consumer.unsubscribe()
        try:
            partitions = consumer.partitions_for_topic(self._topic) or set()
            if not partitions:
                raise KafkaError(f"The topic {self._topic} does not exist: run `forewarn topics apply`.")
            assigned = [TopicPartition(self._topic, partition) for partition in partitions]
            consumer.assign(assigned)
            await consumer.seek_to_beginning(*assigned)
            ends = await consumer.end_offsets(assigned)
            self._consumer = consumer
            while True:
                if not self.loaded.is_set() and await has_reached(consumer, ends):
                    self.loaded.set()
                    metrics.READY.labels(self.name).set(1)
                    log.info("read to its end", topic=self._topic)
                batches = await consumer.getmany(timeout_ms=200, max_records=2000)
                lost = False
                for records in batches.values():
                    lost |= await self._take(records)
                if lost and self.loaded.is_set():
                    await on_loss()
        finally:
            await consumer.stop()

    async def reach_end(self) -> None:
        """Wait until every record that the topic holds now is in memory, `LONGEST_CATCH_UP` at most."""
        consumer = self._consumer
        if consumer is None:
            return
        try:
            async with asyncio.timeout(LONGEST_CATCH_UP):
                ends = await consumer.end_offsets(consumer.assignment())
                while not await has_reached(consumer, ends):  # noqa: ASYNC110 - aiokafka tells of no progress
                    await asyncio.sleep(0.02)
        except (TimeoutError, KafkaError):
            log.warning("cannot read to the end at present", topic=self._topic)

    def _unstarted(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            self._topic,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_partition_fetch_bytes=8_000_000,
            **self._settings.consumer_options(),
        )

    async def _take(self, records: list[Any]) -> bool:
        lost = False
        for record in records:
            try:
                lost |= self._apply(record.key, record.value)
            except RecordError as error:
                await self._refuse(record, error)
            self.reached[record.partition] = record.offset + 1
        return lost

    async def _refuse(self, record: Any, error: RecordError) -> None:
        if not await self._refusals.is_new_refusal(record.topic, record.partition, record.offset):
            return
        await self._publisher.dead_letters([(Record.of(record), Refusal(0, error.reason, str(error)))])
        await self._refusals.note_refusal(record.topic, record.partition, record.offset)
