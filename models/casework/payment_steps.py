"""Payment steps: what can happen to a stop-payment, and its state after each step.

:func:`opened` creates a stop-payment from a request, and :func:`after` moves it one step forward. A step that only
reports a figure may be repeated. Any other step is refused the second time, because the reader of the records has
already recognised repeats by their ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from models.casework.payments import Account, PaymentError, Request, Status, Stop, StopPayment, check_time, way_to

NEXT: Final[Mapping[Status, tuple[Status, ...]]] = MappingProxyType(
    {
        "requested": ("accepted", "frozen", "failed"),
        "accepted": ("frozen", "failed"),
        "frozen": ("frozen",),
        "failed": ("requested",),
    }
)
"""The possible next states of one account's stop. A later figure of frozen money replaces an earlier one."""


class Traced(Struct, frozen=True, kw_only=True, tag_field="kind", tag="traced"):
    """Money went on to another account, which must be stopped as well; a repeat corrects its figures."""

    account: Account
    parent: str
    level: int
    bank: str
    received_cny: float
    at: int


class Accepted(Struct, frozen=True, kw_only=True, tag_field="kind", tag="accepted"):
    """The bank has accepted the request for the account with this key."""

    account: str
    at: int


class Frozen(Struct, frozen=True, kw_only=True, tag_field="kind", tag="frozen"):
    """The bank has frozen the account with this key and ``frozen_cny`` of the payment on it; 0 if it was empty."""

    account: str
    frozen_cny: float
    at: int


class Failed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="failed"):
    """The account with this key was not stopped."""

    account: str
    reason: str
    at: int


class AskedAgain(Struct, frozen=True, kw_only=True, tag_field="kind", tag="requested"):
    """A failed stop is requested again."""

    account: str
    at: int


Step = Traced | Accepted | Frozen | Failed | AskedAgain
"""The steps that a stop-payment can take; a record's ``kind`` says which step it is."""


def opened(request: Request) -> StopPayment:
    """The stop-payment that a request starts: one stop, the payee's, at the first level."""
    payee = Stop(
        account=request.payee,
        level=1,
        parent=None,
        bank=request.bank,
        received_cny=request.amount_cny,
        at=request.at,
        requested_at=request.at,
    )
    return StopPayment(request=request, stops=(payee,))


def after(payment: StopPayment, step: Step) -> StopPayment:
    """The stop-payment after one step; raises :class:`PaymentError`, naming what is possible, for an impossible step.

    Once an account has been traced, its steps may come in any order relative to those of other accounts.
    """
    check_time(step.at)
    paid_at = payment.request.paid_at
    if paid_at is not None and step.at < paid_at:
        raise PaymentError("This is earlier than the payment; correct the time, or paid_at in a new request.")
    if isinstance(step, Traced):
        return _traced(payment, step)
    stop = payment.stop(step.account)
    at = max(step.at, stop.at)
    match step:
        case Accepted():
            status: Status = "accepted"
            changes: dict[str, Any] = {}
        case Frozen():
            status = "frozen"
            first = at if stop.frozen_at is None else stop.frozen_at
            changes = {"frozen_cny": step.frozen_cny, "frozen_at": first}
        case Failed():
            status = "failed"
            changes = {"reason": step.reason}
        case AskedAgain():
            status = "requested"
            changes = {"reason": None, "requested_at": at}
    if status not in NEXT[stop.status]:
        raise PaymentError(
            f"{stop.account.masked} is {stop.status} and cannot become {status}; "
            f"from {stop.status} it can become {' or '.join(NEXT[stop.status])}."
        )
    return _with(payment, stop, replace(stop, status=status, at=at, **changes))


def _traced(payment: StopPayment, step: Traced) -> StopPayment:
    """The stop-payment with one more account on the money trail, or with corrected figures of a known one."""
    for known in payment.stops:
        if known.account.key != step.account.key:
            continue
        if (known.parent, known.level) == (step.parent, step.level):
            return _with(payment, known, replace(known, bank=step.bank, received_cny=step.received_cny))
        if known.account.key in way_to(payment.stops, step.parent):
            raise PaymentError(
                f"The money would go round in a circle: {known.account.masked} is at level {known.level} of the way "
                "that leads there; trace another account, or nothing, from there on."
            )
        raise PaymentError(
            f"{known.account.masked} has been traced at level {known.level}; "
            "add what it received on another way to its received_cny there."
        )
    stop = Stop(
        account=step.account,
        level=step.level,
        parent=step.parent,
        bank=step.bank,
        received_cny=step.received_cny,
        at=step.at,
        requested_at=step.at,
    )
    return StopPayment(request=payment.request, stops=(*payment.stops, stop))


def _with(payment: StopPayment, before: Stop, stop: Stop) -> StopPayment:
    return StopPayment(request=payment.request, stops=tuple(stop if each is before else each for each in payment.stops))
