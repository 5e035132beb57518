"""Cases: the records that dispatch keeps of a subscriber's alerts, as values.

The other modules of `models.casework` change them. A case is published whole on the compacted topic ``dispatch``
whenever it changes. Its newest record holds everything that readers need to know about it, and everything that the
dispatcher itself remembers.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from models.casework.payment_steps import Step as PaymentStep
from models.casework.payment_totals import totals
from models.casework.payments import Account, StopPayment
from models.casework.routing import Tier
from models.detection.alerts import Alert, Reason, Status
from models.events.event import Id, Time
from models.policy.policy import SEVERITIES, Severity
from models.policy.stages import Stage

State = Literal["open", "acknowledged", "in-progress", "snoozed", "withdrawn", "closed"]
OVER: Final[frozenset[State]] = frozenset({"withdrawn", "closed"})
"""The states in which no action is needed unless something new happens."""

Means = Literal["call", "visit", "sms"]
Outcome = Literal[
    "dissuaded",
    "already-aware",
    "already-harmed",
    "refused",
    "unreachable",
    "wrong-person",
    "false-positive",
    "duplicate",
]
Kind = Literal[
    "acknowledged",
    "attempt",
    "returned",
    "transferred",
    "snoozed",
    "outcome",
    "note",
    "stop-payment",
    "payment-step",
]
"""The kinds of feedback that a unit can give on a case."""
Step = Literal["opened", "joined", "raised", "lowered", "withdrawn", "reopened", "escalated", "overdue", "woken"]
"""The changes to a case that need no feedback: alerts and the clock cause them."""
Deadline = Literal["acknowledge", "call", "visit"]

MOST_ENTRIES: Final = 200
"""The number of entries that a case's history keeps; the oldest are dropped."""
MOST_PAYMENTS: Final = 30
"""The number of payments that one case can follow."""

UnitName = Annotated[str, Meta(min_length=1, max_length=100)]
Note = Annotated[str, Meta(max_length=1000)]


class Person(Struct, frozen=True, omit_defaults=True):
    """What an officer should know before contacting the subscriber, from the topic ``subscribers``."""

    language: str = "zh"
    age_band: str = ""
    flags: tuple[str, ...] = ()


class Standing(Struct, frozen=True):
    """The latest state of one of a case's alerts; ``at`` is its event time."""

    id: str
    severity: Severity
    status: Status
    at: int


