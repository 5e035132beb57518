"""Worth: what the figures of all cities come to, and how sure that is: shares, rates, and bootstrap intervals.

Gangs are drawn again and again with their victims and orders (and other people with theirs), since victims of one gang
are much alike. So an interval says how much the result depends on which gangs happened to be at work; it says nothing
about the assumptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.quality.savings.assumptions import Assumptions
from bench.quality.savings.chain import Column, Figures, figures, is_gang, names
from bench.quality.savings.played import IN_FORCE, Played
from models.policy.policy import DispatchRules

DRAWS: Final = 1000
LATER: Final = 10.0
"""The minutes by which all orders are delayed to see what a minute is worth; one alone changes too little."""
PEOPLE: Final = 100_000
"""Rates are for a city of this many people."""


class Range(NamedTuple):
    """A figure with the interval in which 95 of 100 draws lie."""

    value: float
    low: float
    high: float


class Cities:
    """The cities under all policies, with the draws that all figures share."""

    def __init__(self, cities: Sequence[Played], rules: DispatchRules) -> None:
        self._cities, self._rules = cities, rules
        self.policies: Final = list(cities[0].orders)
        self.person_days: Final = sum(city.person_days for city in cities)
        rows = [name for city in cities for name in names(city)]
        self._is_gang = np.array([is_gang(name) for name in rows])
        rng = np.random.default_rng(0)
        self._draws = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=DRAWS).astype(np.float64)

    def figures(self, policy: str = IN_FORCE, assumptions: Assumptions | None = None) -> Figures:
        """The figures of all cities under a policy."""
        asked = assumptions or Assumptions()
        return np.concatenate([figures(city, policy, asked, self._rules) for city in self._cities])

    def sums(self, figures: Figures, gangs: float = 1.0) -> Figures:
        """One figure for each column. ``gangs``: the weight of gangs' victims and of orders about people they tried."""
        return np.asarray(self._weights(gangs) @ figures)

    def range(self, some: Sequence[Figures], of: Callable[..., Figures], gangs: float = 1.0) -> Range:
        """A figure and its interval. ``of`` gets the sums of each of the figures; ``gangs`` as in `sums`."""
        drawn = self._draws * self._weights(gangs)
        return _range(of(*(self.sums(each, gangs) for each in some)), of(*(drawn @ each for each in some)))

    def _weights(self, gangs: float) -> NDArray[np.float64]:
        return np.where(self._is_gang, gangs, 1.0)


def prevented(sums: Figures) -> Figures:
    """The share of the loss that is prevented."""
    return ratio(sums[..., Column.SAVED], sums[..., Column.LOST])


def per_hour(sums: Figures) -> Figures:
    """Yuan that victims keep for each hour of an officer."""
    return ratio(sums[..., Column.SAVED], sums[..., Column.HOURS])


def of_a_minute(sums: Figures, later: Figures) -> Figures:
    """The share of the loss that each minute of delay costs."""
    return ratio(sums[..., Column.SAVED] - later[..., Column.SAVED], sums[..., Column.LOST] * LATER)


def of_a_point(sums: Figures) -> Figures:
    """The share of officer-hours that one point of precision frees, if only wrong orders become fewer."""
    orders, wrong = sums[..., Column.ORDERS], sums[..., Column.WRONG]
    right = orders - wrong
    fewer = np.minimum(orders - ratio(right, np.minimum(ratio(right, orders) + 0.01, 1.0)), wrong)
    return ratio(fewer * sums[..., Column.WRONG_HOURS], wrong * sums[..., Column.HOURS])


def of_known(by_share: Mapping[float, Played], rules: DispatchRules) -> Range:
    """The share of the loss that a hundred more known numbers and domains prevent in a city of `PEOPLE` people.

    A straight line through the cities that differ in the share that becomes known, each drawn on its own.
    """
    cities = [city for _, city in sorted(by_share.items())]
    counts = np.array([city.known / city.people * PEOPLE / 100 for city in cities])
    across = ratio(counts - counts.mean(), ((counts - counts.mean()) ** 2).sum())
    rng = np.random.default_rng(0)
    shares: list[Figures] = []
    drawn: list[Figures] = []
    for city in cities:
        found = figures(city, IN_FORCE, Assumptions(), rules)
        draws = rng.multinomial(len(found), np.full(len(found), 1 / len(found)), size=DRAWS)
        shares.append(prevented(found.sum(axis=0)))
        drawn.append(prevented(draws @ found))
    return _range(across @ np.array(shares), across @ np.array(drawn))


def ratio(some: Any, of: Any) -> Figures:
    """The quotient, element by element; NaN where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.true_divide(some, of))


def _range(value: Figures, drawn: Figures) -> Range:
    """A figure and its interval; draws in which it means nothing do not count."""
    some = drawn[np.isfinite(drawn)]
    low, high = np.percentile(some, [2.5, 97.5]) if len(some) else (np.nan, np.nan)
    return Range(float(value), float(low), float(high))
