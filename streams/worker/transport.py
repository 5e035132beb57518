"""Transport: Faust's aiokafka transport, with batches of columns as the messages of the event topics.

Registered as ``columns://`` in the entry-point group ``faust.transports``. It differs from upstream in four ways: its
messages are batches (`streams.kafka.columns`); acks cover ranges (`streams.worker.acks`); equal partition numbers of
all topics are assigned to one worker; and reading starts at the checkpoint, not at the committed offset. It uses
private attributes of aiokafka and Faust; ``tests/streams/worker/test_transport.py`` checks the ones it relies on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from time import monotonic
from typing import Any, ClassVar

import aiokafka
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as upstream
from faust.types import TP, ConsumerMessage, Message
from mode.threads import WorkerThread
from uvloop import new_event_loop

from streams.kafka.column_buffer import yield_columns
from streams.kafka.columns import Columns
from streams.kafka.record_batches import MOST_RECORDS
from streams.worker.acks import AckedRanges
from streams.worker.stall_aware_timeout import answer_within

FETCH_MAX_WAIT_MS = 50
"""Milliseconds that the broker may wait for records. There is one request at a time: while it waits for partitions that
are at their ends, nothing is fetched from the others."""

PACE = 0.005
"""Seconds between two fetches that find many small batches. A batch of one record costs as much as one of a hundred, so
records that arrive within this time are put together."""

MANY = 6
"""Number of small batches in one fetch that counts as many; fewer are passed on at once."""

ANSWER_WITHIN = 1.5
"""Seconds within which a partition's leader must report its end; time in which this process stalls does not count."""

LONGEST_WAIT_IF_PAUSED = 0.05
"""Seconds that a fetch may wait for records while partitions are paused; a resumed partition waits no longer."""

OnAssigned = Callable[[Mapping[TP, int]], Awaitable[Mapping[TP, int]]]
"""Returns the offsets at which to read the partitions that were just assigned (given with their committed offsets, -1
for none). A partition left out is read from the group's committed offset, or else from its beginning."""


class _ThreadThatEnds(WorkerThread):
    """A thread that ends with the program, even when nothing could stop it.

    Upstream's thread keeps a worker alive that has failed in the middle of a rebalance. Such a worker would continue to
    send heartbeats to Kafka and so keep its partitions, and nothing would restart it, because it has not ended.
    """

    def __init__(self, service: Any, **options: Any) -> None:
        super().__init__(service, **options)
        self.daemon = True


