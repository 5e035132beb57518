"""The casebook: derives the operators' metrics of cases from the cases' histories as they grow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Final, get_args

from models.casework.cases import OVER, Case, Deadline, Entry, Kind, Step, frozen_cny
from models.casework.tallies import NEVER
from models.policy.policy import SEVERITIES, Severity
from streams import metrics

MEETS: Final[frozenset[Kind | Step]] = frozenset({"acknowledged", "attempt", "outcome"})
"""The kinds of entries by which a unit meets a deadline; when an alert is withdrawn, a deadline only ends."""


class Casebook:
    """Counts the steps of cases while the program runs, and the cases that are open now."""

    def __init__(self) -> None:
        self._last: dict[str, Case] = {}
        self._unacknowledged: dict[str, Case] = {}
        """The orders that nobody has acknowledged, by the names of their cases."""
        self._shown: set[Severity] = set()
        """The severities of which it is exported since when an order waits."""

    def begin(self, cases: Mapping[str, Case]) -> None:
        """Start from these cases; their earlier history is not counted."""
        self._last = dict(cases)
        self._unacknowledged = {}
        metrics.OPEN_CASES.clear()
        metrics.CASES.clear()
        metrics.UNACKNOWLEDGED_SINCE.clear()
        for severity, deadline in product(SEVERITIES, get_args(Deadline)):  # a share needs both, also while one is 0
            metrics.DEADLINES_MET.labels(severity, deadline)
            metrics.DEADLINES_MISSED.labels(severity, deadline)
        for case in cases.values():
            self._count(case, 1)
        self.show()

    def note(self, name: str, case: Case | None) -> None:
        """Count the new entries of a case; None means that the case was forgotten."""
        before = self._last.pop(name, None)
        if before is not None:
            self._count(before, -1)
        if case is None:
            return
        self._last[name] = case
        self._count(case, 1)
        metrics.FROZEN.inc(max(0.0, frozen_cny(case) - (frozen_cny(before) if before is not None else 0.0)))
        reached = before is not None and any(entry.reached for entry in before.history)
        entries = [*_new(before, case)]
        _count_deadlines(before, case, entries)
        for entry in entries:
            metrics.CASE_STEPS.labels(entry.kind).inc()
            if entry.kind == "acknowledged":
                metrics.ACKNOWLEDGE_SECONDS.observe(max(0, entry.at - case.since) / 1000)
            elif entry.kind == "attempt" and entry.reached and not reached:
                reached = True
                metrics.REACH_SECONDS.observe(max(0, entry.at - case.opened) / 1000)
            elif entry.kind == "outcome" and entry.outcome is not None and not _is_passed_up(entry, case):
                metrics.OUTCOMES.labels(case.scam_type, entry.outcome).inc()
                metrics.LOSS.inc(entry.loss_cny or 0)

    def show(self) -> None:
        """Export since when the oldest unacknowledged orders wait; call it once after some cases were noted."""
        oldest: dict[Severity, int] = {}
        for case in self._unacknowledged.values():
            oldest[case.severity] = min(oldest.get(case.severity, case.since), case.since)
        for severity, since in oldest.items():
            metrics.UNACKNOWLEDGED_SINCE.labels(severity).set(since / 1000)
        for severity in self._shown - oldest.keys():
            metrics.UNACKNOWLEDGED_SINCE.remove(severity)
        self._shown = {*oldest}

    def _count(self, case: Case, number: int) -> None:
        """Add a case to those that are open now (1), or take it out (-1)."""
        if case.status in OVER:
            return
        metrics.OPEN_CASES.labels(case.severity).inc(number)
        metrics.CASES.labels(case.status, case.tier).inc(number)
        if case.status == "open" and number > 0:
            self._unacknowledged[case.case] = case
        else:
            self._unacknowledged.pop(case.case, None)


def _count_deadlines(before: Case | None, case: Case, entries: Sequence[Entry]) -> None:
    """Count the deadlines that ended with these new entries of a case."""
    missed = [entry.deadline for entry in entries if entry.kind in ("escalated", "overdue") and entry.deadline]
    for deadline in missed:
        metrics.DEADLINES_MISSED.labels(case.severity, deadline).inc()
    if before is None or not any(entry.kind in MEETS for entry in entries):
        return
    after = _running(case)
    for deadline, by in _running(before).items():
        # A call in vain meets its deadline, and the next call has another one.
        if deadline not in missed and after.get(deadline, NEVER) > by:
            metrics.DEADLINES_MET.labels(before.severity, deadline).inc()


def _is_passed_up(entry: Entry, case: Case) -> bool:
    """Whether a unit gave up and the unit above tries instead, so that the case has no outcome yet."""
    return entry.outcome == "unreachable" and case.outcome != "unreachable"


def _running(case: Case) -> dict[Deadline, int]:
    times: dict[Deadline, int | None] = {
        "acknowledge": case.acknowledge_by,
        "call": case.call_by,
        "visit": case.visit_by,
    }
    return {deadline: by for deadline, by in times.items() if by is not None}


def _new(before: Case | None, case: Case) -> Iterator[Entry]:
    """The entries that a case did not have before, in order."""
    if before is None:
        yield from case.history
        return
    last, newer = before.history[-1], []
    for entry in reversed(case.history):
        if entry == last:
            break
        newer.append(entry)
    yield from reversed(newer)
