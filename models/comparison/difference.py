"""Difference: for which episodes two settings would have sent officers, and how much earlier or later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from msgspec import Struct

from models.detection.alerts import Alert
from models.policy.policy import FOR_OFFICERS, SEVERITIES, Severity
from models.policy.stages import Stage

Kind = Literal["added", "dropped", "earlier", "later", "stronger", "weaker"]
"""How the other setting differs about an episode: it sends officers where this one does not, or does not where this one
does; earlier or later; or at the same time, with a greater or lesser severity in the end."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(slots=True)
class Order:
    """What one setting would have done about an episode for which it sends officers."""

    first: Alert
    """The first alert for officers."""
    strongest: Alert
    """The first alert of the greatest severity that it came to."""
    standing: set[Severity] = field(default_factory=set)
    """The severities for officers that are raised and not withdrawn."""

    @property
    def is_withdrawn(self) -> bool:
        """Whether nothing was left of it in the end."""
        return not self.standing


class Orders(dict[str, Order]):
    """The orders of one setting, by episode; ``hear`` takes its alerts in the order of their publication."""

    def hear(self, alert: Alert) -> None:
        """Take in one alert."""
        if alert.severity not in FOR_OFFICERS:
            return
        order = self.get(alert.episode)
        if alert.status == "withdrawn":
            if order is not None:
                order.standing.discard(alert.severity)
            return
        if order is None:
            order = self[alert.episode] = Order(alert, alert)
        elif SEVERITIES.index(alert.severity) > SEVERITIES.index(order.strongest.severity):
            order.strongest = alert
        order.standing.add(alert.severity)


class Side(Struct, frozen=True, kw_only=True):
    """One setting's side of a difference."""

    at: int
    """When officers would have been sent (event time, epoch ms)."""
    severity: Severity
    """That of the first alert, as are stage, risk and reasons."""
    strongest: Severity
    """The greatest severity that it came to."""
    stage: Stage
    risk: float
    reasons: tuple[str, ...]
    """In order of weight, by code (``docs/signals.md``)."""
    withdrawn: bool
    """Whether the order was withdrawn in the end."""


class Change(Struct, frozen=True, kw_only=True):
    """An episode about which two settings differ, with what each of them would have done; None is nothing."""

    against: str
    """The other setting's name."""
    change: Kind
    episode: str
    subscriber: str
    scam_type: str
    minutes: float | None
    """How much later the other setting sends officers; below 0 it is earlier; None if only one sends them."""
    here: Side | None
    other: Side | None


class Counts(Struct, frozen=True):
    """How many orders a setting gives."""

    orders: int
    """Episodes for which officers are sent."""
    urgent: int
    """Those that became urgent."""
    withdrawn: int
    """Those of which nothing was left in the end."""
    busiest_day: int
    """The most orders that begin on one day."""


def counts(orders: Orders, day_of: Callable[[int], Hashable]) -> Counts:
    """Count orders; ``day_of`` gives the day of an event time (epoch ms)."""
    days = Counter(day_of(each.first.at) for each in orders.values())
    return Counts(
        len(orders),
        sum(each.strongest.severity == "urgent" for each in orders.values()),
        sum(each.is_withdrawn for each in orders.values()),
        max(days.values(), default=0),
    )


def changes(here: Orders, other: Orders, name: str) -> Iterator[Change]:
    """The episodes about which the setting with this name differs, in the order in which either first sends officers.

    Nothing comes out when both send the same officers at the same times, with the same severity in the end.
    """

    def begin(episode: str) -> tuple[int, str]:
        return min(orders[episode].first.at for orders in (here, other) if episode in orders), episode

    for episode in sorted(here.keys() | other.keys(), key=begin):
        ours, theirs = here.get(episode), other.get(episode)
        kind = _kind(ours, theirs)
        some = theirs or ours
        if kind is not None and some is not None:
            yield Change(
                against=name,
                change=kind,
                episode=episode,
                subscriber=some.first.subscriber,
                scam_type=some.first.scam_type,
                minutes=None if ours is None or theirs is None else (theirs.first.at - ours.first.at) / 60_000,
                here=_side(ours),
                other=_side(theirs),
            )


def _kind(here: Order | None, other: Order | None) -> Kind | None:
    if here is None:
        return "added"
    if other is None:
        return "dropped"
    if here.first.at != other.first.at:
        return "earlier" if other.first.at < here.first.at else "later"
    before, after = (SEVERITIES.index(each.strongest.severity) for each in (here, other))
    if before == after:
        return None
    return "stronger" if after > before else "weaker"


def _side(order: Order | None) -> Side | None:
    if order is None:
        return None
    return Side(
        at=order.first.at,
        severity=order.first.severity,
        strongest=order.strongest.severity,
        stage=order.first.stage,
        risk=order.first.risk,
        reasons=tuple(reason.code for reason in order.first.reasons),
        withdrawn=order.is_withdrawn,
    )
