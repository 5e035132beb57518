"""Reporting: how feedback from the stations changes cases, and which feedback is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from models.base.durations import HOUR
from models.casework import payment_steps
from models.casework.cases import (
    MOST_ACCOUNTS,
    MOST_PAYMENTS,
    OVER,
    Case,
    Entry,
    Feedback,
    FeedbackError,
    Kind,
    State,
    are_too_many,
    check,
)
from models.casework.deadlines import Office, armed, at_rest, called_again, escalated, handed, met, taken, written
from models.casework.payments import PaymentError, Request, StopPayment
from models.casework.proof import check_proof, counts, is_reached

_ALWAYS: Final[tuple[Kind, ...]] = ("note", "stop-payment", "payment-step")

POSSIBLE: Final[dict[State, tuple[Kind, ...]]] = {
    "open": ("acknowledged", "attempt", "returned", "transferred", "snoozed", "outcome", *_ALWAYS),
    "acknowledged": ("attempt", "returned", "transferred", "snoozed", "outcome", *_ALWAYS),
    "in-progress": ("attempt", "returned", "transferred", "snoozed", "outcome", *_ALWAYS),
    "snoozed": ("acknowledged", "attempt", "returned", "transferred", "outcome", *_ALWAYS),
    "withdrawn": ("attempt", "outcome", *_ALWAYS),
    "closed": ("attempt", "outcome", *_ALWAYS),
}
"""The kinds of feedback that a case accepts, by its state.

