"""Tallies: the missed deadlines of a case that are still unmet, and the results of a unit's cases.

All figures come from the histories of cases, so every reader of the topic ``dispatch`` gets the same counts. The first
step is an account of each case, which is valid until the case changes. The second step, repeated for every view, adds
the accounts up to figures of the units. Times are epoch milliseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from models.casework.cases import OVER, Case, Deadline, Entry, Kind, Missed, Outcome, Step
from models.casework.routing import Stations

_ASKED: Final[frozenset[Kind | Step]] = frozenset({"opened", "raised", "reopened", "woken"})
"""Entries from which a unit has to acknowledge the order."""


NEVER: Final = 1 << 62


class Deed(NamedTuple):
    """One action of a unit, or one escalation away from it, with its time."""

    at: int
    kind: Literal["acknowledged", "reached", "escalated"]
    unit: str
    after: int = 0
    """Milliseconds that the unit took; 0 for an escalation."""


class CaseCounts(NamedTuple):
    """The countable facts of a case, independent of the time of counting; valid until the case changes."""

    case: Case
    is_open: bool
    late_from: int
    """From when the case has a missed, unmet deadline; `NEVER` if none runs."""
    ended: int | None
    """When the case got its outcome."""
    deeds: tuple[Deed, ...]


@dataclass(slots=True)
class Tally:
    """A unit's current work, and the results of its cases since a given time."""

    open: int = 0
    urgent: int = 0
    """Open cases with the severity urgent."""
    overdue: int = 0
    """Open cases with a missed deadline that is still unmet."""
    opened: int = 0
    escalated: int = 0
    """Orders that went up from this unit because it missed a deadline."""
    acknowledged_ms: list[int] = field(default_factory=list)
    """Milliseconds from each order to this unit's acknowledgement."""
    reached_ms: list[int] = field(default_factory=list)
    """Milliseconds from each order to the moment when this unit reached the person."""
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    loss_cny: float = 0.0

    @property
    def closed(self) -> int:
        """The number of cases that ended with an outcome."""
        return self.outcomes.total()

    def __iadd__(self, other: Tally) -> Tally:
        """Add another unit's figures."""
        for name in ("open", "urgent", "overdue", "opened", "escalated", "loss_cny"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.acknowledged_ms += other.acknowledged_ms
        self.reached_ms += other.reached_ms
        self.outcomes += other.outcomes
        return self


def overdue(case: Case, now: int) -> Missed | None:
    """The deadline that ran out first of those that are still unmet; None if there is none."""
    return min((each for each in (*case.missed, *_running(case)) if each.at <= now), key=_at, default=None)


def _late_from(case: Case) -> int:
    """The time from which `overdue` returns something."""
    return min((each.at for each in (*case.missed, *_running(case))), default=NEVER)


def _running(case: Case) -> list[Missed]:
    """The running deadlines; the dispatcher may be down, so one that has passed may not be among the missed yet."""
    all_of_them: tuple[tuple[Deadline, int | None], ...] = (
        ("acknowledge", case.acknowledge_by),
        ("call", case.call_by),
        ("visit", case.visit_by),
    )
    return [Missed(name, at) for name, at in all_of_them if at is not None]


def _at(missed: Missed) -> int:
    return missed.at


def account(case: Case) -> CaseCounts:
    """The countable facts of a case."""
    deeds = [Deed(entry.at, "acknowledged", entry.unit, max(0, entry.at - asked)) for entry, asked in _answers(case)]
    late = (entry for entry in case.history if entry.kind == "escalated" and entry.deadline is not None)
    deeds += [Deed(entry.at, "escalated", entry.unit) for entry in late]
    first = next((entry for entry in case.history if entry.reached), None)
    if first is not None:
        deeds.append(Deed(first.at, "reached", first.unit, max(0, first.at - case.opened)))
    return CaseCounts(case, case.status not in OVER, _late_from(case), ended_at(case), tuple(deeds))


def tallies(accounts: Iterable[CaseCounts], now: int, since: int) -> dict[str, Tally]:
    """The tally of each unit that has anything to count.

    Open cases count as they are at ``now``. Everything else counts if it happened at ``since`` or later.
    """
    found: dict[str, Tally] = {}
    for case, is_open, late_from, ended, deeds in accounts:
        mine = found.get(case.unit) or found.setdefault(case.unit, Tally())
        if is_open:
            mine.open += 1
            mine.urgent += case.severity == "urgent"
            mine.overdue += late_from <= now
        mine.opened += case.opened >= since
        if case.outcome is not None and ended is not None and ended >= since:
            mine.outcomes[case.outcome] += 1
            mine.loss_cny += case.loss_cny or 0.0
        for at, kind, unit, after in deeds:
            if at < since:
                continue
            its = found.get(unit) or found.setdefault(unit, Tally())
            if kind == "escalated":
                its.escalated += 1
            else:
                (its.acknowledged_ms if kind == "acknowledged" else its.reached_ms).append(after)
    return found


def summed(own: Mapping[str, Tally], stations: Stations, unit: str) -> Tally:
    """The sum of the tallies of a unit and all units below it."""
    total = Tally()
    for name, tally in own.items():
        if unit in stations.path(name):
            total += tally
    return total


def ended_at(case: Case) -> int | None:
    """When a closed case got its outcome; None for a case without an outcome."""
    entry = _ended(case) if case.outcome is not None else None
    return None if entry is None else entry.at


def _ended(case: Case) -> Entry | None:
    """The first outcome since the case was last opened, or escalated; later outcomes only correct it."""
    found: Entry | None = None
    for entry in case.history:
        if entry.kind in ("reopened", "escalated"):
            found = None
        elif entry.kind == "outcome" and found is None:
            found = entry
    return found


def _answers(case: Case) -> Iterator[tuple[Entry, int]]:
    """Each entry with which a unit took on an order, and the time from which it had to."""
    asked: int | None = None
    for entry in case.history:
        if entry.kind in _ASKED:
            asked = entry.at if asked is None else asked
        elif entry.kind in ("acknowledged", "attempt", "outcome") and asked is not None:
            yield entry, asked
            asked = None