class ConsumerThread(upstream.AIOKafkaConsumerThread):
    """The thread that talks to Kafka; its aiokafka consumer yields columns.

    Shared between threads: the event loop calls the public methods, because Faust runs there. The thread itself runs
    only `on_start`, `_fetch_records`, `_seek_all`, `_ask_for_ends` and what upstream hands to it. The aiokafka consumer
    belongs to the thread, apart from the single value that `end_offset` reads.
    """

    Worker = _ThreadThatEnds

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        self._assignor = RangePartitionAssignor
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            partition_assignment_strategy=[RangePartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 300) * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            check_crcs=conf.broker_check_crcs,
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
            **self.app.consumer_options,
        )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.paused: set[TP] = set()
        """Partitions whose delivery is paused. (Faust's own way to pause drops records that were fetched already.)

        Belongs to the event loop: it changes the set, and reads it before it requests a fetch from the thread.
        """
        self._ahead: asyncio.Task[tuple[int, Any]] | None = None
        """The fetch that was requested in advance. Belongs to the event loop."""
        self._seeks = 0
        """How often positions have been set.

        Shared between threads: the consumer's thread counts, and the event loop compares the number with that of a
        fetch, because a fetch from before a seek must be dropped. It is one int with one writer, so it needs no lock.
        """
        self._asked_at = 0.0

    async def getmany(self, active_partitions: Any, timeout: float) -> Any:
        """The next batches of the active partitions that are not paused.

        While there is a backlog, the batches after them are requested at once, so that the thread fetches while the
        event loop works. After an error the app fails, and the error is raised.
        """
        asked, self._ahead = self._ahead or self._ask(active_partitions, timeout), None
        try:
            seeks, batches = await asked
        except self.consumer.consumer_stopped_errors:
            raise
        except Exception as error:  # Faust would log it and read no more
            self.app.fail(error)
            raise
        if seeks != self._seeks:  # these were read before a seek, and will be read again
            return {}
        sizes = [len(batch) for some in batches.values() for batch in some]
        if sizes and max(sizes) >= MOST_RECORDS:
            self._ahead = self._ask(active_partitions, timeout)
        elif len(sizes) >= MANY:
            await asyncio.sleep(self._asked_at + PACE - monotonic())
        self._asked_at = monotonic()
        return batches

    def _ask(self, active_partitions: Any, timeout: float) -> asyncio.Task[tuple[int, Any]]:
        asked = asyncio.create_task(self._batches(active_partitions, timeout))
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())  # it may never be awaited
        return asked

    async def _batches(self, active_partitions: Any, timeout: float) -> tuple[int, Any]:
        if self.paused and active_partitions:
            active_partitions = active_partitions - self.paused
            if not active_partitions:
                await asyncio.sleep(0.01)
                return self._seeks, {}
            timeout = min(timeout, LONGEST_WAIT_IF_PAUSED)
        asked: tuple[int, Any] = await super().getmany(active_partitions, timeout)
        return asked

    async def _fetch_records(self, *args: Any, **options: Any) -> tuple[int, Any]:
        seeks = self._seeks
        batches = await super()._fetch_records(*args, **options)
        return seeks, batches

    async def read_from(self, positions: Mapping[TP, int]) -> None:
        """Set the positions; records that were read before are not delivered any more.

        It runs in the thread's own loop without a break. A fetch between counting and seeking would be taken for one
        after the seek, and the records before it would be missing. It does not go through the thread's queue of calls,
        where a commit could delay it.
        """
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._seek_all(positions), self.thread_loop))

    async def _seek_all(self, positions: Mapping[TP, int]) -> None:
        self._seeks += 1
        for tp, offset in positions.items():
            self._ensure_consumer().seek(tp, offset)

    def end_offset(self, tp: TP) -> int | None:
        """The offset up to which a partition can be read, as the last fetch reported it; None if it is not assigned.

        It is the last stable offset: what lies beyond belongs to open transactions. The event loop reads it while the
        thread may be fetching; it is one int, so it needs no lock.
        """
        consumer = self._ensure_consumer()
        told: int | None = consumer.last_stable_offset(tp) if consumer._subscription.is_assigned(tp) else None
        return told

    def unstable_records(self, tp: TP) -> int:
        """How many offsets of a partition lie beyond what can be read, as the last fetch reported; 0 if it is unknown.

        They belong to open transactions, or come after the beginning of one.
        """
        consumer = self._ensure_consumer()
        if not consumer._subscription.is_assigned(tp):
            return 0
        end, stable = consumer.highwater(tp), consumer.last_stable_offset(tp)
        return 0 if end is None or stable is None else max(int(end - stable), 0)

    async def end_offsets_now(self, tps: Collection[TP]) -> Mapping[TP, int]:
        """The offset up to which each partition can be read, requested from the leaders.

        Empty when one of them does not answer in time. The request does not go through the thread's queue of calls,
        where a commit that finds no coordinator would delay it.
        """
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._ask_for_ends(tps), self.thread_loop))

    async def _ask_for_ends(self, tps: Collection[TP]) -> Mapping[TP, int]:
        try:
            offsets: Mapping[TP, int] = await answer_within(self._ensure_consumer().end_offsets(tps), ANSWER_WITHIN)
        except (TimeoutError, KafkaError):
            return {}
        return offsets

    async def first_offsets(self, tps: Collection[TP]) -> Mapping[TP, int]:
        """The first offset that the broker still keeps of each partition."""
        offsets: Mapping[TP, int] = await self.call_thread(self._ensure_consumer().beginning_offsets, tps)
        return offsets

    async def on_start(self) -> None:
        """Start the aiokafka consumer and let it yield columns."""
        await super().on_start()
        yield_columns(self._ensure_consumer(), self.app.readers)


