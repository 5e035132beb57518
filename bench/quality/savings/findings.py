"""Findings: everything that the section says, from the cities that were played."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from bench.quality.rarity import TRUE_RATE
from bench.quality.savings.assumptions import Assumptions, Row, rows
from bench.quality.savings.chain import Column, Figures
from bench.quality.savings.played import IN_FORCE, Played
from bench.quality.savings.worth import (
    LATER,
    PEOPLE,
    Cities,
    Range,
    of_a_minute,
    of_a_point,
    of_known,
    per_hour,
    prevented,
    ratio,
)
from models.policy.policy import DispatchRules


class Balance(NamedTuple):
    """What one policy comes to; rates are for `PEOPLE` people and a day."""

    lost: float
    """Yuan that victims would pay without warnings."""
    prevented: Range
    hours: float
    """Officer-hours."""
    per_hour: Range
    orders: float
    wrong: float
    """The share of orders about people whom no gang drew in."""
    late: float
    """The share of orders that missed a deadline."""


class Effect(NamedTuple):
    """What an assumption changes: the loss prevented, and yuan per officer-hour, at its low and at its high value."""

    row: Row
    prevented: tuple[float, float]
    per_hour: tuple[float, float]


@dataclass(frozen=True)
class Findings:
    """The results of the chain."""

    victims: int
    mean_loss: float
    """Yuan."""
    balances: Mapping[str, tuple[Balance, Balance]]
    """By policy: with the gangs as played, and with `TRUE_RATE` of them."""
    minute: Range
    """The share of the loss that each minute of delay costs."""
    point: tuple[Range, Range]
    """The share of officer-hours that a point of precision frees, as played and with `TRUE_RATE` of the gangs."""
    hundred: Range
    """The share of the loss that a hundred more known numbers and domains prevent."""
    effects: Sequence[Effect]


def find(cities: Sequence[Played], by_share: Mapping[float, Played], rules: DispatchRules) -> Findings:
    """Play all chains. ``by_share``: cities that differ in the share of numbers and domains that becomes known."""
    all_of_them = Cities(cities, rules)
    figures = {policy: all_of_them.figures(policy) for policy in all_of_them.policies}
    now = figures[IN_FORCE]
    later = all_of_them.figures(assumptions=replace(Assumptions(), delay=Assumptions().delay + LATER))
    paid = [truth.loss for city in cities for truth in city.truths if truth.paid_at is not None]
    return Findings(
        victims=len(paid),
        mean_loss=sum(paid) / max(len(paid), 1),
        balances={
            policy: (_balance(all_of_them, some, 1.0), _balance(all_of_them, some, TRUE_RATE))
            for policy, some in figures.items()
        },
        minute=all_of_them.range([now, later], of_a_minute),
        point=(all_of_them.range([now], of_a_point), all_of_them.range([now], of_a_point, TRUE_RATE)),
        hundred=of_known(by_share, rules),
        effects=list(_effects(all_of_them)),
    )


def _balance(cities: Cities, figures: Figures, gangs: float) -> Balance:
    sums = cities.sums(figures, gangs)
    rate = PEOPLE / cities.person_days
    return Balance(
        lost=sums[Column.LOST] * rate,
        prevented=cities.range([figures], prevented, gangs),
        hours=sums[Column.HOURS] * rate,
        per_hour=cities.range([figures], per_hour, gangs),
        orders=sums[Column.ORDERS] * rate,
        wrong=float(ratio(sums[Column.WRONG], sums[Column.ORDERS])),
        late=float(ratio(sums[Column.LATE], sums[Column.ORDERS])),
    )


def _effects(cities: Cities) -> Iterator[Effect]:
    for row in rows():
        ends = [cities.figures(assumptions=replace(Assumptions(), **{row.name: end})) for end in (row.low, row.high)]
        low, high = (cities.sums(each) for each in ends)
        yield Effect(
            row, (float(prevented(low)), float(prevented(high))), (float(per_hour(low)), float(per_hour(high)))
        )
