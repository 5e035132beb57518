"""Purges at the dispatcher: applied once all alerts from before them are read, and never lost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
from aiokafka import TopicPartition

from models.detection.signals import Purge
from streams.dispatch.purges import Purges
from streams.kafka.publishing import HEARTBEAT, PURGE
from tests.casework import ANN, T0, Desk, alert

PART, OTHER = TopicPartition("signals", 1), TopicPartition("signals", 2)


def record(offset: int, timestamp: int, before: int = T0 + 1, key: bytes = PURGE) -> Any:
    """A purge of Ann that reached Kafka at this time, also of cases that are open."""
    value = msgspec.json.encode(Purge("p", ANN, before, open_too=True))
    return SimpleNamespace(offset=offset, timestamp=timestamp, key=key, value=value)


def test_a_purge_waits_for_the_alerts_from_before_it() -> None:
    """Otherwise an alert that is read after it would open a case again."""
    desk, purges = Desk(), Purges()
    purges.put(PART, [record(7, T0 + 10)])

    read = {PART: 9, OTHER: 4}
    assert [*purges.apply(desk.board, T0 + 9, read)] == []
    assert read == {PART: 7, OTHER: 4}

    desk.alert(alert())
    read = {}
    assert [*purges.apply(desk.board, T0 + 10, read)] == ["e1"]
    assert read == {PART: 8}


def test_the_first_purge_that_waits_is_read_again_after_a_restart() -> None:
    purges = Purges()
    purges.put(PART, [record(7, T0 + 10), record(8, T0 + 20), record(9, T0 + 30)])

    read = {PART: 12}
    assert [*purges.apply(Desk().board, T0 + 10, read)] == []
    assert read == {PART: 8}


def test_other_records_and_broken_purges_are_left_to_the_worker() -> None:
    desk, purges = Desk(), Purges()
    desk.alert(alert())
    broken = record(8, T0)
    broken.value = b"{}"
    purges.put(PART, [record(7, T0, key=HEARTBEAT), broken])

    read = {PART: 9}
    assert [*purges.apply(desk.board, T0, read)] == []
    assert (read, [*desk.board.cases]) == ({PART: 9}, ["e1"])


def test_a_purge_reaches_no_further_than_its_arrival() -> None:
    """Nobody can have cases forgotten that are still to come."""
    desk, purges = Desk(), Purges()
    desk.alert(alert(at=T0 + 50), T0 + 50)
    purges.put(PART, [record(7, T0 + 10, before=T0 + 1000)])

    assert [*purges.apply(desk.board, T0 + 60, {})] == []
