"""Payment totals: how much of a loss was frozen, on how many cards at each level, and how soon after the payment."""

from __future__ import annotations

from msgspec import Struct

from models.base.durations import MINUTE
from models.casework.payments import StopPayment, fen


class LevelTotal(Struct, frozen=True, kw_only=True):
    """What was traced and saved at one level of the money trail."""

    level: int
    accounts: int
    """The number of accounts that were traced."""
    cards: int
    """The number of cards with frozen money."""
    received_cny: float
    frozen_cny: float


class Totals(Struct, frozen=True, kw_only=True):
    """The result of one stop-payment."""

    loss_cny: float
    frozen_cny: float
    share: float
    """The frozen share of the loss, 0 to 1."""
    cards: int
    """The number of cards with frozen money; a card that was empty when frozen does not count."""
    levels: tuple[LevelTotal, ...]
    """Every level that was traced, from the first."""
    first_frozen_min: float | None
    """Minutes from the payment to the first freeze; None if nothing was frozen or nothing had been paid."""
    last_frozen_min: float | None
    """Minutes from the payment to the last reported figure of frozen money; None in the same cases."""


def totals(payment: StopPayment) -> Totals:
    """The totals of a stop-payment in its current state; sums are exact in fen."""
    levels = []
    for level in range(1, max(stop.level for stop in payment.stops) + 1):
        stops = [stop for stop in payment.stops if stop.level == level]
        levels.append(
            LevelTotal(
                level=level,
                accounts=len(stops),
                cards=sum(stop.frozen_cny > 0 for stop in stops),
                received_cny=sum(fen(stop.received_cny) for stop in stops) / 100,
                frozen_cny=sum(fen(stop.frozen_cny) for stop in stops) / 100,
            )
        )
    loss, frozen = payment.request.amount_cny, sum(fen(stop.frozen_cny) for stop in payment.stops)
    holding = [stop for stop in payment.stops if stop.frozen_cny > 0]
    firsts = [stop.frozen_at for stop in holding if stop.frozen_at is not None]
    return Totals(
        loss_cny=loss,
        frozen_cny=frozen / 100,
        share=frozen / fen(loss),
        cards=len(holding),
        levels=tuple(levels),
        first_frozen_min=_minutes(payment, min(firsts, default=None)),
        last_frozen_min=_minutes(payment, max((stop.at for stop in holding), default=None)),
    )


def _minutes(payment: StopPayment, at: int | None) -> float | None:
    paid_at = payment.request.paid_at
    return None if at is None or paid_at is None else (at - paid_at) / MINUTE
