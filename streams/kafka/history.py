"""History: the past records of topics by the time of their arrival, as columns, for an analysis beside the live site.

It joins no group and moves nobody's offsets, and reads what was committed alone. Partitions are read one after the
other, so memory does not grow with the range; a quota leaves the brokers to the live workers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.kafka.column_buffer import yield_columns
from streams.kafka.columns import Columns
from streams.kafka.contracts import Contracts
from streams.kafka.read_quota import ReadQuota
from streams.kafka.record_batches import Consumer
from streams.kafka.topic_logs import TopicLogs, topic_logs
from streams.settings import Settings

T = TypeVar("T")

MOST_BYTES: Final = 4_000_000
"""Bytes of one fetch of a partition; one more is fetched while it is worked on."""
_WAIT_MS: Final = 500
_MOST_WAITS: Final = 60
"""Fetches in a row without any record after which Kafka has stopped sending."""


class HistoryError(Exception):
    """A range of past records cannot be read; one sentence says why, and what there is."""


class Offsets(NamedTuple):
    """The records of a partition from ``start`` to before ``stop``."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class TopicRange:
    """The records of a topic that arrived in a span of time."""

    topic: str
    """The topic's name on the cluster."""
    id: str
    """Kafka's id of the topic; empty if the broker gives none."""
    partitions: Mapping[int, Offsets]
    kept_since: int
    """The time (epoch ms) from which on retention has deleted nothing; 0 if it has never deleted anything."""
    held_back: tuple[int, ...]
    """Partitions of which the end of the range cannot be read yet, because a transaction is open there."""

    def check_kept(self, since: int) -> None:
        """Raise `HistoryError` if retention has deleted records that arrived from ``since`` (epoch ms) on."""
        if self.kept_since > since:
            raise HistoryError(
                f"{self.topic} has all records from {moment(self.kept_since)} on, and not those since {moment(since)}: "
                "give a later --since"
            )

    @property
    def records(self) -> int:
        """How many records there are at most: some offsets hold none for us."""
        return sum(stop - start for start, stop in self.partitions.values())


