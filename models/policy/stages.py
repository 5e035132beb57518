"""Stages: how far a victim has gone, from touched to harmed.

The axis beside severity: a stage says what the person has done, a severity what the police must do. Within an episode
a stage never goes back.
"""

from __future__ import annotations

from typing import Final, Literal

Stage = Literal["shallow", "medium", "deep", "harmed"]

STAGES: Final[tuple[Stage, ...]] = ("shallow", "medium", "deep", "harmed")
"""From touched to harmed."""


def further(one: Stage, other: Stage) -> Stage:
    """The stage of the two that is further on.

    >>> further("medium", "shallow")
    'medium'
    """
    return one if STAGES.index(one) >= STAGES.index(other) else other


def reaches(stage: Stage, least: Stage) -> bool:
    """Whether a stage is at least as far as another.

    >>> reaches("deep", "medium"), reaches("shallow", "medium")
    (True, False)
    """
    return STAGES.index(stage) >= STAGES.index(least)
