"""Compacted topics: they are read to their end first and then followed, always by the newest word of each key.

`CompactedReader` reads the records for every program that follows such a topic. `CompactedTopic` keeps a worker's
reference data equal to one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from models.events.event import RecordError, Refusal
from streams import metrics
from streams.kafka.clients import has_reached, reader
from streams.kafka.columns import Record
from streams.kafka.letters import refused
from streams.kafka.newest import NewestWords
from streams.kafka.partition_watch import PartitionWatch
from streams.kafka.publishing import Publisher
from streams.settings import Settings

log = structlog.get_logger(__name__)

LONGEST_CATCH_UP = 5.0
"""Seconds for which a worker waits for the newest indicators before it takes over partitions."""
TELL_EVERY = 10.0
"""Seconds between two lines of the log while a worker waits for what an earlier owner knew."""

Apply = Callable[[bytes | None, bytes | None], bool]
"""Applies a record's key and value (None: a tombstone); returns whether something known is no longer known. Raises
`RecordError` for a bad record, and then keeps the last good value."""


class CompactedReader:
    """Reads one compacted topic from its beginning, outside any group, and returns the newest words of keys alone.

    Partitions that the topic gets meanwhile are read from their beginning. Belongs to the event loop.
    """

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._newest = NewestWords()
        self._watch = PartitionWatch(consumer)

    @classmethod
    async def open(cls, settings: Settings, topic: str, **options: Any) -> CompactedReader:
        """Connect; waits until Kafka answers. Raises KafkaError when there is no such topic."""
        consumer, _ = await reader(settings, topic, **options)
        return cls(consumer)

    async def close(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def some(self, timeout_ms: int, most: int = 10_000) -> list[Any]:
        """The newest words among the next records; waits for a record for at most ``timeout_ms``.

        `positions` tells how far it has read. Raises KafkaError.
        """
        await self._watch.look()
        batches = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=most)
        return [record for records in batches.values() for record in self._newest.among(records)]

    async def ends(self) -> Mapping[TopicPartition, int]:
        """The present end of every partition. Raises KafkaError."""
        await self._watch.look()
        ends: Mapping[TopicPartition, int] = await self._consumer.end_offsets(self._consumer.assignment())
        return ends

    async def has_reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether every one of these partitions was read to its end, or beyond."""
        return await has_reached(self._consumer, ends)

    async def contents(self) -> list[Any]:
        """The newest word of each key up to the present end, tombstones left out."""
        newest: dict[bytes, Any] = {}
        ends = await self.ends()
        while not await self.has_reached(ends):
            newest.update((record.key or b"", record) for record in await self.some(200))
        return [record for record in newest.values() if record.value is not None]

    async def positions(self) -> dict[int, int]:
        """The next offset to read, by partition."""
        return {part.partition: await self._consumer.position(part) for part in self._consumer.assignment()}


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
        self._reader: CompactedReader | None = None

    async def follow(self, on_loss: Callable[[], Awaitable[object]]) -> None:
        """Read the topic to its end, set ``loaded`` and continue; it ends only by cancellation or an error.

        Once ``loaded`` is set, ``on_loss`` is called after records that removed something known. Raises KafkaError when
        the topic does not exist.
        """
        reading = await CompactedReader.open(self._settings, self._topic, max_partition_fetch_bytes=8_000_000)
        try:
            ends = await reading.ends()
            self._reader = reading
            newest = 0
            while True:
                if not self.loaded.is_set() and await reading.has_reached(ends):
                    self.loaded.set()
                    metrics.READY.labels(self.name).set(1)
                    log.info("read to its end", topic=self._topic)
                lost = False
                for record in await reading.some(200, 2000):
                    lost |= await self._take(record)
                    newest = max(newest, record.timestamp)
                if newest:
                    metrics.REFERENCE_TIME.labels(self.name).set(newest / 1000)
                self.reached.update(await reading.positions())
                if lost and self.loaded.is_set():
                    await on_loss()
        finally:
            await reading.close()

    async def reach_end(self) -> None:
        """Wait until every record that the topic holds now is in memory, `LONGEST_CATCH_UP` at most."""
        if self._reader is None:
            return
        try:
            async with asyncio.timeout(LONGEST_CATCH_UP):
                ends = await self._reader.ends()
                await self.reach({part.partition: end for part, end in ends.items()})
        except (TimeoutError, KafkaError):
            log.warning("cannot read to the end at present", topic=self._topic)

    async def reach(self, offsets: Mapping[int, int]) -> None:
        """Wait until every record before these offsets, by partition, has been applied, however long that takes.

        An offset beyond the end, of a topic that was made anew, counts as the end.
        """
        told = perf_counter()
        while behind := {part: at for part, at in offsets.items() if self.reached.get(part, 0) < at}:
            if perf_counter() - told >= TELL_EVERY:
                told = perf_counter()
                log.warning("waiting for what the last owner of a partition knew", topic=self._topic, behind=behind)
                offsets = await self._within_the_topic(offsets)
            await asyncio.sleep(0.02)

    async def _within_the_topic(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        """These offsets, none beyond the present end of its partition; the same if Kafka does not name the ends."""
        if self._reader is None:
            return offsets
        try:
            ends = {part.partition: end for part, end in (await self._reader.ends()).items()}
        except KafkaError:
            return offsets
        return {part: min(at, ends.get(part, 0)) for part, at in offsets.items()}

    async def _take(self, record: Any) -> bool:
        try:
            return self._apply(record.key, record.value)
        except RecordError as error:
            await self._refuse(record, error)
            return False

    async def _refuse(self, record: Any, error: RecordError) -> None:
        if not await self._refusals.is_new_refusal(record.topic, record.partition, record.offset):
            return
        refusal = Refusal(0, error.reason, str(error))
        await self._publisher.dead_letters([refused(Record.of(record), refusal, stays=True)])
        await self._refusals.note_refusal(record.topic, record.partition, record.offset)
