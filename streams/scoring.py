"""Scoring: batches of a partition from Kafka to their alerts, their checkpoint and their acks.

The order is the guarantee: decide in memory, send dead letters, write state, offsets and alerts to Redis in one step,
publish the alerts and wait for Kafka's word, and only then acknowledge. What goes wrong before the write is done again;
what goes wrong after it is published by whoever loads the partition next, with the same ids. Within a partition one
step follows the other; the waiting of one partition is another's time to work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, Protocol

import numpy as np
import structlog

from models.alerts import Alert
from models.alignment import Alignment, Lane, Portion
from models.decoding import CallReader, Decoded, MessageReader, RareReader
from models.engine import Engine, Outcome
from models.packed import Packed
from models.signals import SignalRecord
from streams import metrics
from streams.assignment import Ack, Assigned, Batch, Feed, Role, Source
from streams.checkpoint import Checkpoints, Held, MissingStateError
from streams.columns import Columns
from streams.publishing import Publisher
from streams.settings import Settings

log = structlog.get_logger(__name__)

EVENT_TOPICS = ("calls", "sms", "signals")

WRITE_EVERY = 0.25
"""Seconds after which offsets are written although no state has changed."""

EXPIRE_EVERY = 60.0
"""Seconds between two looks for episodes that have long been closed."""

LONGEST_WAIT = 2.0
"""Seconds that one topic's events wait for another topic in silence; then its leader is asked why it gives nothing."""

SKEW_MS = 1000
"""Event time by which one topic may be ahead of another that seems to be at its end, before the broker is asked."""