class Entry(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One line of a case's history; ``id`` is the feedback's id if the line records feedback."""

    at: int
    kind: Kind | Step
    unit: str
    id: str = ""
    officer: str = ""
    severity: Severity | None = None
    deadline: Deadline | None = None
    means: Means | None = None
    reached: bool | None = None
    to: str = ""
    until: int | None = None
    outcome: Outcome | None = None
    loss_cny: float | None = None
    note: str = ""
    payment: str = ""
    """The stop-payment that the entry is about."""
    step: str = ""
    """The kind of step that one of its accounts has taken."""


class Case(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A snapshot of a case: the record on the topic ``dispatch``.

    Times are epoch ms by the wall clock, except in ``alerts``, which has event times.
    """

    case: str
    """The episode of its first alert."""
    subscriber: str
    status: State
    severity: Severity
    stage: Stage
    risk: float
    scam_type: str
    tier: Tier
    unit: str
    """The unit that has the case now."""
    had: tuple[str, ...] = ()
    """The units that had the case before; their feedback still counts."""
    person: Person = Person()
    cell: str = ""
    alerts: tuple[Standing, ...]
    episodes: tuple[str, ...]
    reasons: tuple[Reason, ...]
    """The reasons of the most severe alert in force, newest first known."""
    opened: int
    at: int
    since: int
    """The time from which the deadlines count: when the alert that set the severity arrived."""
    acknowledge_by: int | None = None
    call_by: int | None = None
    visit_by: int | None = None
    snoozed_until: int | None = None
    outcome: Outcome | None = None
    loss_cny: float | None = None
    payments: tuple[StopPayment, ...] = ()
    """The stop-payments, in the order of their requests."""
    history: tuple[Entry, ...] = ()

    @property
    def due(self) -> int | None:
        """When the next deadline or the snooze ends; None if nothing is due."""
        times = (self.acknowledge_by, self.call_by, self.visit_by, self.snoozed_until)
        return min((time for time in times if time is not None), default=None)

    @property
    def late(self) -> set[str]:
        """The units that missed a deadline, so that the case went up to the unit above."""
        return {entry.unit for entry in self.history if entry.kind == "escalated"}

    def has(self, feedback: str) -> bool:
        """Whether the case already includes the feedback with this id."""
        return any(entry.id == feedback for entry in self.history) or any(
            payment.request.id == feedback for payment in self.payments
        )


class PaymentAsked(Struct, frozen=True, kw_only=True):
    """The payment to stop: the parts of a request that its feedback does not carry itself."""

    victim: Account
    payee: Account
    bank: str
    """The payee's bank."""
    amount_cny: float
    paid_at: Time | None = None
    """When the payment was made; None if it has not been made yet."""


class Feedback(Struct, frozen=True, kw_only=True):
    """The record on the topic ``dispatch-feedback``; ``at`` is the time of the action as the unit reports it."""

    id: Id
    case: Id
    kind: Kind
    at: Time
    unit: UnitName
    officer: Annotated[str, Meta(max_length=100)] = ""
    means: Means | None = None
    reached: bool | None = None
    to: Annotated[str, Meta(max_length=100)] = ""
    """The unit to which the case is transferred."""
    until: Time | None = None
    """When the snooze ends."""
    outcome: Outcome | None = None
    loss_cny: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    note: Note = ""
    asked: PaymentAsked | None = None
    """The payment that a new stop-payment is to stop; this feedback's id becomes the stop-payment's name."""
    payment: Annotated[str, Meta(max_length=128)] = ""
    """The stop-payment that a payment step is about."""
    step: PaymentStep | None = None


class FeedbackError(ValueError):
    """Feedback cannot be accepted; ``reason`` is a short kebab-case word, and the message says what is possible."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


_NEEDED: Final[dict[Kind, tuple[str, ...]]] = {
    "attempt": ("means", "reached"),
    "transferred": ("to",),
    "snoozed": ("until",),
    "outcome": ("outcome",),
    "note": ("note",),
    "stop-payment": ("asked",),
    "payment-step": ("payment", "step"),
}


def check(feedback: Feedback) -> None:
    """Raise `FeedbackError` when the feedback lacks a field that its kind needs."""
    missing = [name for name in _NEEDED.get(feedback.kind, ()) if getattr(feedback, name) in (None, "")]
    if missing:
        raise FeedbackError("incomplete", f"{feedback.kind} needs {' and '.join(missing)}: send it again with that.")
    if feedback.outcome == "already-harmed" and feedback.loss_cny is None:
        raise FeedbackError(
            "incomplete", "already-harmed needs loss_cny, the money lost in yuan: send it again with that."
        )


def severer(one: Severity, other: Severity) -> bool:
    """Whether the first severity is above the second."""
    return SEVERITIES.index(one) > SEVERITIES.index(other)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Case)


def encode(case: Case) -> bytes:
    """The snapshot as one line of JSON, with the fields always in the same order."""
    return _encoder.encode(case)


def decode(value: bytes) -> Case:
    """The snapshot in a record that `encode` has written; raises msgspec's errors for any other record."""
    return _decoder.decode(value)


def standing(alert: Alert) -> Standing:
    """The part of an alert's latest state that a case keeps."""
    return Standing(alert.id, alert.severity, alert.status, alert.at)


def frozen_cny(case: Case) -> float:
    """How much of the case's paid money is frozen, in yuan."""
    return sum(totals(payment).frozen_cny for payment in case.payments)
