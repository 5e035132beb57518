"""Deadlines: when an order must be acknowledged, called and visited, and what happens when a unit misses one.

A missed deadline adds a tier: besides the station, the sub-bureau has the case, and then the city's centre. Nobody
loses it. A deadline that is missed when all of them have the case is overdue. A missed deadline stands in the case
until somebody meets it. The module is pure: the caller supplies every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from models.base.durations import DAY, MINUTE
from models.casework.cases import OVER, Case, Deadline, Entry, Missed, State, Step, kept
from models.casework.routing import TIERS, Stations, Tier
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


def called_again(office: Office, case: Case, since: int) -> Case:
    """The case after an attempt in vain: when neither a call nor a visit is still due, another call is."""
    if case.call_by is not None or case.visit_by is not None:
        return case
    return replace(case, call_by=since + _ms(office.deadlines(case.severity).call))


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
    return replace(case, status=status, acknowledge_by=None, call_by=None, visit_by=None, snoozed_until=None, missed=())


def met(case: Case, *deadlines: Deadline) -> Case:
    """The case after somebody has met these deadlines, in time or late."""
    done: dict[str, Any] = {f"{deadline}_by": None for deadline in deadlines}
    return replace(case, **done, missed=tuple(each for each in case.missed if each.deadline not in deadlines))


def handed(office: Office, case: Case, unit: str, since: int) -> Case:
    """The case handed to another unit, which has to acknowledge it again."""
    return _to_be_acknowledged(office, _passed_to(office, case, unit), since)


def escalated(office: Office, case: Case, since: int, **why: Any) -> Case:
    """The case with one more tier that has it, and that has to acknowledge it again; the same if all tiers have it.

    ``why``: what the line of its history says of the reason.
    """
    above = office.stations.next_above(case.unit, case.above)
    if above is None:
        return case
    below = case.above[-1] if case.above else case.unit
    case = _to_be_acknowledged(office, taken(office, case, above), since)
    return noted(case, since, "escalated", unit=below, to=above, **why)


def taken(office: Office, case: Case, unit: str) -> Case:
    """The case with the unit that acts on it among those that have it.

    A unit above joins those that have the case. Any other unit gets it back from the unit to which it was passed on.
    """
    path = office.stations.path(case.unit)
    if unit not in path:
        return _passed_to(office, case, unit)
    above = tuple(each for each in path[1:] if each == unit or each in case.above)
    return replace(case, above=above, tier=_highest(office, (case.unit, *above)))


def _passed_to(office: Office, case: Case, unit: str) -> Case:
    """The case assigned to another unit; of the units above, those keep it that are above the other one as well."""
    if unit == case.unit:
        return case
    above = tuple(each for each in office.stations.path(unit)[1:] if each in case.above)
    had = tuple(each for each in dict.fromkeys((*case.had, case.unit, *case.above)) if each not in (unit, *above))
    return replace(case, unit=unit, above=above, had=had, tier=_highest(office, (unit, *above)))


def _highest(office: Office, units: tuple[str, ...]) -> Tier:
    return max((office.stations.units[unit].tier for unit in units), key=TIERS.index)


def _to_be_acknowledged(office: Office, case: Case, since: int) -> Case:
    by = since + _ms(office.deadlines(case.severity).acknowledge)
    return replace(case, status="open", snoozed_until=None, acknowledge_by=by)


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
    deadline: Deadline = "acknowledge" if case.acknowledge_by == now else "call" if case.call_by == now else "visit"
    since = next((each.at for each in case.missed if each.deadline == deadline), now)
    case = met(case, deadline)
    case = replace(case, missed=(*case.missed, Missed(deadline, since)))
    if office.stations.next_above(case.unit, case.above) is None:
        return noted(case, now, "overdue", deadline=deadline)
    deadlines = office.deadlines(case.severity)
    if deadline == "call":  # it still has to be made, and the unit above gets as long for it
        case = replace(case, call_by=now + _ms(deadlines.call))
    elif deadline == "visit" and deadlines.visit is not None:
        case = replace(case, visit_by=now + _ms(deadlines.visit))
    return escalated(office, case, now, deadline=deadline)


def _ms(minutes: float) -> int:
    return int(minutes * MINUTE)


def _sooner(running: int | None, asked: int | None) -> int | None:
    return asked if running is None else running if asked is None else min(running, asked)


def _later(running: int | None, asked: int) -> int | None:
    return None if running is None else max(running, asked)
