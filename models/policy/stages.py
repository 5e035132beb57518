"""Stages: how far a victim has gone, from first contact to harm.

Stage and severity are separate axes: a stage says what the person has done, a severity what the police must do. Within
an episode a stage never goes back.
"""

from __future__ import annotations

from typing import Final, Literal

Stage = Literal["shallow", "medium", "deep", "harmed"]

STAGES: Final[tuple[Stage, ...]] = ("shallow", "medium", "deep", "harmed")
"""From first contact to harm."""


def further(one: Stage, other: Stage) -> Stage:
    """The further of two stages.

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
