"""The chain: order, queue, call and visit, and the money that the victim keeps; one city under one policy at a time.

Whom officers reach, and when, is played. Whether that helps is a chance, and the expected money counts, so that the few
victims of a city do not add luck of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Final

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from bench.quality.savings.assumptions import Assumptions
from bench.quality.savings.played import Played, Sent
from models.base.durations import HOUR, MINUTE
from models.capacity.handling import Handled, by_station, handle
from models.city.acting import Truth
from models.policy.policy import DispatchRules


class Column(IntEnum):
    """What is counted, in each row of figures."""

    LOST = 0
    """Yuan that victims would pay without warnings."""
    SAVED = 1
    """Yuan of these that they keep."""
    HOURS = 2
    """Officer-hours."""
    ORDERS = 3
    WRONG = 4
    """Orders about people whom no gang drew in."""
    WRONG_HOURS = 5
    """The officer-hours of these."""
    LATE = 6
    """Orders that missed a deadline."""


REPLAYS: Final = 10
"""How often each queue is played, each time with other luck; the figures are means."""
RELATIVE_AFTER: Final = 10 * MINUTE
"""How long it takes until a relative has reached a person who did not answer."""

Figures = NDArray[np.float64]
"""One row for each gang, and for each person with orders whom no gang tried; a column for each `Column`."""


def names(played: Played) -> list[str]:
    """The rows of a city's figures: its gangs, and then ``+`` and the number of each other person with an order.

    They are the same under all policies, so that figures can be compared row by row.
    """
    gangs = {truth.subscriber: truth.gang for truth in played.truths}
    others = {sent.subscriber for some in played.orders.values() for sent in some} - gangs.keys()
    return sorted({truth.gang for truth in played.truths}) + sorted(f"+{other}" for other in others)


def is_gang(name: str) -> bool:
    """Whether a row is about a gang."""
    return not name.startswith("+")


def figures(
    played: Played, policy: str, assumptions: Assumptions, rules: DispatchRules, replays: int = REPLAYS
) -> Figures:
    """What a policy achieved in a city; a row for each of `names`."""
    places = {name: place for place, name in enumerate(names(played))}
    found = np.zeros((len(places), len(Column)))
    truths: dict[str, list[Truth]] = defaultdict(list)
    for truth in played.truths:
        truths[truth.subscriber].append(truth)
        if truth.paid_at is not None:
            found[places[truth.gang], Column.LOST] += truth.loss
    sent = [_delayed(each, int(assumptions.delay * MINUTE)) for each in played.orders[policy]]
    for seed in range(replays):
        by_person: dict[str, list[Handled]] = defaultdict(list)
        for handled, subscriber in _played(sent, assumptions, rules, seed):
            by_person[subscriber].append(handled)
        for subscriber, some in by_person.items():
            about = truths[subscriber]
            row = found[places[about[0].gang if about else f"+{subscriber}"]]
            hours, is_wrong = sum(each.officer_ms for each in some) / HOUR, not any(each.drew_in for each in about)
            row[[Column.HOURS, Column.ORDERS]] += np.array([hours, len(some)]) / replays
            row[[Column.WRONG, Column.WRONG_HOURS]] += np.array([len(some), hours]) * is_wrong / replays
            row[Column.LATE] += sum(bool(each.missed) for each in some) / replays
            for truth in about:
                found[places[truth.gang], Column.SAVED] += saved(truth, some, assumptions) / replays
    return found


def saved(truth: Truth, handled: Iterable[Handled], assumptions: Assumptions) -> float:
    """The yuan that a victim can be expected to keep because of the orders about them.

    Each way of reaching a person counts once: who did not believe the first call does not believe the second. After the
    payment the same contact leads to a stop-payment. A victim's payments count as one, made at the time of the first.
    """
    if truth.paid_at is None:
        return 0.0
    contacts: dict[str, tuple[int, float]] = {}
    for way, at, chance in _contacts(handled, assumptions, truth):
        if at >= truth.first_contact and (way not in contacts or at < contacts[way][0]):
            contacts[way] = at, chance
    left = 1.0
    for at, chance in contacts.values():
        left *= 1 - chance * (1.0 if at < truth.paid_at else assumptions.stopped(at - truth.paid_at))
    return truth.loss * (1 - left)


def _contacts(handled: Iterable[Handled], assumptions: Assumptions, truth: Truth) -> Iterator[tuple[str, int, float]]:
    """The times at which somebody may reach the person, how, and the chance that it happens and is believed."""
    for each in handled:
        if each.spoke is not None:
            yield "call", each.spoke, assumptions.heeds(_is_deep(truth, each.spoke))
        elif each.called is not None:
            at = each.called + each.needs.call + RELATIVE_AFTER
            yield "relative", at, assumptions.relative * assumptions.heeds(_is_deep(truth, at))
        if each.visited is not None:
            yield "visit", each.visited, assumptions.home * assumptions.heeds_visit


def _is_deep(truth: Truth, at: int) -> bool:
    return any(stage in ("deep", "harmed") and since <= at for stage, since in truth.stages.items())


def _delayed(sent: Sent, by: int) -> Sent:
    order = sent.order
    recalled = None if order.recalled is None else order.recalled + by
    return sent._replace(order=replace(order, raised=order.raised + by, recalled=recalled))


def _played(
    sent: Sequence[Sent], assumptions: Assumptions, rules: DispatchRules, seed: int
) -> Iterator[tuple[Handled, str]]:
    people = {each.order.id: each.subscriber for each in sent}
    for orders in by_station(each.order for each in sent).values():
        for handled in handle(orders, assumptions.roster(), assumptions.steps(), rules.deadlines, seed)[0]:
            yield handled, people[handled.order.id]