class Consumer(upstream.Consumer):
    """Faust's consumer over batches: one message, one ack and one committed offset for a whole range.

    Belongs to the event loop. It uses these parts of the app: ``consumer_options`` (aiokafka's arguments for servers,
    TLS, SASL and transactions), ``readers``, ``on_assigned`` and ``on_revoked`` in a rebalance, and ``fail`` when
    records cannot be read.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._ranges: dict[TP, AckedRanges] = {}
        self.on_assigned: OnAssigned = self.app.on_assigned

    def _new_consumer_thread(self) -> ConsumerThread:
        # The thread's own loop reads every byte from Kafka. uvloop holds the GIL for less time while it does that.
        return ConsumerThread(self, loop=self.loop, thread_loop=new_event_loop(), beacon=self.beacon)

    def _to_message(self, tp: TP, record: Columns) -> ConsumerMessage:
        """Make one message of one batch, which waits for its ack from here on.

        Its offset is the last that the batch covers.
        """
        ranges = self._ranges.get(tp)
        if ranges is None:
            ranges = self._ranges[tp] = AckedRanges(record.start)
        last = record.upto - 1
        ranges.deliver(last, record.upto)
        return ConsumerMessage(
            record.topic,
            record.partition,
            last,
            float(record.timestamps[-1]) / 1000.0 if len(record) else 0.0,
            0,
            None,
            None,
            record,
            None,
            0,
            len(record),
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every assigned partition to its checkpoint, or else to the group's committed offset."""
        assigned = self.assignment()
        committed = dict.fromkeys(assigned, -1)
        for tp, offset in (await super().seek_to_committed()).items():
            committed[upstream.ensure_TPset([tp]).pop()] = -1 if offset is None else offset
        positions = await self.on_assigned(committed)
        await self._thread.read_from(positions)
        self._ranges.clear()
        self._thread.paused.clear()
        self._unacked_messages.clear()
        # The message of a batch carries the last offset that the batch covers. Upstream drops messages before the
        # position; gaps do no harm.
        return {**committed, **positions}

    def end_offset(self, tp: TP) -> int | None:
        """The offset up to which a partition can be read, as the last fetch reported it; None if it is not assigned."""
        told: int | None = self._thread.end_offset(tp)
        return told

    def unstable_records(self, tp: TP) -> int:
        """How many offsets of a partition cannot be read yet, because a transaction before them is open."""
        told: int = self._thread.unstable_records(tp)
        return told

    async def end_offsets_now(self, tps: Collection[TP]) -> Mapping[TP, int]:
        """The offset up to which each partition can be read, requested from its leader; empty without its answer."""
        return await self._thread.end_offsets_now(tps) if tps else {}

    async def first_offsets(self, tps: Collection[TP]) -> Mapping[TP, int]:
        """The first offset that the broker still keeps of each partition."""
        return await self._thread.first_offsets(tps) if tps else {}

    def pause_delivery(self, tp: TP) -> None:
        """Stop the delivery of a partition until `resume_delivery`; records that were fetched are kept."""
        self._thread.paused.add(tp)

    def resume_delivery(self, tp: TP) -> None:
        """Deliver a paused partition again."""
        self._thread.paused.discard(tp)

    def ack(self, message: Message) -> bool:
        """Acknowledge a batch whose effects are durable; True when the offset to commit has moved."""
        message.acked = True
        self._unacked_messages.discard(message)
        ranges = self._ranges.get(message.tp)
        return ranges is not None and ranges.ack(message.offset)

    async def wait_empty(self) -> None:
        """Let the app finish the steps under way and commit; the next owner reads the waiting batches again.

        Upstream would wait for the ack of every message instead, and some messages wait for other batches.
        """
        await self.app.on_revoked()
        self._unacked_messages.clear()
        await self.commit_and_end_transactions()

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: a range covers the gaps within it and before it."""

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in list(self._ranges) if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        ranges = self._ranges.get(tp)
        return None if ranges is None else ranges.position


class Producer(upstream.Producer):
    """Faust's own producer with the same connection settings; nothing here sends with it."""

    def _settings_auth(self) -> Mapping[str, Any]:
        return self.app.producer_options  # type: ignore[no-any-return]


class Transport(upstream.Transport):
    """``columns://host:port``: Kafka through aiokafka in batches of columns."""

    Consumer: ClassVar[type[Consumer]] = Consumer
    Producer: ClassVar[type[Producer]] = Producer
