"""The casebook: derives the operators' metrics of cases from the cases' histories as they grow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.casework.cases import OVER, Case, Entry, frozen_cny
from streams import metrics


class Casebook:
    """Counts the steps of cases while the program runs, and the cases that are open now."""

    def __init__(self) -> None:
        self._last: dict[str, Case] = {}

    def begin(self, cases: Mapping[str, Case]) -> None:
        """Start from these cases; their earlier history is not counted."""
        self._last = dict(cases)
        metrics.OPEN_CASES.clear()
        for case in cases.values():
            if case.status not in OVER:
                metrics.OPEN_CASES.labels(case.severity).inc()

    def note(self, name: str, case: Case | None) -> None:
        """Count the new entries of a case; None means that the case was forgotten."""
        before = self._last.pop(name, None)
        if before is not None and before.status not in OVER:
            metrics.OPEN_CASES.labels(before.severity).dec()
        if case is None:
            return
        self._last[name] = case
        if case.status not in OVER:
            metrics.OPEN_CASES.labels(case.severity).inc()
        metrics.FROZEN.inc(max(0.0, frozen_cny(case) - (frozen_cny(before) if before is not None else 0.0)))
        reached = before is not None and any(entry.reached for entry in before.history)
        for entry in _new(before, case):
            metrics.CASE_STEPS.labels(entry.kind).inc()
            if entry.kind == "acknowledged":
                metrics.ACKNOWLEDGE_SECONDS.observe(max(0, entry.at - case.since) / 1000)
            elif entry.kind == "attempt" and entry.reached and not reached:
                reached = True
                metrics.REACH_SECONDS.observe(max(0, entry.at - case.opened) / 1000)
            elif entry.kind == "outcome" and entry.outcome is not None:
                metrics.OUTCOMES.labels(case.scam_type, entry.outcome).inc()
                metrics.LOSS.inc(entry.loss_cny or 0)


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
