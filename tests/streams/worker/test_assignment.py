"""Assignment: a worker that takes a partition over first knows all the indicators that its last owner knew."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from models.detection.partition import Partition
from streams.kafka.compacted import CompactedTopic
from streams.settings import Settings
from streams.worker.assignment import Assignment
from streams.worker.loading import Loader
from streams.worker.partition import AssignedPartition, Offsets, Source
from streams.worker.partition_state import Handover, PartitionState, Stored
from streams.worker.step import Stepper
from tests.strategies import engine


class Loaded(Loader):
    """Gives one partition without signals, whose last owner had read so far."""

    def __init__(self, indicators: dict[int, int]) -> None:
        self._stored = Stored(version=1, handover=Handover(indicators))

    async def load(self, committed: Offsets, source: Source, policy: object) -> dict[int, AssignedPartition]:
        """The partition."""
        state = PartitionState(Partition(0), self._stored)
        return {0: AssignedPartition(state, cast(Any, None), cast(Any, None), {}, {}, source)}


class Quiet(Stepper):
    """Publishes nothing, since nothing is due."""

    def __init__(self) -> None:
        pass

    async def publish(self, outbox: object, read_at: float | None = None, appended_at: float | None = None) -> None:
        """Nothing."""


def indicators(reached: Mapping[int, int]) -> CompactedTopic:
    """The topic of the indicators, read up to these offsets and not connected."""
    nobody = cast(Any, None)
    topic = CompactedTopic("indicators", lambda key, value: False, Settings(), nobody, nobody)
    topic.reached.update(reached)
    return topic


async def test_a_partition_is_taken_over_when_the_indicators_of_its_last_owner_are_known() -> None:
    topic = indicators({0: 7, 1: 2})
    assignment = Assignment(engine(), Loaded({0: 7, 1: 9}), Quiet(), topic)
    taking = asyncio.create_task(assignment.on_assigned({("calls", 0): 0}, cast(Any, None)))
    await asyncio.sleep(0.1)
    assert not taking.done()
    assert assignment.partitions == {}

    topic.reached[1] = 9
    await taking

    assert set(assignment.partitions) == {0}


async def test_state_without_a_position_of_the_indicators_is_taken_over_at_once() -> None:
    """An earlier version wrote it."""
    assignment = Assignment(engine(), Loaded({}), Quiet(), indicators({}))

    assert await assignment.on_assigned({("calls", 0): 0}, cast(Any, None)) == {}
    assert set(assignment.partitions) == {0}
