"""Backpressure: how long events of one topic wait while the other has more to give, or while all of Kafka is away."""

from __future__ import annotations

from collections.abc import Collection
from time import perf_counter
from typing import Any, cast

import pytest

from models.detection.alignment import Alignment
from models.detection.partition import Partition
from streams.worker.backpressure import LONGEST_WAIT, at_end
from streams.worker.partition import AssignedPartition, Feed
from streams.worker.partition_state import PartitionState


class Leaders:
    """The end offset that each topic's leader reports for a partition; None if it does not answer."""

    def __init__(self, **ends: int | None) -> None:
        self.ends = ends
        self.asked: list[str] = []
        self.told = 10

    def end_offset(self, topic: str, partition: int) -> int | None:
        """The end offset that the last fetch reported."""
        return self.told

    async def end_offset_now(self, topic: str, partition: int) -> int | None:
        """The end offset that the leader reports when asked."""
        self.asked.append(topic)
        return self.ends[topic]

    def unstable_records(self, topic: str, partition: int) -> int:
        """No transaction is open."""
        return 0

    async def first_offsets(self, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Not needed here."""
        return {}

    def pause(self, topic: str, partition: int) -> None:
        """There is nothing to pause."""

    def resume(self, topic: str, partition: int) -> None:
        """There is nothing to resume."""

    def fail(self, error: BaseException) -> None:
        """Must not happen."""
        raise error


def assigned(silent_s: float, leaders: Leaders) -> AssignedPartition:
    """A partition whose topics have been read to offset 10 and silent for this many seconds."""
    partition = Partition(0)
    then = perf_counter() - silent_s
    feeds = {role: Feed(role, 10, then, 0) for role in ("calls", "sms", "signals")}
    starts = dict.fromkeys(feeds, 0)
    alignment = Alignment(partition.call_clock, partition.sms_clock)
    alignment.sms.clock.at = 60_000
    state, ledger = PartitionState(partition), cast("Any", None)
    return AssignedPartition(state, ledger, alignment, cast("Any", feeds), starts, leaders, moved=then)


@pytest.mark.parametrize(
    ("silent_s", "leaders", "expected"),
    [
        (0.0, Leaders(calls=10, sms=10), True),  # it has no more at present
        (0.0, Leaders(calls=20, sms=10), False),  # it has more than the last fetch reported
        (0.0, Leaders(calls=None, sms=10), False),
        (LONGEST_WAIT + 1, Leaders(calls=20, sms=10), False),  # a long wait, but it has more
        (LONGEST_WAIT + 1, Leaders(calls=10, sms=10), True),
        (LONGEST_WAIT + 1, Leaders(calls=None, sms=10), True),  # its leader is away, and an alert matters more
        (LONGEST_WAIT + 1, Leaders(calls=None, sms=None), False),  # all of Kafka is away: no alert could go out
    ],
)
async def test_whether_a_topic_has_no_more_to_give(silent_s: float, leaders: Leaders, expected: bool) -> None:
    assert (await at_end(assigned(silent_s, leaders)))["calls"] is expected


async def test_after_a_leader_has_said_that_it_has_more_it_is_not_asked_again_at_once() -> None:
    leaders = Leaders(calls=20, sms=10)
    partition = assigned(LONGEST_WAIT + 1, leaders)
    leaders.told = 20
    for _ in range(3):
        assert not (await at_end(partition))["calls"]
    assert leaders.asked.count("calls") == 1


class Returning(Leaders):
    """Leaders that answer from the second question on: Kafka was away and has just come back."""

    async def end_offset_now(self, topic: str, partition: int) -> int | None:
        """The end offset that the leader reports when asked."""
        self.asked.append(topic)
        return self.ends[topic] if len(self.asked) > 1 else None


async def test_a_topic_is_not_left_out_when_kafka_comes_back_between_the_questions() -> None:
    leaders = Returning(calls=20, sms=10)

    assert not (await at_end(assigned(LONGEST_WAIT + 1, leaders)))["calls"]
    assert leaders.asked[:3] == ["calls", "sms", "calls"]
