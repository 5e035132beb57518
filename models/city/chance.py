"""Chance: random draws that depend only on a seed and names, and the clock of the city's days."""

from __future__ import annotations

import math
from random import Random
from typing import Final

import numpy as np

from models.base.durations import DAY, HOUR
from models.city.scripts import Spread

BEGIN: Final = 1_773_590_400_000
"""The city's first midnight: Monday 2026-03-16 in Shanghai, in epoch milliseconds."""


def random_of(seed: int, *names: object) -> Random:
    """Python's random generator for a seed and names; the same arguments give the same draws."""
    return Random(":".join(map(str, (seed, *names))))  # noqa: S311 - to be made again, not to be secret


def numpy_of(seed: int, *names: object) -> np.random.Generator:
    """NumPy's random generator for a seed and names; the same arguments give the same draws."""
    return np.random.Generator(np.random.PCG64(random_of(seed, *names).getrandbits(128)))


def drawn(spread: Spread, rng: Random) -> float:
    """One random value of a spread."""
    return spread.median * math.exp(rng.gauss(0.0, 1.0) * math.log(spread.factor))


def within(at: int, hours: tuple[int, int], rng: Random) -> int:
    """The time itself if it lies between these hours of the day, else a random time soon after they next begin.

    The random time lies within the first hour of that period, or within the whole period if it is shorter.
    """
    day, into = divmod(at - BEGIN, DAY)
    if hours[0] * HOUR <= into < hours[1] * HOUR:
        return at
    day += into >= hours[1] * HOUR
    width = min(HOUR, (hours[1] - hours[0]) * HOUR)
    return BEGIN + int(day) * DAY + hours[0] * HOUR + int(rng.random() * width)
