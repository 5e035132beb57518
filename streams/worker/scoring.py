"""Scoring: takes the batches of each partition from Kafka to the step that applies them.

Within a partition, steps run one after the other. While one partition waits for Redis or Kafka, others work.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import structlog

from models.base.packed import Packed
from models.detection.alignment import Lane, Portion
from models.detection.engine import Engine, StepResult
from models.detection.recognition import call_signals, sms_signals
from models.events.decoding import CallReader, Decoded, MessageReader
from models.events.numbering import Sources
from streams import metrics
from streams.kafka.columns import Columns
from streams.kafka.signal_records import SignalReader, arrived
from streams.settings import Settings
from streams.worker import backpressure
from streams.worker.assignment import Assignment
from streams.worker.clock_skew import ClockSkew
from streams.worker.feed_count import FeedCount
from streams.worker.heartbeats import Heartbeats, due_signals
from streams.worker.partition import FEEDING, Ack, AssignedPartition, Feed, Feeding, ReadBatch
from streams.worker.step import CHECKPOINT_EVERY, Stepper

log = structlog.get_logger(__name__)

EXPIRE_EVERY = 60.0
"""Seconds between two searches for state that has expired."""

MOST_UNAPPLIED = 6
"""Batches of a partition that may wait in memory; beyond them, reading waits for the step under way."""


class LostRecordsError(Exception):
    """Records did not arrive here although Kafka has them; a restart reads them again from the checkpoint."""


class Scorer:
    """Takes in the batches of the assigned partitions and applies them, one step of a partition after the other.

    Belongs to the event loop, apart from ``readers``.
    """

    def __init__(
        self,
        settings: Settings,
        sources: Sources,
        engine: Engine,
        assignment: Assignment,
        stepper: Stepper,
        heartbeats: Heartbeats,
    ) -> None:
        self._engine = engine
        self._heartbeats = heartbeats
        self._assignment = assignment
        self._stepper = stepper
        topics: dict[Feeding, str] = {name: settings.topic(name) for name in FEEDING}
        self._names = {topic: name for name, topic in topics.items()}
        self.readers: dict[str, Callable[[Columns], Decoded[Any]]] = {
            topics["calls"]: _timed(self._bounded("calls", CallReader(sources).read, sources)),
            topics["sms"]: _timed(self._bounded("sms", MessageReader(sources).read, sources)),
            topics["signals"]: _timed(_arrived(SignalReader().read)),
        }
        """The reader of each topic's columns.

        Shared between threads: the consumer's thread calls a reader as soon as it has fetched columns, and the event
        loop calls it for a batch that was cut or that only the ledger lacks. No lock is needed, because a reader keeps
        nothing between two calls but the skew that it shows (`ClockSkew`) and a cache that has a lock of its own.
        """
        self._expired = perf_counter()

    async def take(self, columns: Columns, ack: Ack) -> None:
        """Take in a batch, to be applied as soon as it is due; ``ack`` is called once a checkpoint covers it."""
        assigned = self._assignment.partitions.get(columns.partition)
        if assigned is None:  # handed on just before the partition was revoked
            return
        name = self._names[columns.topic]
        feed = assigned.feeds[name]
        columns = columns.since(feed.upto)
        if columns.start == columns.upto:  # all of it was taken in before
            _ack_later(assigned, columns.topic, ack)
            return
        check_for_gap(feed, columns)
        if columns.start < feed.scored:
            scored_before = columns.until(feed.scored)
            self._record(assigned, name, scored_before)
            feed.upto, feed.heard = scored_before.upto, perf_counter()
            columns = columns.since(feed.scored)
            if columns.start == columns.upto:
                assigned.ledger.acks[columns.topic] = ack
                return
        self._put(assigned, name, columns, ack)
        self._wake(assigned)
        if assigned.task is not None and len(assigned.alignment) > MOST_UNAPPLIED:
            await asyncio.wait({assigned.task})

    async def tend(self) -> None:
        """Apply events that need not wait any longer, write offsets, and expire old state once a minute.

        Called some times a second. Raises what a step raises, and `LedgerError` when a segment cannot be committed.
        """
        now = perf_counter()
        expire = now - self._expired >= EXPIRE_EVERY
        for assigned in list(self._assignment.partitions.values()):
            if assigned.alignment.waits or assigned.signals or self._heartbeats.is_due(assigned):
                self._wake(assigned)
            late = now - assigned.state.written_at > CHECKPOINT_EVERY
            if not (expire or late):
                continue
            async with assigned.turn:
                if assigned.revoked:
                    continue
                if expire:
                    await self._stepper.settle(assigned, self._engine.expire(assigned.state.partition))
                segment_is_written = assigned.ledger.advance()
                if segment_is_written or (late and assigned.is_unwritten):
                    await self._stepper.checkpoint(assigned, StepResult())
        if expire:
            self._expired = now
        partitions = self._assignment.partitions.values()
        metrics.LEDGER_WAITING.set(sum(each.ledger.rows for each in partitions))
        waiting = [since for each in partitions if (since := each.ledger.waiting_since) is not None]
        metrics.LEDGER_WAITING_SECONDS.set(max(now - min(waiting, default=now), 0.0))
        subjects = sum(len(each.state.partition.subjects) for each in partitions)
        metrics.SUBJECTS.set(subjects)
        metrics.EPISODES.set(subjects - sum(len(each.state.partition.contexts) for each in partitions))

    def _put(self, assigned: AssignedPartition, name: Feeding, columns: Columns, ack: Ack) -> None:
        """Put a batch where it waits for its step."""
        feed = assigned.feeds[name]
        batch, events = self._content(name, columns, ack)
        feed.upto, feed.heard = columns.upto, perf_counter()
        if len(columns):
            self._heartbeats.hear(int(columns.appended[-1]))
        if name == "signals":
            self._heartbeats.check(events)
            assigned.signals.append(Portion(events, batch, 0, len(events), whole=True))
            return
        if not assigned.alignment.waits:
            assigned.moved = feed.heard
        lane: Lane[Any] = assigned.alignment.calls if name == "calls" else assigned.alignment.sms
        lane.put(events, batch)

    def _content(self, name: Feeding, columns: Columns, ack: Ack) -> tuple[ReadBatch, Any]:
        """A batch and its good events; a batch that was cut is read here, others were read by the transport."""
        decoded: Decoded[Any] = columns.content or self.readers[columns.topic](columns)
        offsets = decoded.kept(columns.offsets)
        metrics.EVENTS.labels(name).inc(len(columns))
        if len(columns):
            metrics.BATCH_EVENTS.observe(len(columns))
        return ReadBatch(columns, offsets, decoded.refusals, ack), decoded.events

    def _record(self, assigned: AssignedPartition, name: Feeding, columns: Columns) -> None:
        """Add events and their context signals to the ledger that were scored before the partition was assigned."""
        ledger = assigned.ledger
        if not ledger.takes(columns.topic):
            return
        decoded = self.readers[columns.topic](columns)
        indicators, windows = self._engine.indicators, self._engine.policy.windows
        signals = (
            call_signals(decoded.events, indicators, windows)
            if name == "calls"
            else sms_signals(decoded.events, indicators)
        )
        ledger.add_context([*signals], ledger.before)
        offsets = decoded.kept(columns.offsets)
        ledger.add(columns.topic, decoded.events, offsets, columns.upto, ledger.before)

    def _wake(self, assigned: AssignedPartition) -> None:
        """Apply the events that are due in a partition, now or as soon as the step under way is done."""
        assigned.again = True
        if assigned.task is None or assigned.task.done():
            assigned.task = asyncio.create_task(self._work(assigned))

    async def _work(self, assigned: AssignedPartition) -> None:
        try:
            while assigned.again:
                assigned.again = False
                await assigned.ledger.wait_for_room()  # before the turn is taken: others may need it meanwhile
                async with assigned.turn:
                    if assigned.revoked:
                        return
                    await self._advance(assigned)
        except Exception as error:
            assigned.revoked = True
            assigned.source.fail(error)

    async def _advance(self, assigned: AssignedPartition) -> None:
        """Apply the events for which both topics have been read far enough, and pause a topic that is too far ahead."""
        alignment = assigned.alignment
        at_end = await backpressure.at_end(assigned)
        calls, sms = alignment.due(at_end)
        horizons = alignment.horizons(at_end)
        signals, assigned.signals = due_signals(
            assigned.signals,
            {"calls": _applied(assigned, "calls", calls), "sms": _applied(assigned, "sms", sms)},
            {name: at_end[name] and not lane for name, lane in (("calls", alignment.calls), ("sms", alignment.sms))},
        )
        if calls or sms or signals:
            assigned.moved = perf_counter()
            await self._stepper.apply(assigned, calls, sms, signals)
        backpressure.pause_or_resume(assigned, horizons)
        if self._heartbeats.is_due(assigned):
            await self._heartbeats.write(assigned)

    def _bounded(
        self, name: str, read: Callable[[Packed], Decoded[Any]], sources: Sources
    ) -> Callable[[Columns], Decoded[Any]]:
        """A reader of call or SMS columns whose event times are bounded by the broker's append times."""
        skew, feeds = ClockSkew(name), FeedCount(name, sources.names)

        def bounded(columns: Columns) -> Decoded[Any]:
            decoded = read(columns.records)
            appended = decoded.kept(columns.appended)
            skew.note(decoded.events.times, appended)
            feeds.note(decoded.events.sources)
            events = decoded.events.arrived(appended, self._engine.policy.clock.tolerance_ms)
            if events.arrivals is not None and events.arrivals.ahead is not None:
                metrics.AHEAD.labels(name).inc(int(events.arrivals.ahead.sum()))
            return dataclasses.replace(decoded, events=events)

        return bounded


