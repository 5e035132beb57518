"""Orders and what they ask of officers: the minutes of each step, drawn from a seed and the order's id.

An order's minutes do not depend on the other orders or on who handles it. So two policies, or two rosters, can be
compared over the same luck.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from models.base.durations import MINUTE
from models.city.chance import drawn, random_of
from models.city.scripts import Spread
from models.policy.policy import Severity


class Order(Struct, frozen=True, kw_only=True):
    """An order as it reaches a station. Times are epoch milliseconds."""

    id: str
    station: str
    severity: Severity
    raised: int
    """When the station got it."""
    recalled: int | None = None
    """When it was called back, or replaced by a more severe one; what has not begun by then does not happen."""


class Steps(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long the steps of an order take, in minutes, and which of them it needs."""

    acknowledge: Spread
    """From the moment when an officer is free for the order until they have read it."""
    call: Spread
    """All that is done by phone: dialling again, talking, asking a relative to help."""
    travel: Spread
    """To the person's door, and the same time back."""
    visit: Spread
    """At the door."""
    answered: Annotated[float, Meta(ge=0, le=1)]
    """The share of people who can be reached by phone."""
    always_visited: frozenset[Severity] = frozenset({"urgent"})
    """The severities for which somebody drives off at once, beside the call; for others only if nobody answers."""


class Needs(Struct, frozen=True, kw_only=True):
    """What one order asks of officers, in milliseconds."""

    acknowledge: int
    call: int
    travel: int
    visit: int
    answered: bool
    """Whether the call reaches the person."""


def needs_of(order: Order, steps: Steps, seed: int) -> Needs:
    """What this order asks of officers; the same arguments always give the same answer."""
    rng = random_of(seed, "order", order.id)
    return Needs(
        answered=rng.random() < steps.answered,
        acknowledge=_ms(drawn(steps.acknowledge, rng)),
        call=_ms(drawn(steps.call, rng)),
        travel=_ms(drawn(steps.travel, rng)),
        visit=_ms(drawn(steps.visit, rng)),
    )


def _ms(minutes: float) -> int:
    return max(int(minutes * MINUTE), 1)
