"""Tallies: which deadlines of a case were missed and are still to be met, and what became of the cases of a unit.

All of it is read from the histories of cases, so whoever has the topic ``dispatch`` counts the same. Times are epoch
milliseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from models.cases import OVER, Case, Deadline, Entry, Kind, Outcome, Step
from models.routing import Stations

_ANEW: Final[frozenset[Kind | Step]] = frozenset({"opened", "reopened", "woken"})
"""From here on nothing has been missed yet."""
_ASKED: Final[frozenset[Kind | Step]] = frozenset({"opened", "raised", "reopened", "woken"})
"""From here on somebody is asked to acknowledge."""


@dataclass(slots=True)
class Tally:
    """What a unit has to do now, and what became of its cases since some moment."""

    open: int = 0
    urgent: int = 0
    """Of the open ones."""
    overdue: int = 0
    """Open ones with a deadline that was missed and is still to be met."""
    opened: int = 0
    escalated: int = 0
    """Orders that went up from this unit because it was late."""
    acknowledged_ms: list[int] = field(default_factory=list)
    """From the order to its acknowledgement, by this unit."""
    reached_ms: list[int] = field(default_factory=list)
    """From the order to when this unit had reached the person."""
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    loss_cny: float = 0.0

    @property
    def closed(self) -> int:
        """Cases that have ended with an outcome."""
        return self.outcomes.total()

    def __iadd__(self, other: Tally) -> Tally:
        """Count what another unit has as well."""
        for name in ("open", "urgent", "overdue", "opened", "escalated", "loss_cny"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.acknowledged_ms += other.acknowledged_ms
        self.reached_ms += other.reached_ms
        self.outcomes += other.outcomes
        return self


def missed(case: Case, now: int) -> tuple[Deadline, ...]:
    """The deadlines that have passed and whose thing nobody has done yet; none for a case that is over or put off."""
    if case.status in OVER or case.status == "snoozed":
        return ()
    found: dict[Deadline, None] = {}
    for entry in case.history:
        if entry.kind in _ANEW:
            found.clear()
        elif entry.kind in ("escalated", "overdue") and entry.deadline is not None:
            found[entry.deadline] = None
        for met in _met(entry):
            found.pop(met, None)
    running: tuple[tuple[Deadline, int | None], ...] = (
        ("acknowledge", case.acknowledge_by),
        ("call", case.call_by),
        ("visit", case.visit_by),
    )
    # The dispatcher may be away: what its clock would have said by now holds without its word.
    return tuple(dict.fromkeys((*found, *(name for name, at in running if at is not None and at <= now))))


def tallies(cases: Iterable[Case], now: int, since: int) -> dict[str, Tally]:
    """What each unit has that has anything: open cases as they are, the rest as far as it happened after ``since``."""
    found: dict[str, Tally] = {}
    for case in cases:
        mine = found.setdefault(case.unit, Tally())
        if case.status not in OVER:
            mine.open += 1
            mine.urgent += case.severity == "urgent"
            mine.overdue += bool(missed(case, now))
        mine.opened += case.opened >= since
        if case.outcome is not None and (ended := _ended(case)) is not None and ended.at >= since:
            mine.outcomes[case.outcome] += 1
            mine.loss_cny += case.loss_cny or 0.0
        for entry, asked in _answers(case):
            if entry.at >= since:
                found.setdefault(entry.unit, Tally()).acknowledged_ms.append(max(0, entry.at - asked))
        for entry in case.history:
            if entry.at >= since and entry.kind == "escalated":
                found.setdefault(entry.unit, Tally()).escalated += 1
        first = next((entry for entry in case.history if entry.reached), None)
        if first is not None and first.at >= since:
            found.setdefault(first.unit, Tally()).reached_ms.append(max(0, first.at - case.opened))
    return found


def summed(own: Mapping[str, Tally], stations: Stations, unit: str) -> Tally:
    """What a unit and all below it have."""
    total = Tally()
    for name, tally in own.items():
        if unit in stations.path(name):
            total += tally
    return total


def ended_at(case: Case) -> int | None:
    """When a case that is closed got its outcome; None for one that has none."""
    entry = _ended(case) if case.outcome is not None else None
    return None if entry is None else entry.at


def _ended(case: Case) -> Entry | None:
    """The first outcome since the case was opened the last time; later ones correct it."""
    found: Entry | None = None
    for entry in case.history:
        if entry.kind == "reopened":
            found = None
        elif entry.kind == "outcome" and found is None:
            found = entry
    return found


def _met(entry: Entry) -> Iterator[Deadline]:
    """The deadlines that what a unit did has met."""
    if entry.kind in ("acknowledged", "attempt"):
        yield "acknowledge"
    if entry.kind == "attempt" and (entry.reached or entry.means in ("call", "visit")):
        yield "call"
    if entry.kind == "attempt" and (entry.reached or entry.means == "visit"):
        yield "visit"


def _answers(case: Case) -> Iterator[tuple[Entry, int]]:
    """Each entry by which somebody took an order on, and when he was asked to."""
    asked: int | None = None
    for entry in case.history:
        if entry.kind in _ASKED:
            asked = entry.at if asked is None else asked
        elif entry.kind in ("acknowledged", "attempt", "outcome") and asked is not None:
            yield entry, asked
            asked = None
