"""Labels: whether a moment of an episode is fraud, by a simulated city's truth or by officers' findings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from models.base.durations import DAY, MINUTE
from models.city.acting import Truth

BEFORE: Final = 10 * MINUTE
"""Events this shortly before a gang's first contact belong to the fraud, such as a verification code."""

OUTCOMES: Final[dict[str, bool]] = {
    "dissuaded": True,
    "refused": True,
    "already-harmed": True,
    "already-aware": False,
    "false-positive": False,
}
"""Outcomes that say whether the person was being defrauded.

A person who had already seen through the scam was not: no officer was needed. The other outcomes say nothing: officers
met nobody (`unreachable`) or somebody else (`wrong-person`), or the case was a duplicate.
"""


def until(truth: Truth) -> int:
    """When a fraud is over for good: one day after its last event."""
    return max([truth.first_contact, truth.paid_at or 0, *truth.stages.values()]) + DAY


def is_defrauded(truths: Iterable[Truth], at: int) -> bool:
    """Whether the person was at this moment in the course of a fraud that draws, or will draw, them in."""
    return any(truth.first_contact - BEFORE <= at <= until(truth) for truth in truths if truth.drew_in)


class Verdict(NamedTuple):
    """How a run's orders compare with officers' findings, in numbers of episodes."""

    right: int
    """Officers were sent, and the person was being defrauded."""
    wrong: int
    """Officers were sent, and the person was not being defrauded."""
    missed: int
    """The person was being defrauded, and no officer would have been sent."""


def verdict(sent: Collection[str], outcomes: Mapping[str, str]) -> Verdict:
    """Compare the episodes with an alert for officers with the outcomes of cases, which are named after episodes.

    >>> verdict({"a", "b"}, {"a": "dissuaded", "b": "false-positive", "c": "already-harmed", "d": "unreachable"})
    Verdict(right=1, wrong=1, missed=1)
    """
    told = {episode: OUTCOMES[outcome] for episode, outcome in outcomes.items() if outcome in OUTCOMES}
    return Verdict(
        right=sum(true and episode in sent for episode, true in told.items()),
        wrong=sum(not true and episode in sent for episode, true in told.items()),
        missed=sum(true and episode not in sent for episode, true in told.items()),
    )