MOST_WAITING = 3
"""Batches of a topic partition that wait for the other topic before no more of it are read."""

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

    def __init__(self, settings: Settings, engine: Engine, checkpoints: Checkpoints, publisher: Publisher) -> None:
        self._settings = settings
        self._engine = engine
        self._checkpoints = checkpoints
        self._publisher = publisher
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
        group's committed offset (-1: none). Raises `MissingStateError` when Redis has lost what Kafka says was read,
        unless the settings say to rebuild it.
        """
        await self._let_go()
        self._source = source
        for known in self.known:
            await known.reach_end()
        first = await source.first_offsets([place for place, at in committed.items() if at < 0])
        positions: dict[tuple[str, int], int] = {}
        taken: dict[int, Assigned] = {}
        for number in sorted({partition for _, partition in committed}):
            held = await self._checkpoints.load(number)
            mine = {topic: at for (topic, partition), at in committed.items() if partition == number}
            if not held.version and any(at > 0 for at in mine.values()):
                self._refuse_to_forget(number)
                mine = dict.fromkeys(mine, 0)
            held.partition.restore(dict(held.partition.subjects), self._engine.policy)
            for topic, at in mine.items():
                positions[topic, number] = held.offsets.get(topic, first.get((topic, number), at))
            taken[number] = self._take_over(held, {topic: positions[topic, number] for topic in mine})
        for assigned in taken.values():
            await self._publish(assigned.held.alerts)
        self.assigned = taken
        metrics.PARTITIONS.set(len(self.assigned))
        metrics.READY.labels("partitions").set(1)
        await self.reconcile()
        return positions

    def _refuse_to_forget(self, number: int) -> None:
        if self._settings.state_when_missing == "refuse":
            raise MissingStateError(
                f"Redis holds no state of partition {number}, although this site's group has read it before. If Redis "
                "was emptied, start with FOREWARN_STATE_WHEN_MISSING=rebuild to read again everything that Kafka still "
                "keeps (alerts repeat with the same ids); if this is the wrong Redis, mend FOREWARN_REDIS."
            )
        log.warning("rebuilding state from the beginning of the log", partition=number)

    def _take_over(self, held: Held, starts: Mapping[str, int]) -> Assigned:
        now = perf_counter()
        feeds = {role: Feed(topic, starts[topic], now) for role, topic in self._topics.items()}
        return Assigned(held, Alignment(held.partition.call_clock, held.partition.sms_clock), feeds, starts)

    async def take(self, columns: Columns, ack: Ack) -> None:
        """Take in a batch, to be applied as soon as it is due; ``ack`` is called once a checkpoint covers it."""
        assigned = self.assigned.get(columns.partition)
        if assigned is None:  # handed on just before the partition was taken away
            return
        role = self._roles[columns.topic]
        feed = assigned.feeds[role]
        columns = columns.since(feed.upto)
        if not len(columns):
            assigned.acks.append(ack)
            return
        self._check_for_gap(feed, columns)
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

    def _wake(self, assigned: Assigned) -> None:
        """Have what is due in a partition applied, now or as soon as the step under way is done."""
        assigned.again = True
        if assigned.task is None or assigned.task.done():
            assigned.task = asyncio.create_task(self._work(assigned))

    async def _work(self, assigned: Assigned) -> None:
        try:
            while assigned.again:
                assigned.again = False
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
            if feed.read:
                raise LostRecordsError(
                    f"Records went missing between Kafka and scoring: {where}. Start the worker again."
                )
            metrics.EXPIRED.labels(columns.topic).inc(columns.start - feed.upto)
            log.error("Kafka deleted records before they were read", where=where)
        feed.read = True

    def _content(self, role: Role, columns: Columns, ack: Ack) -> tuple[Batch, Any]:
        """A batch and its good events; read here only if a part of it was cut off."""
        decoded: Decoded[Any] = columns.content or self.readers[columns.topic](columns)
        offsets = columns.offsets
        if decoded.refusals:
            offsets = np.delete(offsets, [refusal.index for refusal in decoded.refusals])
        metrics.EVENTS.labels(role).inc(len(columns))
        metrics.BATCH_EVENTS.observe(len(columns))
        return Batch(columns, offsets, decoded.refusals, ack), decoded.events

    async def _advance(self, assigned: Assigned) -> None:
        """Apply what both topics have been read far enough for, and hold back the topic that is too far ahead."""
        alignment = assigned.alignment
        at_end = {
            "calls": await self._is_at_end(assigned, "calls", alignment.sms.clock.at - alignment.calls.clock.at),
            "sms": await self._is_at_end(assigned, "sms", alignment.calls.clock.at - alignment.sms.clock.at),
        }
        horizons = alignment.horizons(at_end)
        calls, sms = alignment.due(at_end)
        signals, assigned.signals = assigned.signals, []
        if calls or sms or signals:
            assigned.moved = perf_counter()
            await self._apply(assigned, calls, sms, signals)
        least = min(horizons.values())
        self._hold_back(assigned, "calls", len(alignment.calls) >= MOST_WAITING and horizons["calls"] > least)
        self._hold_back(assigned, "sms", len(alignment.sms) >= MOST_WAITING and horizons["sms"] > least)

    async def _is_at_end(self, assigned: Assigned, role: Role, behind: int) -> bool:
        """Whether a topic has nothing more to give; ``behind``: event time (ms) that the other one is ahead of it."""
        if self._source is None:
            return True
        feed = assigned.feeds[role]
        number = assigned.held.partition.number
        silent = not feed.held_back and perf_counter() - max(feed.heard, assigned.moved) > LONGEST_WAIT
        if not silent:
            end = self._source.end_offset(feed.topic, number)
            if end is None or feed.upto < end:
                return False
            if behind <= SKEW_MS:
                return True
        # What was fetched last may be older than what the other topic has brought since.
        end = await self._source.end_offset_now(feed.topic, number)
        if end is not None:
            feed.heard = perf_counter()
            return feed.upto >= end
        # Nothing more will come for some time. An alert is worth more than an order, if it can be published at all: in
        # an outage of all of Kafka, which the other topic's silence shows, there is only the order to lose.
        other = assigned.feeds["sms" if role == "calls" else "calls"]
        return silent and await self._source.end_offset_now(other.topic, number) is not None

    def _hold_back(self, assigned: Assigned, role: Role, held: bool) -> None:
        feed = assigned.feeds[role]
        if self._source is not None and feed.held_back != held:
            feed.held_back, feed.heard = held, perf_counter()
            self._source.hold_back(feed.topic, assigned.held.partition.number, held)

    async def _apply(
        self, assigned: Assigned, calls: Sequence[Portion], sms: Sequence[Portion], signals: Sequence[Portion]
    ) -> None:
        began = perf_counter()
        held = assigned.held
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
            held.offsets[batch.columns.topic] = batch.upto(portion)
            if portion.whole:
                assigned.acks.append(batch.ack)
        self._count(outcome)
        if outcome.changed or outcome.forgotten or refused or perf_counter() - held.written_at > WRITE_EVERY:
            read_at = max(float(portion.source.columns.timestamps[-1]) for portion in portions) / 1000.0
            await self._write(assigned, outcome, read_at)

    async def _write(self, assigned: Assigned, outcome: Outcome, read_at: float | None = None) -> None:
        """Write, publish and acknowledge; ``read_at``: Kafka time of the cause (s)."""
        await self._checkpoints.write(assigned.held, outcome.changed, outcome.forgotten, outcome.alerts)
        await self._publish(outcome.alerts, read_at)
        for ack in assigned.acks:
            ack()
        assigned.acks.clear()

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
            if not expire and not late:
                continue
            async with assigned.turn:
                if assigned.gone:
                    continue
                if expire:
                    await self._settle(assigned, self._engine.expire(held.partition))
                if late and _unwritten(assigned):
                    await self._write(assigned, Outcome())
        if expire:
            self._expired = now
        metrics.SUBJECTS.set(sum(len(each.held.partition.subjects) for each in self.assigned.values()))

    async def release(self) -> None:
        """Let go of all partitions: a step under way is finished first, offsets are written, what waits is dropped."""
        await self._let_go(write=True)
        metrics.PARTITIONS.set(0)
        metrics.READY.labels("partitions").set(0)

    async def _let_go(self, *, write: bool = False) -> None:
        """Forget all partitions once no step is under way, as they are or written."""
        for assigned in list(self.assigned.values()):
            async with assigned.turn:  # one turn: a step after the last write would leave alerts to be repeated
                if write and not assigned.gone and _unwritten(assigned):
                    await self._write(assigned, Outcome())
                assigned.gone = True
        self.assigned.clear()

    async def _settle(self, assigned: Assigned, outcome: Outcome) -> None:
        """Write and publish what came about without an event."""
        self._count(outcome)
        if outcome.changed or outcome.forgotten or outcome.alerts:
            await self._write(assigned, outcome)

    async def _publish(self, alerts: Sequence[Alert], read_at: float | None = None) -> None:
        if alerts:
            began = perf_counter()
            await self._publisher.alerts(alerts, read_at)
            metrics.PUBLISH_SECONDS.observe(perf_counter() - began)

    def _count(self, outcome: Outcome) -> None:
        for code, count in outcome.signals.items():
            metrics.SIGNALS.labels(code).inc(count)


def _unwritten(assigned: Assigned) -> bool:
    """Whether Redis has yet to hear of something: offsets, or that the last alerts are published."""
    held = assigned.held
    return bool(assigned.acks or held.alerts) or held.offsets != held.stored


def _timed(read: Callable[[Packed], Decoded[Any]]) -> Callable[[Columns], Decoded[Any]]:
    """Reads columns, and tells how long it took."""

    def timed(columns: Columns) -> Decoded[Any]:
        with metrics.DECODE_SECONDS.time():
            return read(columns.records)

    return timed
