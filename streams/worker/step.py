"""Step: decides the events that are due in a partition, writes and publishes the result, and only then acknowledges.

The guarantees rest on the order:

1. Decide in memory, then publish dead letters.
2. Write state, offsets and outbox to Redis in one atomic step.
3. Publish the outbox and wait until Kafka confirms it.
4. Acknowledge; calls and SMS only once the ledger has them, too.

If something fails before the write, the next owner of the partition decides again. If it fails after the write, the
next owner publishes the outbox, with the same ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter

from models.detection.alignment import Portion
from models.detection.engine import Engine, StepResult
from models.events.arrivals import UNKNOWN
from streams import metrics
from streams.kafka.letters import refused
from streams.kafka.publishing import Publisher
from streams.ledger.segments import Knowledge
from streams.worker.checkpoint import Checkpoints
from streams.worker.partition import AssignedPartition, ReadBatch
from streams.worker.partition_state import Outbox
from streams.worker.repeats import Repeats

CHECKPOINT_EVERY = 0.25
"""Seconds after which offsets are written even if no state has changed."""


class Stepper:
    """Takes partitions from one checkpoint to the next; its callers hold the partition's turn.

    Belongs to the event loop.
    """

    def __init__(
        self,
        engine: Engine,
        checkpoints: Checkpoints,
        publisher: Publisher,
        signals_topic: str,
        indicators: Mapping[int, int],
    ) -> None:
        self._engine = engine
        self._checkpoints = checkpoints
        self._publisher = publisher
        self._signals_topic = signals_topic
        self._indicators = indicators
        """The offset before which each partition of the indicators is known; it changes while they are read."""

    async def apply(
        self,
        assigned: AssignedPartition,
        calls: Sequence[Portion],
        sms: Sequence[Portion],
        signals: Sequence[Portion],
    ) -> None:
        """Apply portions of batches, from the decision to the acks."""
        portions = [*calls, *sms, *signals]
        # Taken before deciding, because more may become known while dead letters are sent.
        known = assigned.ledger.knowledge(assigned.state.reached(self._signals_topic, 0))
        result = self._decide(assigned, calls, sms, signals)
        if assigned.published_before is not None:
            assigned.published_before.drop_from(result)
        some_refused = await self._send_dead_letters(portions)
        self._advance_offsets(assigned, portions)
        if assigned.published_before is not None and assigned.state.repeats.is_over(assigned.state.offsets):
            assigned.state.repeats, assigned.published_before = Repeats(), None
        segment_is_written = assigned.ledger.advance()
        late = perf_counter() - assigned.state.written_at > CHECKPOINT_EVERY
        if result.changed or result.forgotten or some_refused or segment_is_written or late:
            times = [portion.source.columns.timestamps for portion in portions]
            read_at = max((float(some[-1]) / 1000.0 for some in times if len(some)), default=None)
            await self.checkpoint(assigned, result, read_at, _appended(portions) if result.alerts else None)
        self._gather(assigned, portions, result, known)  # after publishing, so that alerts do not wait for it

    async def checkpoint(
        self,
        assigned: AssignedPartition,
        result: StepResult,
        read_at: float | None = None,
        appended_at: float | None = None,
    ) -> None:
        """Write the checkpoint, publish its outbox, acknowledge, and start to commit the ledger segment it names.

        ``read_at`` is the Kafka timestamp (s) of the last record behind it, and ``appended_at`` is when Kafka appended
        the oldest one; each is None where there is none.
        """
        assigned.ledger.name_in_checkpoint()
        outbox = Outbox(result.alerts, result.reminders)
        await self._checkpoints.write(
            assigned.state, assigned.ledger.progress, result.changed, result.forgotten, outbox, self._indicators
        )
        await self.publish(outbox, read_at, appended_at)
        for ack in assigned.acks.values():
            ack()
        assigned.acks.clear()
        assigned.ledger.commit_segment()

    async def settle(self, assigned: AssignedPartition, result: StepResult) -> None:
        """Write and publish changes that no event caused, for example by expiry or a revoked indicator."""
        _count_signals(result)
        if result.changed or result.forgotten or result.alerts:
            await self.checkpoint(assigned, result)

    async def publish(self, outbox: Outbox, read_at: float | None = None, appended_at: float | None = None) -> None:
        """Publish the outbox of a checkpoint and wait until Kafka confirms it."""
        if outbox:
            began = perf_counter()
            with metrics.waiting(metrics.OUTBOX_WAITING, len(outbox.alerts) + len(outbox.reminders)):
                await self._publisher.alerts(outbox.alerts, outbox.reminders, read_at, appended_at)
            metrics.PUBLISH_SECONDS.observe(perf_counter() - began)

    def _decide(
        self,
        assigned: AssignedPartition,
        calls: Sequence[Portion],
        sms: Sequence[Portion],
        signals: Sequence[Portion],
    ) -> StepResult:
        began = perf_counter()
        result = self._engine.step(
            assigned.state.partition,
            [portion.events for portion in calls],
            [portion.events for portion in sms],
            [record for portion in signals for record in portion.events],
        )
        metrics.DECIDE_SECONDS.observe(perf_counter() - began)
        _count_signals(result)
        return result

    async def _send_dead_letters(self, portions: Sequence[Portion]) -> bool:
        """Publish the dead letters of batches whose first portion this is, until confirmed; whether there were any."""
        were_any = False
        for portion in portions:
            batch: ReadBatch = portion.source
            if batch.refusals and not portion.start:
                were_any = True
                await self._publisher.dead_letters(
                    refused(batch.columns.record(refusal.index), refusal) for refusal in batch.refusals
                )
        return were_any

    def _advance_offsets(self, assigned: AssignedPartition, portions: Sequence[Portion]) -> None:
        """Note the offsets reached; acks of topics that the ledger does not take now wait for the checkpoint alone."""
        for portion in portions:
            batch: ReadBatch = portion.source
            topic = batch.columns.topic
            assigned.state.advance(topic, batch.upto(portion))
            if portion.whole and not assigned.ledger.takes(topic):
                assigned.acks[topic] = batch.ack

    def _gather(
        self, assigned: AssignedPartition, portions: Sequence[Portion], result: StepResult, known: Knowledge
    ) -> None:
        """Pass the events to the ledger, with the acks that wait for it."""
        ledger = assigned.ledger
        for portion in portions:
            batch: ReadBatch = portion.source
            topic = batch.columns.topic
            offsets = batch.offsets[portion.start : portion.stop]
            ledger.add(topic, portion.events, offsets, batch.upto(portion), known)
            if portion.whole and ledger.takes(topic):
                ledger.acks[topic] = batch.ack
        ledger.add_context(result.context, known)


def _appended(portions: Sequence[Portion]) -> float | None:
    """When Kafka appended the oldest record of a step (Unix time, s); None if no topic of it keeps that time."""
    firsts = [portion.source.appended(portion) for portion in portions if len(portion.events)]
    return min((first / 1000 for first in firsts if first != UNKNOWN), default=None)


def _count_signals(result: StepResult) -> None:
    for code, count in result.signals.items():
        metrics.SIGNALS.labels(code).inc(count)
