"""Deadlines: when an order must be acknowledged, called and visited, and what happens when a unit misses one.

A missed deadline sends the order up from the station to the sub-bureau and from there to the city's centre. An order
that misses a deadline at the centre is overdue. The module is pure: the caller supplies every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from models.base.durations import DAY, MINUTE
from models.casework.cases import OVER, Case, Deadline, Entry, State, Step, kept
from models.casework.routing import Stations
from models.policy.policy import SEVERITIES, Deadlines, DispatchRules, Severity


@dataclass(frozen=True, slots=True)
class Office:
    """The basis of all casework: the policy's dispatch rules and the tree of stations."""

    rules: DispatchRules
    stations: Stations

    def deadlines(self, severity: Severity) -> Deadlines:
        """The deadlines of a severity.

        If an edit of the policy has left the severity without deadlines, those of the next more severe one count.
        """
        index = SEVERITIES.index(severity)
        return next(self.rules.deadlines[each] for each in SEVERITIES[index:] if each in self.rules.deadlines)


def armed(office: Office, case: Case, since: int) -> Case:
    """The case with the deadlines of its severity, counted from a time.

    A call or visit deadline that already runs is never postponed.
    """
    deadlines = office.deadlines(case.severity)
    visit = None if deadlines.visit is None else since + _ms(deadlines.visit)
    return replace(
        case,
        since=since,
        acknowledge_by=since + _ms(deadlines.acknowledge),
        call_by=_sooner(case.call_by, since + _ms(deadlines.call)),
        visit_by=_sooner(case.visit_by, visit),
    )


def relaxed(office: Office, case: Case) -> Case:
    """The case with its running deadlines postponed to those of its new, lower severity."""
    deadlines = office.deadlines(case.severity)
    visit = None if deadlines.visit is None or case.visit_by is None else case.since + _ms(deadlines.visit)
    return replace(
        case,
        acknowledge_by=_later(case.acknowledge_by, case.since + _ms(deadlines.acknowledge)),
        call_by=_later(case.call_by, case.since + _ms(deadlines.call)),
        visit_by=None if visit is None else _later(case.visit_by, visit),
    )


def at_rest(case: Case, status: State) -> Case:
    """The case in a state in which no deadline runs."""
    return replace(case, status=status, acknowledge_by=None, call_by=None, visit_by=None, snoozed_until=None)


def handed(office: Office, case: Case, unit: str, since: int) -> Case:
    """The case handed to another unit, which has to acknowledge it again."""
    acknowledge_by = since + _ms(office.deadlines(case.severity).acknowledge)
    case = taken(office, case, unit)
    return replace(case, status="open", snoozed_until=None, acknowledge_by=acknowledge_by)


def taken(office: Office, case: Case, unit: str) -> Case:
    """The case assigned to the unit that acts on it."""
    if unit == case.unit:
        return case
    had = tuple(dict.fromkeys((*case.had, case.unit)))
    return replace(case, unit=unit, tier=office.stations.units[unit].tier, had=had)


def noted(case: Case, at: int, step: Step, unit: str = "", **about: Any) -> Case:
    """The case with a history line about a change that no feedback caused."""
    return written(case, Entry(at=at, kind=step, unit=unit or case.unit, **about), at)


def written(case: Case, entry: Entry, at: int) -> Case:
    """The case with one more history entry and ``at`` as the time of its change."""
    return replace(case, at=max(at, case.at), history=kept((*case.history, entry)))


def passed(office: Office, case: Case, now: int) -> Case:
    """The case after everything that is due by ``now`` has happened, in order."""
    while case.due is not None and case.due <= now:
        case = _next(office, case, case.due)
    return case


def forgotten_at(office: Office, case: Case) -> int | None:
    """When a case that is over will be forgotten; None while it is not over."""
    return case.at + int(office.rules.kept_days * DAY) if case.status in OVER else None


def _next(office: Office, case: Case, now: int) -> Case:
    """The case after the one thing that is due now: the end of a snooze, or a missed deadline."""
    if case.snoozed_until == now:
        return noted(armed(office, replace(case, status="open", snoozed_until=None), now), now, "woken")
    missed: Deadline
    if case.acknowledge_by == now:
        missed, case = "acknowledge", replace(case, acknowledge_by=None)
    elif case.call_by == now:
        missed, case = "call", replace(case, call_by=None)
    else:
        missed, case = "visit", replace(case, visit_by=None)
    below, above = case.unit, office.stations.above(case.unit)
    if above is None:
        return noted(case, now, "overdue", deadline=missed)
    case = handed(office, case, above, now)
    deadlines = office.deadlines(case.severity)
    if missed == "call":  # the unit above still has to call
        case = replace(case, call_by=now + _ms(deadlines.call))
    elif missed == "visit" and deadlines.visit is not None:
        case = replace(case, visit_by=now + _ms(deadlines.visit))
    return noted(case, now, "escalated", unit=below, to=above, deadline=missed)


def _ms(minutes: float) -> int:
    return int(minutes * MINUTE)


def _sooner(running: int | None, asked: int | None) -> int | None:
    return asked if running is None else running if asked is None else min(running, asked)


def _later(running: int | None, asked: int) -> int | None:
    return None if running is None else max(running, asked)