A second outcome of a closed case corrects the first. An attempt there may be a follow-up call, or the proof of another
outcome.
"""
EARLY: Final = 12 * HOUR
"""A follow-up call may be made this long before it is due (ms)."""


def follow_up_is_due(case: Case, now: int) -> bool:
    """Whether the follow-up call to somebody who was dissuaded is to be made now."""
    return bool(case.follow_ups) and case.follow_ups[0] - EARLY <= now


def possible(office: Office, case: Case) -> tuple[Kind, ...]:
    """The kinds of feedback that the unit with the case can give now."""
    never: set[Kind] = set()
    if case.severity == "urgent":
        never.add("snoozed")
    if office.stations.above(case.unit) is None:
        never.add("returned")
    if not case.payments:
        never.add("payment-step")
    return tuple(kind for kind in POSSIBLE[case.status] if kind not in never)


def reported(office: Office, case: Case, feedback: Feedback, received: int) -> Case:
    """The case after a unit's feedback; the same object if the feedback is a repeat.

    ``received``: when the feedback reached Kafka (epoch ms). If the feedback gives a time later than that, or before
    the case was opened, ``received`` counts as its time. Raises `FeedbackError`, naming what is possible.
    """
    check(feedback)
    if case.has(feedback.id):
        return case
    _admit(office, case, feedback, received)
    check_proof(office.rules, case, feedback)
    entry = Entry(
        at=feedback.at if case.opened <= feedback.at <= received else received,
        kind=feedback.kind,
        unit=feedback.unit,
        id=feedback.id,
        officer=feedback.officer,
        means=feedback.means,
        reached=feedback.reached,
        answered=feedback.answered,
        to=feedback.to,
        until=feedback.until,
        outcome=feedback.outcome,
        loss_cny=feedback.loss_cny,
        note=feedback.note,
        payment=feedback.id if feedback.kind == "stop-payment" else feedback.payment,
        step=str(feedback.step.__struct_config__.tag) if feedback.step is not None else "",
    )
    after = written(_REPORTS[feedback.kind](office, case, feedback, received), entry, received)
    if feedback.outcome == "unreachable" and after.status != "closed":
        return escalated(office, after, received, outcome=feedback.outcome)
    return after


def _admit(office: Office, case: Case, feedback: Feedback, received: int) -> None:
    """Raise `FeedbackError` unless this unit can give this feedback on the case now."""
    stations, unit = office.stations, feedback.unit
    if unit not in stations.units:
        raise FeedbackError("unknown-unit", f"There is no unit {unit}: the file of stations lists all units.")
    # When a unit is no longer in the tree, the centre looks after its cases.
    if unit not in (*(stations.path(case.unit) or (stations.above(case.unit),)), *case.had):
        raise FeedbackError("another-units-case", f"The case belongs to {case.unit} and never belonged to {unit}.")
    possible = POSSIBLE[case.status]
    if feedback.kind not in possible:
        raise FeedbackError(
            "not-possible", f"A case that is {case.status} takes {', '.join(possible)}, and not {feedback.kind}."
        )
    if feedback.kind == "returned" and stations.above(case.unit) is None:
        raise FeedbackError("not-possible", "The centre has no unit above it to return a case to: transfer it.")
    if feedback.kind == "transferred" and feedback.to not in stations.units:
        raise FeedbackError("unknown-unit", f"There is no unit {feedback.to} to transfer a case to.")
    if feedback.kind == "snoozed":
        if case.severity == "urgent":
            raise FeedbackError("not-possible", "An urgent case cannot be put off.")
        hours = office.rules.snooze_hours
        if feedback.until is None or not received < feedback.until <= received + int(hours * HOUR):
            raise FeedbackError("not-possible", f"A case can be put off for at most {hours:g} hours from now.")


def _acknowledged(office: Office, case: Case, feedback: Feedback, received: int) -> Case:
    if case.status == "snoozed":
        case = armed(office, replace(case, snoozed_until=None), received)
    return replace(met(taken(office, case, feedback.unit), "acknowledge"), status="acknowledged")


def _attempt(office: Office, case: Case, feedback: Feedback, received: int) -> Case:
    if case.status in OVER:
        if not feedback.reached:
            return case
        return replace(case, follow_ups=tuple(due for due in case.follow_ups if due - EARLY > received))
    case = replace(_acknowledged(office, case, feedback, received), status="in-progress")
    stays_due = case.severity == "urgent" and counts(case, feedback)
    if feedback.means == "visit" or (feedback.reached and not stays_due):
        case = met(case, "call", "visit")
    elif feedback.means == "call":
        case = met(case, "call")
    if feedback.reached or is_reached(case):
        return case
    return called_again(office, case, received)


def _returned(office: Office, case: Case, feedback: Feedback, received: int) -> Case:
    above = office.stations.above(case.unit)
    return case if above is None else _passed_on(office, case, above, received)


def _transferred(office: Office, case: Case, feedback: Feedback, received: int) -> Case:
    return _passed_on(office, case, feedback.to, received)


def _passed_on(office: Office, case: Case, unit: str, received: int) -> Case:
    if case.status == "snoozed":
        case = armed(office, case, received)
    return handed(office, case, unit, received)


def _snoozed(office: Office, case: Case, feedback: Feedback, received: int) -> Case:
    return replace(at_rest(taken(office, case, feedback.unit), "snoozed"), snoozed_until=feedback.until)


def _outcome(office: Office, case: Case, feedback: Feedback, received: int) -> Case:
    if case.status not in OVER:
        case = taken(office, case, feedback.unit)
        is_last = office.stations.above(feedback.unit) is None
        if feedback.outcome == "unreachable" and counts(case, feedback) and not is_last:
            return called_again(office, case, received)  # the unit above tries as well: the centre alone gives up
    closed = replace(at_rest(case, "closed"), outcome=feedback.outcome, loss_cny=feedback.loss_cny)
    if feedback.outcome != "dissuaded":
        return replace(closed, follow_ups=())
    if case.outcome == "dissuaded":  # it is only said again
        return closed
    due = sorted(office.rules.follow_up_hours)
    return replace(closed, follow_ups=tuple(received + int(hours * HOUR) for hours in due))


def _stop_payment(office: Office, case: Case, feedback: Feedback, received: int) -> Case:
    asked = feedback.asked
    if asked is None:  # `check` has already refused this
        return case
    try:
        request = Request(
            id=feedback.id,
            case=case.case,
            officer=feedback.officer,
            unit=feedback.unit,
            at=min(feedback.at, received),
            victim=asked.victim,
            payee=asked.payee,
            bank=asked.bank,
            amount_cny=asked.amount_cny,
            paid_at=asked.paid_at,
        )
        payment = payment_steps.opened(request)
    except PaymentError as error:
        raise FeedbackError("wrong-payment", str(error)) from None
    return _following(case, (*case.payments, payment))


def _payment_step(office: Office, case: Case, feedback: Feedback, received: int) -> Case:
    followed = {payment.request.id: payment for payment in case.payments}
    if feedback.step is None or feedback.payment not in followed:
        raise FeedbackError(
            "unknown-payment", f"The case has no such stop-payment: it has {', '.join(followed) or 'none yet'}."
        )
    try:
        followed[feedback.payment] = payment_steps.after(followed[feedback.payment], feedback.step)
    except PaymentError as error:
        raise FeedbackError("wrong-payment", str(error)) from None
    return _following(case, tuple(followed.values()))


def _following(case: Case, payments: tuple[StopPayment, ...]) -> Case:
    """The case with these payments; raises `FeedbackError` if one record cannot hold them."""
    if are_too_many(payments):
        raise FeedbackError(
            "not-possible",
            f"A case can follow at most {MOST_PAYMENTS} payments and {MOST_ACCOUNTS} accounts with short names: report "
            "the rest to the centre.",
        )
    return replace(case, payments=payments)


def _note(office: Office, case: Case, feedback: Feedback, received: int) -> Case:
    return case


_REPORTS: Final[dict[Kind, Callable[[Office, Case, Feedback, int], Case]]] = {
    "acknowledged": _acknowledged,
    "attempt": _attempt,
    "returned": _returned,
    "transferred": _transferred,
    "snoozed": _snoozed,
    "outcome": _outcome,
    "note": _note,
    "stop-payment": _stop_payment,
    "payment-step": _payment_step,
}
