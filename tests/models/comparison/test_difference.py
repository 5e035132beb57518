"""The difference between two settings: each kind of change, and nothing where nothing changes."""

from __future__ import annotations

import pytest

from models.base.durations import DAY, MINUTE
from models.comparison.difference import Kind, Orders, changes, counts
from models.detection.alerts import Alert, Reason, Status
from models.policy.policy import Severity

T0 = 20_529 * DAY


def day_of(at: int) -> int:
    """The day of an event time, in UTC."""
    return at // DAY


def alert(severity: Severity, minute: int = 0, status: Status = "raised", episode: str = "e1") -> Alert:
    """An alert about one person."""
    return Alert(
        id=f"{episode}-{severity}",
        subscriber="861000000001",
        episode=episode,
        severity=severity,
        stage="deep",
        risk=0.7,
        scam_type="loan",
        status=status,
        reasons=(Reason("fraud-number-talk", "zh", "en", ("c1",)),),
        indicators=("number:9990001",),
        first_seen=T0,
        at=T0 + minute * MINUTE,
        policy="p",
        model="m",
    )


def orders(*alerts: Alert) -> Orders:
    """The orders after these alerts."""
    found = Orders()
    for each in alerts:
        found.hear(each)
    return found


@pytest.mark.parametrize(
    ("kind", "minutes", "here", "other"),
    [
        ("added", None, [], [alert("high")]),
        ("dropped", None, [alert("high")], [alert("medium")]),
        ("earlier", -3.0, [alert("high", 5)], [alert("high", 2)]),
        ("later", 2.0, [alert("high", 5), alert("urgent", 9)], [alert("urgent", 7)]),
        ("stronger", 0.0, [alert("high")], [alert("high"), alert("urgent", 4)]),
        ("weaker", 0.0, [alert("urgent")], [alert("high")]),
    ],
)
def test_each_kind_of_change_is_told(kind: Kind, minutes: float | None, here: list[Alert], other: list[Alert]) -> None:
    [change] = changes(orders(*here), orders(*other), "strict.yaml")

    assert (change.against, change.change, change.minutes) == ("strict.yaml", kind, minutes)
    assert (change.here is None, change.other is None) == (kind == "added", kind == "dropped")


@pytest.mark.parametrize("alerts", [[], [alert("low"), alert("medium", 3)], [alert("high"), alert("urgent", 9)]])
def test_a_setting_does_not_differ_from_itself(alerts: list[Alert]) -> None:
    assert [*changes(orders(*alerts), orders(*alerts), "same")] == []


def test_alerts_that_send_nobody_make_no_order() -> None:
    assert orders(alert("low"), alert("medium"), alert("high", status="withdrawn")) == {}


def test_an_order_is_withdrawn_when_nothing_of_it_is_left() -> None:
    both = [alert("high"), alert("urgent", 1), alert("high", 2, "withdrawn")]

    [change] = changes(Orders(), orders(*both), "x")
    assert change.other is not None
    assert (change.other.withdrawn, change.other.severity, change.other.strongest) == (False, "high", "urgent")
    assert orders(*both, alert("urgent", 3, "withdrawn"))["e1"].is_withdrawn
    assert not orders(*both, alert("urgent", 3, "withdrawn"), alert("high", 4))["e1"].is_withdrawn


def test_changes_come_in_the_order_in_which_somebody_is_sent() -> None:
    here = orders(alert("high", 9, episode="late"), alert("high", 4, episode="later-there"))
    other = orders(alert("high", 6, episode="later-there"), alert("high", 5, episode="only-there"))

    assert [each.episode for each in changes(here, other, "x")] == ["later-there", "only-there", "late"]


def test_orders_are_counted_by_day() -> None:
    minutes = [-1, 0, 1, DAY // MINUTE - 1, DAY // MINUTE]
    some = [alert("urgent" if at < 0 else "high", at, episode=str(at)) for at in minutes]
    withdrawn = alert("high", 5, "withdrawn", episode="0")

    found = counts(orders(*some, withdrawn), day_of)

    assert (found.orders, found.urgent, found.withdrawn, found.busiest_day) == (5, 1, 1, 3)
    assert counts(Orders(), day_of).busiest_day == 0
