"""The casebook: what operators see of cases, derived from their histories."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.base.durations import MINUTE
from streams import metrics
from streams.dispatch.casebook import Casebook
from tests.casework import T0, Desk, alert, feedback


def shown(name: str, **labels: str) -> float:
    """The exported value; 0 when there is none."""
    return metrics.REGISTRY.get_sample_value(f"forewarn_{name}", labels) or 0.0


class Noted:
    """A desk whose changes go into a casebook, and what has been counted since."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.book = Casebook()
        self.book.begin({})
        self._before = {key: shown(*key[:1], **dict(key[1:])) for key in self._keys()}

    @staticmethod
    def _keys() -> Iterator[tuple[str, tuple[str, str], tuple[str, str]]]:
        for name in ("deadlines_met_total", "deadlines_missed_total"):
            for deadline in ("acknowledge", "call", "visit"):
                yield name, ("severity", "urgent"), ("deadline", deadline)

    def note(self) -> None:
        """Pass the case as it is now on to the casebook."""
        case = self.desk.case()
        self.book.note(case.case, case)
        self.book.show()

    def counted(self) -> dict[str, float]:
        """What was counted of urgent deadlines."""
        found = {
            f"{key[0].split('_')[1]} {key[2][1]}": shown(key[0], **dict(key[1:])) - before
            for key, before in self._before.items()
        }
        return {name: count for name, count in found.items() if count}


@pytest.fixture
def noted() -> Noted:
    """An urgent order that was opened just now."""
    noted = Noted()
    noted.desk.alert(alert("urgent"))
    noted.note()
    return noted


def test_an_order_that_nobody_has_acknowledged_is_seen_until_somebody_does(noted: Noted) -> None:
    """Since when it waits, and at which tier it is."""
    waits = shown("unacknowledged_since_seconds", severity="urgent"), shown("cases", status="open", tier="station")
    noted.desk.feedback(feedback("acknowledged", T0 + MINUTE))
    noted.note()

    assert waits == (T0 / 1000, 1.0)
    assert metrics.REGISTRY.get_sample_value("forewarn_unacknowledged_since_seconds", {"severity": "urgent"}) is None
    assert (shown("cases", status="open", tier="station"), shown("cases", status="acknowledged", tier="station")) == (
        0.0,
        1.0,
    )
    assert noted.counted() == {"met acknowledge": 1.0}


def test_a_visit_meets_every_deadline_that_still_runs(noted: Noted) -> None:
    """Whoever stands at the door need not have called first."""
    noted.desk.feedback(feedback("attempt", T0 + MINUTE, means="visit", reached=True))
    noted.note()

    assert noted.counted() == {"met acknowledge": 1.0, "met call": 1.0, "met visit": 1.0}


def test_a_call_in_vain_meets_its_deadline_and_the_next_call_has_another_one(noted: Noted) -> None:
    """Otherwise a station that tries again and again would never meet one."""
    noted.desk.feedback(feedback("attempt", T0 + MINUTE, means="visit", reached=False))
    noted.note()
    noted.desk.feedback(feedback("attempt", T0 + 2 * MINUTE, means="call", reached=False))
    noted.note()

    assert noted.counted() == {"met acknowledge": 1.0, "met call": 2.0, "met visit": 1.0}


def test_a_missed_deadline_is_missed_although_the_unit_above_acknowledges(noted: Noted) -> None:
    """The order still waits since its alert."""
    noted.desk.wait(T0 + 2 * MINUTE)
    noted.note()
    waits = shown("unacknowledged_since_seconds", severity="urgent")
    noted.desk.feedback(feedback("acknowledged", T0 + 3 * MINUTE, unit="sb-02"))
    noted.note()

    assert waits == T0 / 1000
    assert noted.counted() == {"missed acknowledge": 1.0, "met acknowledge": 1.0}


def test_every_deadline_is_exported_before_the_first_one_ends() -> None:
    """A share of met and missed ones has no value while either is missing, and its alert would be silent."""
    Casebook().begin({})
    labels = {"severity": "high", "deadline": "visit"}
    seen = [metrics.REGISTRY.get_sample_value(f"forewarn_deadlines_{how}_total", labels) for how in ("met", "missed")]

    assert None not in seen


def test_an_alert_that_is_withdrawn_meets_no_deadline(noted: Noted) -> None:
    """Nobody did anything."""
    noted.desk.alert(alert("urgent", status="withdrawn"), T0 + MINUTE)
    noted.note()

    assert noted.counted() == {}
    assert shown("cases", status="open", tier="station") == 0.0
