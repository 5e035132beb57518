"""Tallies: which deadlines of a case were missed and are still to be met, and what became of the cases of a unit.

All of it is read from the histories of cases, so whoever has the topic ``dispatch`` counts the same: first an account
of each case, which holds until something becomes of it, and then, as often as somebody looks, the figures of the units.
Times are epoch milliseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from models.casework.cases import OVER, Case, Deadline, Entry, Kind, Outcome, Step
from models.casework.routing import Stations

_ANEW: Final[frozenset[Kind | Step]] = frozenset({"opened", "reopened", "woken"})
"""From here on nothing has been missed yet."""
_ASKED: Final[frozenset[Kind | Step]] = frozenset({"opened", "raised", "reopened", "woken"})
"""From here on somebody is asked to acknowledge."""


NEVER: Final = 1 << 62


class Deed(NamedTuple):
    """One thing that a unit did, or that was said of it, and when."""

    at: int
    kind: Literal["acknowledged", "reached", "escalated"]
    unit: str
    after: int = 0
    """Milliseconds that it took the unit."""


class CaseCounts(NamedTuple):
    """What of a case is counted, whenever that is; the same as long as nothing becomes of it."""

    case: Case
    is_open: bool
    late_from: int
    """When a deadline was or will be missed that is still to be met; 0: it was, whenever."""
    ended: int | None
    """When it got its outcome."""
    deeds: tuple[Deed, ...]


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
    if _is_at_rest(case):
        return ()
    # The dispatcher may be away: what its clock would have said by now holds without its word.
    return tuple(dict.fromkeys((*_noted(case), *(name for name, at in _running(case) if at <= now))))


def _late_from(case: Case) -> int:
    """From when on `missed` gives something; 0: always."""
    if _is_at_rest(case):
        return NEVER
    return 0 if _noted(case) else min((at for _, at in _running(case)), default=NEVER)


def _is_at_rest(case: Case) -> bool:
    return case.status in OVER or case.status == "snoozed"


def _noted(case: Case) -> tuple[Deadline, ...]:
    """The deadlines that the dispatcher has noted as missed, and whose thing nobody has done yet."""
    found: dict[Deadline, None] = {}
    for entry in case.history:
        if entry.kind in _ANEW:
            found.clear()
        elif entry.kind in ("escalated", "overdue") and entry.deadline is not None:
            found[entry.deadline] = None
        for met in _met(entry):
            found.pop(met, None)
    return tuple(found)


def _running(case: Case) -> list[tuple[Deadline, int]]:
    """The deadlines that run."""
    all_of_them: tuple[tuple[Deadline, int | None], ...] = (
        ("acknowledge", case.acknowledge_by),
        ("call", case.call_by),
        ("visit", case.visit_by),
    )
    return [(name, at) for name, at in all_of_them if at is not None]


def account(case: Case) -> CaseCounts:
    """What of a case is counted."""
    deeds = [Deed(entry.at, "acknowledged", entry.unit, max(0, entry.at - asked)) for entry, asked in _answers(case)]
    deeds += [Deed(entry.at, "escalated", entry.unit) for entry in case.history if entry.kind == "escalated"]
    first = next((entry for entry in case.history if entry.reached), None)
    if first is not None:
        deeds.append(Deed(first.at, "reached", first.unit, max(0, first.at - case.opened)))
    return CaseCounts(case, case.status not in OVER, _late_from(case), ended_at(case), tuple(deeds))


def tallies(accounts: Iterable[CaseCounts], now: int, since: int) -> dict[str, Tally]:
    """What each unit has that has anything: open cases as they are, the rest as far as it happened after ``since``."""
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
