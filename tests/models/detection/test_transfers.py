"""Transfers: a call with a known number ends, even if its end record names another number."""

from __future__ import annotations

import pytest

from models.base.durations import HOUR, MINUTE
from models.detection.alerts import Alert
from models.detection.partition import Partition
from models.events.event import Call
from tests.strategies import CROOK, FRIEND, clock, end, engine, saved, start

LATER = clock(6 * HOUR)
"""Other people's calls, hours later."""


def told(*steps: list[Call], restart_before: int = -1) -> list[Alert]:
    """The alerts that these steps give; the partition is saved and loaded before one of them."""
    deciding, partition = engine(), Partition(0)
    alerts: list[Alert] = []
    for index, calls in enumerate(steps):
        if index == restart_before:
            partition = saved(partition)
        alerts += deciding.step(partition, calls).alerts
    return alerts


@pytest.mark.parametrize("peer", [FRIEND, ""])
def test_the_end_ends_the_call_with_any_number_or_none(peer: str) -> None:
    begins, ends = start("1", 0), end("1", 20 * MINUTE, 590, peer=peer)
    right = told([begins], [end("1", 20 * MINUTE, 590)], LATER)

    assert right
    assert told([begins], [ends], LATER) == right
    assert told([begins], [ends], LATER, restart_before=1) == right
    assert told([begins, ends], LATER)[-1] == right[-1]


def test_a_call_that_began_with_an_unknown_number_counts_from_its_end() -> None:
    alerts = told([start("1", 0, peer=FRIEND)], [end("1", 20 * MINUTE, 1190)], LATER)

    assert [alert.reasons[0].code for alert in alerts] == ["fraud-number-talk"]


def test_other_calls_of_the_subscriber_end_nothing() -> None:
    """Neither those with another id nor those that are as old as another day's."""
    running = told([start("1", 0)], LATER)

    assert told([start("1", 0)], [end("2", 20 * MINUTE, 590, peer=FRIEND)], LATER) == running
    assert told([start("1", 0)], LATER, [end("1", 13 * HOUR, 590, peer=FRIEND)]) == running


def test_a_call_that_has_ended_is_not_ended_again_by_another_with_its_id() -> None:
    """The switch has used the id again for a call with a friend, of which only the end is of interest."""
    over = [start("1", 0), end("1", 20 * MINUTE, 590)]
    friends = [start("1", HOUR, peer=FRIEND), end("1", 2 * HOUR, 3000, peer=FRIEND)]
    other = [start("2", HOUR, peer=FRIEND), end("2", 2 * HOUR, 3000, peer=FRIEND)]

    assert told(over, friends, LATER)[-1].risk == told(over, other, LATER)[-1].risk


def test_the_end_record_that_comes_twice_counts_once() -> None:
    ends = end("1", 50 * MINUTE, 2900, peer=FRIEND)

    assert told([start("1", 0)], [ends], [ends], LATER) == told([start("1", 0)], [ends], LATER)


def test_an_unanswered_call_that_was_passed_on_is_a_missed_one() -> None:
    alerts = told([start("1", 0)], [end("1", MINUTE, 0, peer=FRIEND)], LATER)

    assert alerts == told([start("1", 0)], [end("1", MINUTE, 0, peer=CROOK)], LATER)