class History(AbstractContextManager["History"]):
    """Reads past records of some topics of the site; for one thread, which has no event loop running.

    ``until`` of every range counts as no later than when the history was opened, so that several topics are read up to
    the same time. ``told`` is called with the number of offsets that were read since the last call.
    """

    def __init__(
        self,
        settings: Settings,
        contracts: Contracts,
        names: Collection[str],
        quota: ReadQuota,
        told: Callable[[int], object] = lambda count: None,
    ) -> None:
        """Ask Kafka for the topics' logs; raises `BrokerError` when it does not answer or a topic is missing."""
        self._settings = settings
        self._contracts = contracts
        self._quota = quota
        self.told = told
        self.opened = int(time() * 1000)
        """When it was opened (epoch ms)."""
        for name in ("kafka", "aiokafka"):  # what goes wrong is said in one sentence
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._logs: TopicLogs = topic_logs(settings, [settings.topic(name) for name in names])
        self._runner = asyncio.Runner()
        self._consumers: dict[str, AIOKafkaConsumer] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._runner:
            for consumer in self._consumers.values():
                self._runner.run(consumer.stop())

    def range(self, name: str, since: int, until: int) -> TopicRange:
        """The records of a topic that arrived from ``since`` to before ``until`` (epoch ms); raises `HistoryError`."""
        return self._run(self._range(name, since, min(until, self.opened)))

    def columns(self, name: str, partition: int, offsets: Offsets) -> Iterator[Columns]:
        """The records of a partition at these offsets, some thousands at a time.

        Raises `HistoryError` when records are deleted before they are read, or Kafka sends none any more. One partition
        of a topic is read at a time: a new iterator ends the one before.
        """
        part = TopicPartition(self._settings.topic(name), partition)
        at, stop = offsets
        if at >= stop:
            return
        self._run(self._seek(name, part, at))
        waits = 0
        while at < stop:
            found = self._run(self._some(name, part))
            waits = 0 if found else waits + 1
            if waits > _MOST_WAITS:
                raise HistoryError(
                    f"Kafka at {self._settings.kafka} has stopped sending records of {part.topic} partition {partition}"
                    f" at offset {at}: see what it does with forewarn doctor, and start again"
                )
            for columns in found:
                due = columns.until(stop)
                self.told(due.upto - at)
                at = due.upto
                yield due
                if at >= stop:
                    return

    def check_same_topics(self) -> None:
        """Raise `HistoryError` if a topic was made anew since the history was opened, `BrokerError` if it is gone."""
        for topic, now in topic_logs(self._settings, [*self._logs]).items():
            if now.id != self._logs[topic].id:
                raise HistoryError(f"{topic} was deleted and made anew while it was read: read what the new one has")

    async def _range(self, name: str, since: int, until: int) -> TopicRange:
        topic = self._settings.topic(name)
        log, consumer = self._logs[topic], await self._consumer(name)
        parts = [TopicPartition(topic, number) for number in sorted(log.firsts)]
        stable = await consumer.end_offsets(parts)
        first, begins, ends = [
            await consumer.offsets_for_times(dict.fromkeys(parts, max(at, 0))) for at in (0, since, until)
        ]
        offsets: dict[int, Offsets] = {}
        held_back = []
        for part in parts:
            start, stop = [stable[part] if found[part] is None else found[part].offset for found in (begins, ends)]
            offsets[part.partition] = Offsets(start, max(start, stop))
            if ends[part] is None and stable[part] < log.ends[part.partition]:
                held_back.append(part.partition)
        retention = int(self._contracts[name].configs.get("retention.ms", -1))
        kept = [
            kept_since(log.firsts[part.partition], first[part], self.opened - retention if retention >= 0 else None)
            for part in parts
        ]
        return TopicRange(topic, log.id, offsets, max(kept), tuple(held_back))

    async def _seek(self, name: str, part: TopicPartition, at: int) -> None:
        consumer = await self._consumer(name)
        consumer.assign([part])
        consumer.seek(part, at)

    async def _some(self, name: str, part: TopicPartition) -> list[Columns]:
        """The next columns of a partition; empty when none have come yet."""
        consumer = await self._consumer(name)
        found: list[Columns] = (await consumer.getmany(part, timeout_ms=_WAIT_MS)).get(part, [])
        if pause := self._quota.pause_after(sum(map(len, found))):
            await asyncio.sleep(pause)
        return found

    async def _consumer(self, name: str) -> AIOKafkaConsumer:
        if name not in self._consumers:
            consumer = Consumer(
                enable_auto_commit=False,
                auto_offset_reset="none",  # records that are gone must not be passed over in silence
                max_partition_fetch_bytes=MOST_BYTES,
                **self._settings.consumer_options(),
            )
            self._consumers[name] = consumer
            await consumer.start()
            await consumer._client.fetch_all_metadata()
            yield_columns(consumer, {self._settings.topic(name): lambda columns: None})
        return self._consumers[name]

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._runner.run(work)
        except KafkaError as error:
            raise HistoryError(
                f"Kafka at {self._settings.kafka} cannot be read ({str(error) or type(error).__name__}): see forewarn "
                "doctor, and start again"
            ) from None


def kept_since(first: int, oldest: Any, surely: int | None) -> int:
    """The time (epoch ms) from which on a partition has all of its records.

    ``first`` is its first offset, ``oldest`` its oldest record (None: it has none), and ``surely`` the time after which
    retention deletes nothing (None: not known).
    """
    if first == 0:
        return 0
    known = [at for at in (None if oldest is None else oldest.timestamp, surely) if at is not None]
    return min(known, default=0)


def moment(at: int) -> str:
    """A time (epoch ms) as messages show it.

    >>> moment(1_793_491_200_000)
    '2026-11-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds")
