"""Labels: what is true of a moment of an episode, by a simulated city's truth or by what officers found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from models.base.durations import DAY, MINUTE
from models.city.acting import Truth

BEFORE: Final = 10 * MINUTE
"""What happens so shortly before a gang's first contact belongs to it: a code, say."""

OUTCOMES: Final[dict[str, bool]] = {
    "dissuaded": True,
    "refused": True,
    "already-harmed": True,
    "already-aware": False,
    "false-positive": False,
}
"""Outcomes that say whether somebody was being defrauded. Who had seen through it was not: nobody need have gone. The
others say nothing: nobody was met (`unreachable`), or somebody else (`wrong-person`), or it was told twice."""


def until(truth: Truth) -> int:
    """When a fraud is over for good: a day after the last that happened in it."""
    return max([truth.first_contact, truth.paid_at or 0, *truth.stages.values()]) + DAY


def is_defrauded(truths: Iterable[Truth], at: int) -> bool:
    """Whether the person was at this moment in the course of a fraud that draws, or will draw, him or her in."""
    return any(truth.first_contact - BEFORE <= at <= until(truth) for truth in truths if truth.drew_in)


class Verdict(NamedTuple):
    """What officers found of the episodes that a run has, or has not, sent them to."""

    right: int
    """Sent, and somebody was being defrauded."""
    wrong: int
    """Sent, and nobody was."""
    missed: int
    """Somebody was being defrauded, and nobody would have been sent."""


def verdict(sent: Collection[str], outcomes: Mapping[str, str]) -> Verdict:
    """Hold the episodes with an alert for officers against the outcomes of cases, which bear episodes' names.

    >>> verdict({"a", "b"}, {"a": "dissuaded", "b": "false-positive", "c": "already-harmed", "d": "unreachable"})
    Verdict(right=1, wrong=1, missed=1)
    """
    told = {episode: OUTCOMES[outcome] for episode, outcome in outcomes.items() if outcome in OUTCOMES}
    return Verdict(
        right=sum(true and episode in sent for episode, true in told.items()),
        wrong=sum(not true and episode in sent for episode, true in told.items()),
        missed=sum(true and episode not in sent for episode, true in told.items()),
    )
