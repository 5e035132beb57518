"""Reached: whom a scam reached, where and when, from cases and from alerts that called for a reminder alone.

The bulletin (`models.casework.bulletin`) counts these. Each names a person, so that nobody is counted twice; nothing of
that gets into a bulletin.
"""

from __future__ import annotations

from typing import NamedTuple

from models.casework.cases import Case
from models.casework.routing import Stations
from models.detection.alerts import Alert
from models.detection.reminders import occasion, utc_day


class Reached(NamedTuple):
    """One person whom one scam reached, as far as an order or a reminder says so."""

    person: str
    at: int
    """When the order was given, or the alert behind the reminder reached Kafka (epoch ms)."""
    unit: str
    """The station, or the desk, in whose area the person was; empty if only the city is known."""
    scam_type: str
    ordered: bool = False
    """Whether a station got an order; otherwise the person got a reminder by SMS."""
    talked: bool = False
    """Whether an officer reached the person."""
    harmed: bool = False
    """Whether the person had lost money."""
    age_band: str = ""
    language: str = ""
    """Both are empty where they are not known: the age of some, and everything of people without an order."""


def of_case(case: Case) -> Reached | None:
    """The person of a case, in the area to which its order went first; None if no scam is known to have reached them.

    That is so for a false alarm, a duplicate, an alert that was withdrawn, and one about something too long ago.
    """
    if case.status == "withdrawn" or case.outcome in ("false-positive", "duplicate"):
        return None
    at = _ordered_at(case)
    if at is None:
        return None
    return Reached(
        person=case.subscriber,
        at=at,
        unit=case.had[0] if case.had else case.unit,
        scam_type=case.scam_type,
        ordered=True,
        talked=any(entry.reached for entry in case.history),
        harmed=case.outcome == "already-harmed",
        age_band=case.person.age_band,
        language=case.person.language,
    )


def of_alert(alert: Alert, arrived: int, stations: Stations) -> Reached | None:
    """The person whom an alert had reminded; None if it called for no reminder.

    The area is that of the person's cell. A reminder needs no officer, so nobody looked up where the person lives.
    """
    if occasion(alert, utc_day) is None:
        return None
    return Reached(alert.subscriber, arrived, stations.area(alert.cell) or "", alert.scam_type)


def _ordered_at(case: Case) -> int | None:
    """When the case first sent an order; None if it never did."""
    sent = [entry.at for entry in case.history if entry.kind in ("opened", "reopened")]
    if not sent and any(entry.kind == "too-old" for entry in case.history):
        return None
    return min(sent, default=case.opened)
