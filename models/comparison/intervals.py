"""Intervals: a share that was counted, and how far chance may have moved it."""

from __future__ import annotations

from math import sqrt
from typing import Final, NamedTuple

_Z: Final = 1.959964
"""Standard deviations on each side of the mean within which 95 of 100 normal values lie."""


class Estimate(NamedTuple):
    """A share with the interval in which 95 of 100 such measurements would have put it."""

    share: float
    low: float
    high: float


def wilson(some: int, of: int) -> Estimate:
    """The share of some of them, with Wilson's interval (Wilson 1927); all NaN if there were none.

    >>> [round(each, 2) for each in wilson(12, 15)]
    [0.8, 0.55, 0.93]
    """
    if not of:
        return Estimate(*[float("nan")] * 3)
    share = some / of
    middle = share + _Z**2 / (2 * of)
    apart = _Z * sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    return Estimate(share, (middle - apart) / (1 + _Z**2 / of), (middle + apart) / (1 + _Z**2 / of))
