"""Indicator topic: commands publish many records to it, each confirmed, and read all of it.

Records are packed into Kafka batches here (aiokafka's builder, 64 kB each) instead of being sent one by one, which is
several times as fast. The producer is idempotent, so a retry neither doubles nor reorders. The worker follows the topic
with `streams.kafka.compacted` instead.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar, cast

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from models.indicators.indicator import Indicator, IndicatorError, encode, parse
from streams.kafka.newest import NewestWords
from streams.kafka.record_batches import Consumer
from streams.settings import Settings

T = TypeVar("T")

TOPIC = "indicators"
_PATIENCE = 8.0  # seconds within which a broker must answer
_SILENCE = 30.0  # seconds without any confirmation; aiokafka itself would wait for a lost broker for ever
_CHUNK = 2000
_BATCH_BYTES = 1 << 16


class TopicError(RuntimeError):
    """The topic cannot be read or written; one sentence says why. ``confirmed`` records had arrived by then."""

    def __init__(self, message: str, confirmed: int = 0) -> None:
        super().__init__(message)
        self.confirmed = confirmed


@dataclass
class Contents:
    """The present content of the topic: the latest record of each key."""

    records: dict[str, bytes] = field(default_factory=dict)
    """The record's bytes by key, in the order in which the keys were first seen."""
    tombstones: set[str] = field(default_factory=set)
    """The keys whose latest record is a tombstone."""

    def indicators(self) -> Iterator[tuple[str, Indicator | IndicatorError]]:
        """Each key with its indicator, or with the error of its record."""
        for key, record in self.records.items():
            try:
                indicator = parse(record)
                if indicator.key != key:
                    raise IndicatorError("the record is about another value than its key")
                yield key, indicator
            except IndicatorError as error:
                yield key, error


async def publish(
    settings: Settings,
    indicators: Iterable[Indicator],
    on_confirmed: Callable[[int], object] = lambda _: None,
) -> int:
    """Write indicators to the topic and return the number that Kafka has confirmed, which is all of them.

    ``on_confirmed`` is called with the number so far. Cancellation does not wait for ``indicators``, only for the
    records drawn from it. Raises :class:`TopicError` with the number confirmed before something failed; publishing the
    same indicators again does no harm. An error of ``indicators`` is raised after all records drawn before it have been
    confirmed.

    Shared between threads: ``indicators`` is iterated in other threads, because it may block. Only one thread at a time
    draws from it: the next chunk is requested only when the last one has arrived.
    """
    topic = settings.topic(TOPIC)
    source = iter(indicators)
    confirmed = 0
    deliveries: set[asyncio.Future[Any]] = set()
    failures: list[BaseException] = []
    silence = TimeoutError(f"no answer for {_SILENCE:.0f} s")

    def settle(future: asyncio.Future[Any], count: int) -> None:
        nonlocal confirmed
        deliveries.discard(future)
        if error := future.exception():
            failures.append(error)
            return
        confirmed += count
        on_confirmed(confirmed)

    async with _client(
        AIOKafkaProducer(**settings.aiokafka_options(), enable_idempotence=True, max_batch_size=_BATCH_BYTES),
        settings,
    ) as producer:
        partitions = await _partitions(producer, topic, settings)
        partitioner = DefaultPartitioner()
        builders: dict[int, Any] = {}

        async def send(partition: int) -> None:
            builder = builders.pop(partition)
            builder.close()
            if silence in failures:
                return
            try:
                delivery = await asyncio.wait_for(producer.send_batch(builder, topic, partition=partition), _SILENCE)
            except TimeoutError:
                failures.append(silence)
                return
            deliveries.add(delivery)
            count = builder.record_count()
            delivery.add_done_callback(lambda future: settle(future, count))

        try:
            exhausted = False
            try:
                while not exhausted and not failures:
                    chunk, exhausted, broken = await _aside(lambda: _draw(source))
                    for key, value in chunk:
                        partition = partitioner(key, partitions, partitions)
                        if partition not in builders:
                            builders[partition] = producer.create_batch()
                        if builders[partition].append(key=key, value=value, timestamp=None) is None:
                            await send(partition)
                            builders[partition] = producer.create_batch()
                            builders[partition].append(key=key, value=value, timestamp=None)
                    if broken is not None:
                        raise broken
            finally:
                for partition in list(builders) if silence not in failures else ():
                    await send(partition)
                while deliveries and silence not in failures:  # each leaves when its callback has counted it
                    settled, _ = await asyncio.wait(deliveries, timeout=_SILENCE, return_when=asyncio.FIRST_COMPLETED)
                    if not settled:
                        failures.append(silence)
                    await asyncio.sleep(0)
        except KafkaError as error:
            failures.append(error)
    if failures:
        raise TopicError(
            f"Kafka at {settings.kafka} did not take all records of {topic}: {_words(failures[0])}; "
            f"{confirmed} were confirmed; import again (repeated records do no harm)",
            confirmed,
        )
    return confirmed


