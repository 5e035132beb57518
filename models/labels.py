"""Labels: what is true of a moment of an episode, by a simulated city's truth or by what officers found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from models.city.acting import Truth
from models.city.chance import DAY, MINUTE

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
