"""Figures: how the units of a city do with their cases today, counted from the histories of cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from models.cases import OVER, Case, Entry, Kind, Outcome, Step
from models.deadlines import MINUTE

_COMES: frozenset[Kind | Step] = frozenset(
    {"opened", "escalated", "returned", "transferred", "raised", "reopened", "woken"}
)
"""After these a case is to be acknowledged, by whoever has it then."""
_HANDLED: frozenset[Kind | Step] = frozenset({"acknowledged", "attempt", "snoozed", "outcome", *_COMES})
"""After these an older missed deadline counts no more."""


class Figures(Struct, frozen=True, kw_only=True):
    """One unit's; of the day unless it says otherwise."""

    open: int
    """Cases that it has now and that are not over."""
    overdue: int
    """Of those, with a deadline that has passed."""
    escalated: int
    """Times that a case went up from it because it had missed a deadline."""
    acknowledge_minutes: float | None
    """Median from when a case came to it to its acknowledgement; None without any."""
    reach_minutes: float | None
    """Median from when a case was opened to the first time that the person was reached; None without any."""
    outcomes: dict[Outcome, int]
    """How cases ended; of a case that was corrected, the last word."""


class _Tally:
    """What is counted of one unit."""

    def __init__(self) -> None:
        self.open = self.overdue = self.escalated = 0
        self.acknowledged: list[float] = []
        self.reached: list[float] = []
        self.outcomes: Counter[Outcome] = Counter()

    def figures(self) -> Figures:
        """The figures of it all."""
        return Figures(
            open=self.open,
            overdue=self.overdue,
            escalated=self.escalated,
            acknowledge_minutes=_median(self.acknowledged),
            reach_minutes=_median(self.reached),
            outcomes=dict(sorted(self.outcomes.items())),
        )


def figures(cases: Iterable[Case], units: Iterable[str], since: int, now: int) -> dict[str, Figures]:
    """The figures of units, and of others that have a case; ``since``: when the day began (epoch ms)."""
    tallies = {unit: _Tally() for unit in units}

    def of(unit: str) -> _Tally:
        return tallies.setdefault(unit, _Tally())

    for case in cases:
        if case.status not in OVER:
            of(case.unit).open += 1
            of(case.unit).overdue += is_overdue(case, now)
        if case.at >= since:
            _count_history(case, since, of)
    return {unit: tally.figures() for unit, tally in sorted(tallies.items())}


def is_overdue(case: Case, now: int) -> bool:
    """Whether a deadline has passed that nobody has met, or that nobody above is left to be told of."""
    if case.status in OVER:
        return False
    running = (case.acknowledge_by, case.call_by, case.visit_by)
    if any(deadline is not None and deadline <= now for deadline in running):
        return True
    last = next(
        (entry.kind for entry in reversed(case.history) if entry.kind in _HANDLED or entry.kind == "overdue"), ""
    )
    return last == "overdue"


def _count_history(case: Case, since: int, of: Callable[[str], _Tally]) -> None:
    came, reached, ended = case.opened, False, None
    for entry in case.history:
        if entry.kind == "acknowledged" and entry.at >= since:
            of(entry.unit).acknowledged.append(_minutes(came, entry))
        elif entry.kind == "attempt" and entry.reached and not reached:
            reached = True
            if entry.at >= since:
                of(entry.unit).reached.append(_minutes(case.opened, entry))
        elif entry.kind == "escalated" and entry.at >= since:
            of(entry.unit).escalated += 1
        elif entry.kind == "outcome":
            ended = entry
        if entry.kind in _COMES:
            came = entry.at
    if ended is not None and ended.at >= since and ended.outcome is not None:
        of(ended.unit).outcomes[ended.outcome] += 1


def _minutes(since: int, entry: Entry) -> float:
    return max(0, entry.at - since) / MINUTE


def _median(values: Sequence[float]) -> float | None:
    """The middle one, or the mean of the two in the middle, to a tenth.

    >>> _median([3, 1, 2]), _median([1, 2]), _median([])
    (2.0, 1.5, None)
    """
    if not values:
        return None
    ordered, half = sorted(values), len(values) // 2
    return round((ordered[half] + ordered[-half - 1]) / 2, 1)