async def read(settings: Settings, only: frozenset[str] | None = None) -> Contents:
    """The content of the topic up to now; with ``only``, of these keys alone.

    Raises :class:`TopicError` when Kafka cannot be reached, the topic is missing, or no more records arrive.
    """
    topic = settings.topic(TOPIC)
    contents, newest = Contents(), NewestWords()
    consumer = Consumer(
        **settings.consumer_options(), auto_offset_reset="earliest", enable_auto_commit=False, group_id=None
    )
    async with _client(consumer, settings):
        partitions = [TopicPartition(topic, number) for number in await _partitions(consumer, topic, settings)]
        consumer.assign(partitions)
        try:
            ends = await consumer.end_offsets(partitions)
            await consumer.seek_to_beginning(*partitions)
            unread = {partition for partition in partitions if ends[partition] > 0}
            while unread := {part for part in unread if await consumer.position(part) < ends[part]}:
                consumer.pause(*(part for part in partitions if part not in unread))
                batches = await asyncio.wait_for(_some(consumer), 30)
                for records in batches.values():
                    for record in newest.among(records):
                        _take(contents, record.key, record.value, only)
        except (KafkaError, TimeoutError) as error:
            raise TopicError(f"Kafka at {settings.kafka} stopped sending records of {topic}: {_words(error)}") from None
    return contents


def _take(contents: Contents, raw_key: bytes | None, value: bytes | None, only: frozenset[str] | None) -> None:
    key = (raw_key or b"").decode("utf-8", "replace")
    if only is not None and key not in only:
        return
    if value is None:
        contents.records.pop(key, None)
        contents.tombstones.add(key)
    else:
        contents.tombstones.discard(key)
        contents.records[key] = value


async def _some(consumer: Any) -> dict[TopicPartition, list[Any]]:
    """The next records; empty when only the positions have moved, because a compacted batch may hold no record."""
    before = {part: await consumer.position(part) for part in consumer.assignment()}
    while True:
        batches: dict[TopicPartition, list[Any]] = await consumer.getmany(timeout_ms=500, max_records=20_000)
        if batches or any([await consumer.position(part) != at for part, at in before.items()]):
            return batches


def _draw(source: Iterator[Indicator]) -> tuple[list[tuple[bytes, bytes]], bool, Exception | None]:
    """The next records, whether these are the last, and the error that stopped the source before its end, if any.

    Runs in another thread than the event loop.
    """
    chunk: list[tuple[bytes, bytes]] = []
    try:
        for indicator in islice(source, _CHUNK):
            chunk.append((indicator.key.encode(), encode(indicator)))
    except Exception as error:
        return chunk, True, error
    return chunk, len(chunk) < _CHUNK, None


async def _aside(work: Callable[[], T]) -> T:
    """Run ``work`` in a daemon thread and return its result; asyncio's own threads would delay a cancelled command.

    Shared between threads: the event loop alone completes the future, because futures are not safe to use from another
    thread; the thread passes its result to the loop.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast(T, result))

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = work()
        except BaseException as raised:
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nothing waits for the result
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True).start()
    return await done


@asynccontextmanager
async def _client(client: Any, settings: Settings) -> AsyncIterator[Any]:
    """A started Kafka client that is stopped at the end, even if it never connected.

    Raises :class:`TopicError` when no Kafka answers within `_PATIENCE`.
    """
    try:
        try:
            await asyncio.wait_for(client.start(), _PATIENCE)
        except (KafkaError, TimeoutError, OSError):
            raise TopicError(
                f"no Kafka answers at {settings.kafka}; set FOREWARN_KAFKA to its address, or start one: forewarn up"
            ) from None
        yield client
    finally:
        with suppress(TimeoutError):  # a producer would go on trying to send what it still has
            await asyncio.wait_for(client.stop(), _PATIENCE)


async def _partitions(client: Any, topic: str, settings: Settings) -> list[int]:
    """The topic's partitions, from the metadata of all topics, because a request for one topic could create it."""
    try:
        kafka = client.client if isinstance(client, AIOKafkaProducer) else client._client
        cluster = await asyncio.wait_for(kafka.fetch_all_metadata(), _PATIENCE)
    except (KafkaError, TimeoutError) as error:
        raise TopicError(f"Kafka at {settings.kafka} does not list its topics: {_words(error)}") from None
    partitions = cluster.partitions_for_topic(topic)
    if not partitions:
        raise TopicError(
            f"Kafka at {settings.kafka} has no topic {topic}; create it with forewarn topics apply, or see forewarn "
            "topics acl if this login may not see it"
        )
    return sorted(partitions)


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
