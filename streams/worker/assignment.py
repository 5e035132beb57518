"""Assignment: what happens on a rebalance, when Kafka assigns partitions to this worker and when it revokes them.

`Assignment.on_assigned` loads the partitions before any record is read and returns the offsets at which reading starts.
`Assignment.on_revoked` finishes the step under way, writes the offsets of each partition and drops the waiting events.
The next owner reads them again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from models.detection.engine import Engine, StepResult
from streams import metrics
from streams.worker.loading import Loader
from streams.worker.partition import AssignedPartition, Offsets, Source
from streams.worker.step import Stepper


class ReferenceTopic(Protocol):
    """A topic of reference data, for example the indicators."""

    async def reach_end(self) -> None:
        """Wait until every record that the topic holds now is in memory, some seconds at most."""
        ...


class IndicatorTopic(ReferenceTopic, Protocol):
    """The topic of the indicators."""

    async def reach(self, offsets: Mapping[int, int]) -> None:
        """Wait until every record before these offsets, by partition, is in memory, however long that takes."""
        ...


class Assignment:
    """The partitions that are assigned to this worker, by number in ``partitions``. Belongs to the event loop."""

    def __init__(
        self,
        engine: Engine,
        loader: Loader,
        stepper: Stepper,
        indicators: IndicatorTopic,
        others: Sequence[ReferenceTopic] = (),
    ) -> None:
        self._engine = engine
        self._loader = loader
        self._stepper = stepper
        self._indicators = indicators
        self._reference_topics = (indicators, *others)
        self.partitions: dict[int, AssignedPartition] = {}

    async def on_assigned(self, committed: Offsets, source: Source) -> dict[tuple[str, int], int]:
        """Load the partitions that were just assigned; returns the offset at which to read each (topic, partition).

        ``committed`` has every assigned topic partition with the group's committed offset (-1: none). ``source`` gets
        every later error. Raises what `Loader.load` raises.
        """
        await self._let_go(write=False)  # this worker may not write partitions that were lost without a revocation
        for topic in self._reference_topics:
            await topic.reach_end()
        partitions = await self._loader.load(committed, source, self._engine.policy)
        for assigned in partitions.values():  # the last owner decided with these
            await self._indicators.reach(assigned.state.stored.handover.indicators)
        for assigned in partitions.values():
            await self._stepper.publish(assigned.state.stored.outbox)
        self.partitions = partitions
        metrics.PARTITIONS.set(len(partitions))
        metrics.READY.labels("partitions").set(1)
        await self.reconcile()
        feeds = [(number, feed) for number, assigned in partitions.items() for feed in assigned.feeds.values()]
        return {(feed.topic, number): feed.upto for number, feed in feeds}

    async def on_revoked(self) -> None:
        """Release all partitions: finish the step under way, write the offsets, drop the waiting events."""
        await self._let_go(write=True)
        metrics.PARTITIONS.set(0)
        metrics.READY.labels("partitions").set(0)

    async def reconcile(self) -> None:
        """Withdraw the alerts that are no longer justified after indicators were revoked or deleted."""
        for assigned in list(self.partitions.values()):
            async with assigned.turn:
                if not assigned.revoked:
                    await self._stepper.settle(assigned, self._engine.reconcile(assigned.state.partition))

    async def _let_go(self, *, write: bool) -> None:
        """Drop all partitions once no step is under way; with ``write`` a last checkpoint is written first."""
        for assigned in list(self.partitions.values()):
            await assigned.ledger.give_up()
        for assigned in list(self.partitions.values()):
            async with assigned.turn:  # one turn: alerts of a step after the last write would be published twice
                if write and not assigned.revoked:
                    while await assigned.ledger.flush():
                        await self._stepper.checkpoint(assigned, StepResult())
                    if assigned.is_unwritten:
                        await self._stepper.checkpoint(assigned, StepResult())
                assigned.revoked = True
        self.partitions.clear()