def check_for_gap(feed: Feed, columns: Columns) -> None:
    """Count the records that Kafka's retention deleted before the first batch was read.

    Raises `LostRecordsError` for any other gap.
    """
    if columns.start > feed.upto:
        where = f"{columns.topic} partition {columns.partition}, offsets {feed.upto} to {columns.start - 1}"
        if feed.read or columns.start != feed.first:
            raise LostRecordsError(f"Records went missing between Kafka and scoring: {where}. Start the worker again.")
        metrics.EXPIRED.labels(columns.topic).inc(columns.start - feed.upto)
        log.error("Kafka deleted records before they were read", where=where)
    feed.read = True


def _ack_later(assigned: AssignedPartition, topic: str, ack: Ack) -> None:
    """Acknowledge a batch that had already been taken in, with the next checkpoint or segment."""
    acks = assigned.ledger.acks if assigned.ledger.takes(topic) else assigned.acks
    acks.setdefault(topic, ack)


def _applied(assigned: AssignedPartition, name: Feeding, portions: Sequence[Portion]) -> int:
    """The offset up to which a topic's records are applied once these portions are."""
    if not portions:
        return assigned.reached(assigned.feeds[name].topic)
    batch: ReadBatch = portions[-1].source
    return batch.upto(portions[-1])


def _arrived(read: Callable[[Packed], Decoded[Any]]) -> Callable[[Columns], Decoded[Any]]:
    """A reader of the columns of ``signals`` whose heartbeats are bounded by the broker's append times."""

    def bounded(columns: Columns) -> Decoded[Any]:
        decoded = read(columns.records)
        return dataclasses.replace(decoded, events=arrived(decoded.events, decoded.kept(columns.appended)))

    return bounded


def _timed(read: Callable[[Columns], Decoded[Any]]) -> Callable[[Columns], Decoded[Any]]:
    """A reader of columns that also measures how long it takes."""

    def timed(columns: Columns) -> Decoded[Any]:
        with metrics.DECODE_SECONDS.time():
            return read(columns)

    return timed
