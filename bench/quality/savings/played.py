"""Played: what a city has left for the savings: the orders under each policy, and the truth about the people tried."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from msgspec.structs import replace

from bench.quality.savings.assumptions import PEOPLE_OF_A_STATION
from models.capacity.orders import Order
from models.city.acting import Truth
from models.city.city import City
from models.city.population import STATIONS
from models.policy.policy import SEVERITIES, Policy, Severity
from streams.simulation.operation import Issued

IN_FORCE: Final = "in force"
"""The name of the policy that comes with Forewarn; the others are named by the risk from which they send officers."""


class Sent(NamedTuple):
    """An order, and the person whom it is about."""

    order: Order
    subscriber: str


@dataclass(frozen=True)
class Played:
    """One city after it was played."""

    name: str
    """Tells the gangs of two cities apart."""
    people: int
    days: int
    known: int
    """The number of indicators that became known."""
    truths: Sequence[Truth]
    """The truth about everybody whom a gang tried and who paid or had an order."""
    orders: Mapping[str, Sequence[Sent]]
    """By policy."""

    @property
    def person_days(self) -> int:
        """People times days."""
        return self.people * self.days


@dataclass
class _Open:
    """An episode's order that stands, and its alerts that stand."""

    order: Order | None = None
    alerts: set[str] = field(default_factory=set)


def orders_of(
    issued: Iterable[Issued], severities: Collection[Severity], homes: Mapping[str, str], people: int
) -> list[Sent]:
    """The orders that follow from alerts of these severities, in the order in which they were raised.

    A more severe alert of the same episode takes the place of its order. An order is called back when the last alert of
    its episode is withdrawn. ``homes``: each person's home station; stations of the city that are too small for a
    station in life share one queue.
    """
    found: list[Sent] = []
    places: dict[str, int] = {}
    episodes: dict[str, _Open] = {}
    areas = max(people // PEOPLE_OF_A_STATION, 1)

    def recall(standing: _Open, at: int) -> None:
        if standing.order is not None:
            place = places[standing.order.id]
            found[place] = found[place]._replace(order=replace(standing.order, recalled=at))
            standing.order = None

    for alert, at in sorted(issued, key=lambda each: each.at):
        standing = episodes.setdefault(alert.episode, _Open())
        if alert.status == "withdrawn":
            standing.alerts.discard(alert.id)
            if not standing.alerts:
                recall(standing, at)
        elif alert.severity in severities and alert.id not in standing.alerts:
            standing.alerts.add(alert.id)
            if standing.order is None or _rank(standing.order.severity) < _rank(alert.severity):
                recall(standing, at)
                station = f"station-{STATIONS.index(homes[alert.subscriber]) * areas // len(STATIONS)}"
                order = Order(id=f"{alert.id}-{at}", station=station, severity=alert.severity, raised=at)
                standing.order = order
                places[order.id] = len(found)
                found.append(Sent(order, alert.subscriber))
    return found


def played(city: City, seed: int, policy: Policy, issued: Mapping[str, Sequence[Issued]]) -> Played:
    """What a city has left after it was played; ``issued``: all alerts, by the name of the policy."""
    homes = {resident.subscriber: resident.station for resident in city.residents()}
    asked = policy.dispatch.deadlines
    orders = {name: orders_of(some, asked, homes, len(city)) for name, some in issued.items()}
    ordered = {sent.subscriber for some in orders.values() for sent in some}
    truths = [truth for truth in city.truths if truth.paid_at is not None or truth.subscriber in ordered]
    return Played(f"seed {seed}", len(city), city.days, len(city.indicators()), truths, orders)


def _rank(severity: Severity) -> int:
    return SEVERITIES.index(severity)
