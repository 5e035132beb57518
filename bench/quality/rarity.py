"""Rarity: what a city with all its gangs says about a place with fewer of them.

Gangs do not know of each other, so alerts about their numbers and domains come and go with them, and count with the
share of gangs that there are. Alerts that rest on harmless numbers alone do not depend on gangs, and count fully. A
city that is itself as rare as in life would have to be twenty times as large for figures as sound. Recall does not
change: each victim is warned or not.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from bench.quality.verdict import Verdict
from models.comparison.intervals import Estimate

SHARES: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""The shares of the scripts' gangs on the curve; published rates lie between 0.01 and 0.14 (docs/city.md)."""
TRUE_RATE: Final = 0.05
"""The share at which quality is judged."""
_DRAWS: Final = 10_000


def precision(verdict: Verdict, gangs: float) -> Estimate:
    """The share of right alerts with this share of the gangs; all NaN if there were no alerts.

    The three counts (right, wrong about a gang, harmless) are taken as Poisson. The interval comes from draws of their
    rates (Jeffreys' prior), always the same ones. It takes alerts as independent; alerts about one number are not.
    """
    if not verdict.alerts:
        return Estimate(*[float("nan")] * 3)
    right, wrong = verdict.right_of_gangs, verdict.of_gangs - verdict.right_of_gangs
    harmless = verdict.alerts - verdict.of_gangs
    rng = np.random.default_rng(1)
    drawn = [rng.gamma(count + 0.5, size=_DRAWS) for count in (right, wrong, harmless)]
    shares = drawn[0] * gangs / ((drawn[0] + drawn[1]) * gangs + drawn[2])
    low, high = np.quantile(shares, [0.025, 0.975])
    return Estimate(right * gangs / (verdict.of_gangs * gangs + harmless), float(low), float(high))


def alerts_a_day(verdict: Verdict, gangs: float) -> float:
    """Alerts a day for 100,000 people with this share of the gangs."""
    expected = verdict.of_gangs * gangs + verdict.alerts - verdict.of_gangs
    return expected / verdict.person_days * 100_000
