"""Scoring: batches of a partition from Kafka to their alerts, their checkpoint and their acks.

The order is the guarantee: decide in memory, send dead letters, write state, offsets and alerts to Redis in one step,
publish the alerts and wait for Kafka's word, and only then acknowledge; calls and SMS once they are in the ledger, too.
What goes wrong before the write is done again; what goes wrong after it is published by whoever loads the partition
next, with the same ids. Within a partition one step follows the other; the waiting of one partition is another's time
to work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from models.base.packed import Packed
from models.detection.alignment import Lane, Portion
from models.detection.engine import Engine, Outcome
from models.detection.recognition import call_signals, sms_signals
from models.detection.signals import SignalRecord
from models.events.decoding import CallReader, Decoded, MessageReader, RareReader
from streams import metrics
from streams.kafka.publishing import Publisher
from streams.ledger.recording import Recorder
from streams.settings import Settings
from streams.worker import backpressure
from streams.worker.assignment import Takeover
from streams.worker.checkpoint import Checkpoints, Due
from streams.worker.columns import Columns
from streams.worker.partition import Ack, Assigned, Batch, Feed, Role, Source

log = structlog.get_logger(__name__)

EVENT_TOPICS = ("calls", "sms", "signals")

WRITE_EVERY = 0.25
"""Seconds after which offsets are written although no state has changed."""

EXPIRE_EVERY = 60.0
"""Seconds between two looks for episodes that have long been closed."""

MOST_UNAPPLIED = 6
"""Batches of a partition that are in memory before reading waits for the step under way."""


class Known(Protocol):
    """What is known beside the events, for example the indicators."""

    async def reach_end(self) -> None:
        """Wait until everything known at this moment is in memory."""
        ...


class LostRecordsError(Exception):
    """Records did not arrive here although Kafka has them; the checkpoint knows where to read again."""


class Scorer:
    """Holds the assigned partitions and applies their batches, one step of a partition after the other."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        checkpoints: Checkpoints,
        publisher: Publisher,
        recorder: Recorder,
    ) -> None:
        self._engine = engine
        self._checkpoints = checkpoints
        self._publisher = publisher
        self._takeover = Takeover(settings, checkpoints, recorder)
        self._topics: dict[Role, str] = {role: settings.topic(role) for role in ("calls", "sms", "signals")}
        self._roles = {topic: role for role, topic in self._topics.items()}
        self.readers: dict[str, Callable[[Columns], Decoded[Any]]] = {
            self._topics["calls"]: _timed(CallReader().read),
            self._topics["sms"]: _timed(MessageReader().read),
            self._topics["signals"]: _timed(RareReader(SignalRecord).read),
        }
        """What reads the columns of each topic; the transport does, as soon as it has them."""
        self._source: Source | None = None
        self.known: Sequence[Known] = ()
        """What must be up to date before the state that another worker has left is looked at."""
        self.assigned: dict[int, Assigned] = {}
        self._expired = perf_counter()

    async def assign(self, committed: Mapping[tuple[str, int], int], source: Source) -> dict[tuple[str, int], int]:
        """Load the partitions that ``source`` was just assigned; returns from where to read each (topic, partition).

        What goes wrong from now on, ``source`` is told. ``committed`` has every assigned topic partition with the
        group's committed offset (-1: none). Raises what `streams.worker.assignment` does.
        """
        await self._let_go()
        self._source = source
        for known in self.known:
            await known.reach_end()
        taken = await self._takeover.load(committed, source, self._engine.policy)
        for assigned in taken.values():
            await self._publish(assigned.held.due)
        self.assigned = taken
        metrics.PARTITIONS.set(len(self.assigned))
        metrics.READY.labels("partitions").set(1)
        await self.reconcile()
        feeds = [(number, feed) for number, assigned in taken.items() for feed in assigned.feeds.values()]
        return {(feed.topic, number): feed.upto for number, feed in feeds}

    async def take(self, columns: Columns, ack: Ack) -> None:
        """Take in a batch, to be applied as soon as it is due; ``ack`` is called once a checkpoint covers it."""
        assigned = self.assigned.get(columns.partition)
        if assigned is None:  # handed on just before the partition was taken away
            return
        role = self._roles[columns.topic]
        feed = assigned.feeds[role]
        columns = columns.since(feed.upto)
        if not len(columns):
            self._ack_later(assigned, columns.topic, ack)
            return
        self._check_for_gap(feed, columns)
        if columns.start < feed.scored:
            scored_before = columns.until(feed.scored)
            self._record(assigned, role, scored_before)
            feed.upto, feed.heard = scored_before.upto, perf_counter()
            columns = columns.since(feed.scored)
            if scored_before.upto == columns.upto or not len(columns):
                assigned.recording.acks[columns.topic] = ack
                return
        batch, events = self._content(role, columns, ack)
        feed.upto, feed.heard = columns.upto, perf_counter()
        if role == "signals":
            assigned.signals.append(Portion(events, batch, 0, len(events), whole=True))
        else:
            if not assigned.alignment.waits:
                assigned.moved = feed.heard
            lane: Lane[Any] = assigned.alignment.calls if role == "calls" else assigned.alignment.sms
            lane.put(events, batch)
        self._wake(assigned)
        if assigned.task is not None and len(assigned.alignment) > MOST_UNAPPLIED:
            await asyncio.wait({assigned.task})

    def _ack_later(self, assigned: Assigned, topic: str, ack: Ack) -> None:
        """Acknowledge a batch that was taken in before, with the next checkpoint or segment."""
        acks = assigned.recording.acks if assigned.recording.takes(topic) else assigned.acks
        acks.setdefault(topic, ack)

    def _record(self, assigned: Assigned, role: Role, columns: Columns) -> None:
        """Have the ledger take in what was scored before this worker had the partition, and what it says of people."""
        recording = assigned.recording
        if not recording.takes(columns.topic):
            return
        decoded = self.readers[columns.topic](columns)
        indicators, windows = self._engine.indicators, self._engine.policy.windows
        signals = (
            call_signals(decoded.events, indicators, windows)
            if role == "calls"
            else sms_signals(decoded.events, indicators)
        )
        recording.add_context([*signals], recording.before)
        offsets = _good_offsets(columns, decoded)
        recording.add(columns.topic, decoded.events, offsets, columns.upto, recording.before)

    def _wake(self, assigned: Assigned) -> None:
        """Have what is due in a partition applied, now or as soon as the step under way is done."""
        assigned.again = True
        if assigned.task is None or assigned.task.done():
            assigned.task = asyncio.create_task(self._work(assigned))

    async def _work(self, assigned: Assigned) -> None:
        try:
            while assigned.again:
                assigned.again = False
                await assigned.recording.room()  # before the turn is taken: others may need it meanwhile
                async with assigned.turn:
                    if assigned.gone:
                        return
                    await self._advance(assigned)
        except Exception as error:
            assigned.gone = True
            if self._source is not None:
                self._source.fail(error)

    def _check_for_gap(self, feed: Feed, columns: Columns) -> None:
        """Nothing between two batches may go missing on the way here; only Kafka's retention may take records away."""
        if columns.start > feed.upto:
            where = f"{columns.topic} partition {columns.partition}, offsets {feed.upto} to {columns.start - 1}"
            if feed.read or columns.start != feed.first:
                raise LostRecordsError(
                    f"Records went missing between Kafka and scoring: {where}. Start the worker again."
                )
            metrics.EXPIRED.labels(columns.topic).inc(columns.start - feed.upto)
            log.error("Kafka deleted records before they were read", where=where)
        feed.read = True

    def _content(self, role: Role, columns: Columns, ack: Ack) -> tuple[Batch, Any]:
        """A batch and its good events; read here only if a part of it was cut off."""
        decoded: Decoded[Any] = columns.content or self.readers[columns.topic](columns)
        offsets = _good_offsets(columns, decoded)
        metrics.EVENTS.labels(role).inc(len(columns))
        metrics.BATCH_EVENTS.observe(len(columns))
        return Batch(columns, offsets, decoded.refusals, ack), decoded.events

    async def _advance(self, assigned: Assigned) -> None:
        """Apply what both topics have been read far enough for, and hold back the topic that is too far ahead."""
        alignment = assigned.alignment
        at_end = await backpressure.at_end(assigned, self._source)
        calls, sms = alignment.due(at_end)
        horizons = alignment.horizons(at_end)
        signals, assigned.signals = assigned.signals, []
        if calls or sms or signals:
            assigned.moved = perf_counter()
            await self._apply(assigned, calls, sms, signals)
        backpressure.hold_back(assigned, self._source, horizons)

    async def _apply(
        self, assigned: Assigned, calls: Sequence[Portion], sms: Sequence[Portion], signals: Sequence[Portion]
    ) -> None:
        began = perf_counter()
        held = assigned.held
        known = assigned.recording.known()  # now: while dead letters are sent, more may become known
        outcome = self._engine.step(
            held.partition,
            [portion.events for portion in calls],
            [portion.events for portion in sms],
            [record for portion in signals for record in portion.events],
        )
        metrics.DECIDE_SECONDS.observe(perf_counter() - began)
        portions = [*calls, *sms, *signals]
        refused = False
        for portion in portions:
            batch: Batch = portion.source
            if batch.refusals and not portion.start:
                refused = True
                await self._publisher.dead_letters(
                    [(batch.columns.record(refusal.index), refusal) for refusal in batch.refusals]
                )
        for portion in portions:
            batch = portion.source
            topic, upto = batch.columns.topic, batch.upto(portion)
            held.offsets[topic] = upto
            if portion.whole and not assigned.recording.takes(topic):
                assigned.acks[topic] = batch.ack
        self._count(outcome)
        finished = assigned.recording.go_on()
        late = perf_counter() - held.written_at > WRITE_EVERY
        if outcome.changed or outcome.forgotten or refused or finished or late:
            read_at = max(float(portion.source.columns.timestamps[-1]) for portion in portions) / 1000.0
            await self._write(assigned, outcome, read_at)
        for portion in portions:  # after the alerts, which do not wait for it
            batch = portion.source
            offsets = batch.offsets[portion.start : portion.stop]
            assigned.recording.add(batch.columns.topic, portion.events, offsets, batch.upto(portion), known)
            if portion.whole and assigned.recording.takes(batch.columns.topic):
                assigned.recording.acks[batch.columns.topic] = batch.ack
        assigned.recording.add_context(outcome.context, known)

    async def _write(self, assigned: Assigned, outcome: Outcome, read_at: float | None = None) -> None:
        """Write, publish, record and acknowledge; ``read_at``: Kafka time of the cause (s)."""
        assigned.recording.name()
        due = Due(outcome.alerts, outcome.reminders)
        await self._checkpoints.write(assigned.held, outcome.changed, outcome.forgotten, due)
        await self._publish(due, read_at)
        for ack in assigned.acks.values():
            ack()
        assigned.acks.clear()
        assigned.recording.enter()

    async def reconcile(self) -> None:
        """Withdraw what no longer stands after indicators were revoked."""
        for assigned in list(self.assigned.values()):
            async with assigned.turn:
                if not assigned.gone:
                    await self._settle(assigned, self._engine.reconcile(assigned.held.partition))

    async def tend(self) -> None:
        """A few times a second: apply what need wait no longer, write offsets, and now and then forget."""
        now = perf_counter()
        expire = now - self._expired >= EXPIRE_EVERY
        for assigned in list(self.assigned.values()):
            held = assigned.held
            if assigned.alignment.waits:
                self._wake(assigned)
            late = now - held.written_at > WRITE_EVERY
            if not (expire or late):
                continue
            async with assigned.turn:
                if assigned.gone:
                    continue
                if expire:
                    await self._settle(assigned, self._engine.expire(held.partition))
                finished = assigned.recording.go_on()
                if finished or (late and assigned.is_unwritten):
                    await self._write(assigned, Outcome())
        if expire:
            self._expired = now
        metrics.LEDGER_WAITING.set(sum(each.recording.rows for each in self.assigned.values()))
        metrics.SUBJECTS.set(sum(len(each.held.partition.subjects) for each in self.assigned.values()))

    async def release(self) -> None:
        """Let go of all partitions: a step under way is finished first, offsets are written, what waits is dropped."""
        await self._let_go(write=True)
        metrics.PARTITIONS.set(0)
        metrics.READY.labels("partitions").set(0)

    async def _let_go(self, *, write: bool = False) -> None:
        """Forget all partitions once no step is under way, as they are or written."""
        for assigned in list(self.assigned.values()):
            await assigned.recording.give_up()
        for assigned in list(self.assigned.values()):
            async with assigned.turn:  # one turn: a step after the last write would leave alerts to be repeated
                if write and not assigned.gone:
                    while await assigned.recording.finish():
                        await self._write(assigned, Outcome())
                    if assigned.is_unwritten:
                        await self._write(assigned, Outcome())
                assigned.gone = True
        self.assigned.clear()

    async def _settle(self, assigned: Assigned, outcome: Outcome) -> None:
        """Write and publish what came about without an event."""
        self._count(outcome)
        if outcome.changed or outcome.forgotten or outcome.alerts:
            await self._write(assigned, outcome)

    async def _publish(self, due: Due, read_at: float | None = None) -> None:
        if due:
            began = perf_counter()
            await self._publisher.alerts(due.alerts, due.reminders, read_at)
            metrics.PUBLISH_SECONDS.observe(perf_counter() - began)

    def _count(self, outcome: Outcome) -> None:
        for code, count in outcome.signals.items():
            metrics.SIGNALS.labels(code).inc(count)


def _good_offsets(columns: Columns, decoded: Decoded[Any]) -> NDArray[np.int64]:
    """The offsets of the records of a batch that were not refused."""
    if not decoded.refusals:
        return columns.offsets
    return np.delete(columns.offsets, [refusal.index for refusal in decoded.refusals])


def _timed(read: Callable[[Packed], Decoded[Any]]) -> Callable[[Columns], Decoded[Any]]:
    """Reads columns, and tells how long it took."""

    def timed(columns: Columns) -> Decoded[Any]:
        with metrics.DECODE_SECONDS.time():
            return read(columns.records)

    return timed
