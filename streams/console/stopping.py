"""Stopping payments: turns reports with whole account numbers into feedback with masked ones.

Only the requests on ``stop-payments`` hold whole numbers, because nobody could stop a payment without them.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from models.base.durations import MINUTE
from models.casework.cases import Case, Feedback, PaymentAsked
from models.casework.payment_steps import Accepted, AskedAgain, Failed, Frozen, Step, Traced
from models.casework.payments import PaymentError, StopPayment, normalised
from streams.console.bodies import Body, PaymentStep, StopAsked
from streams.console.refusals import Refused
from streams.risks.naming import account


def said(body: Body, case: Case, secret: str, now: int) -> dict[str, Any]:
    """The fields of feedback for a report about payments; no fields for any other report. Raises `Refused`."""
    try:
        if isinstance(body, StopAsked):
            return {"asked": _asked(body, secret)}
        if isinstance(body, PaymentStep):
            return {"payment": body.payment, "step": _step(body, case, secret, now)}
    except (PaymentError, msgspec.ValidationError) as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong-payment", str(error)) from None
    return {}


def request(body: Body, feedback: Feedback, case: Case, now: int) -> dict[str, Any] | None:
    """The record for ``stop-payments``: for a payment to stop, and for each account that it is traced to; else None."""
    asked = feedback.asked
    if isinstance(body, StopAsked) and asked is not None:
        about = {"account": normalised(body.payee), "bank": body.bank, "amount_cny": body.amount_cny}
        return _record(feedback, now, about, feedback.id, 1, asked.paid_at)
    if isinstance(body, PaymentStep) and isinstance(feedback.step, Traced):
        first = next((each.request for each in case.payments if each.request.id == body.payment), None)
        about = {"account": normalised(body.account), "bank": body.bank, "amount_cny": body.received_cny}
        paid_at = None if first is None else first.paid_at
        return _record(feedback, now, about, body.payment, feedback.step.level, paid_at)
    return None


def _record(
    feedback: Feedback, now: int, about: dict[str, Any], payment: str, level: int, paid_at: int | None
) -> dict[str, Any]:
    record = {"id": feedback.id, "case": feedback.case, "officer": feedback.officer, "unit": feedback.unit, "at": now}
    record |= about | {"payment": payment, "level": level}
    if paid_at is not None:
        record |= {"paid_at": paid_at, "minutes": max(0, now - paid_at) / MINUTE}
    return record


def _asked(body: StopAsked, secret: str) -> PaymentAsked:
    return PaymentAsked(
        victim=account(body.victim, secret),
        payee=account(body.payee, secret),
        bank=body.bank,
        amount_cny=body.amount_cny,
        paid_at=body.paid_at,
    )


def _step(body: PaymentStep, case: Case, secret: str, now: int) -> Step:
    """The step of one account, which the report names by its whole number or, if it was traced, by its key."""
    at = now if body.at is None else body.at
    payment = next((each for each in case.payments if each.request.id == body.payment), None)
    key = _key(payment, body.account, secret)
    match body.step:
        case "traced":
            parent = _key(payment, body.parent, secret)
            above = None if payment is None else payment.stop(parent)
            return Traced(
                account=account(body.account, secret),
                parent=parent,
                level=1 if above is None else above.level + 1,
                bank=body.bank,
                received_cny=body.received_cny,
                at=at,
            )
        case "accepted":
            return Accepted(account=key, at=at)
        case "frozen":
            return Frozen(account=key, frozen_cny=body.frozen_cny, at=at)
        case "failed":
            return Failed(account=key, reason=body.reason, at=at)
        case "requested":
            return AskedAgain(account=key, at=at)


def _key(payment: StopPayment | None, said: str, secret: str) -> str:
    known = set() if payment is None else {stop.account.key for stop in payment.stops}
    return said if said in known else account(said, secret).key
