"""Cases: the dispatch life of a subscriber's alerts, as values; what happens to them is `models.casework`'s.

A case is what goes out on the compacted topic ``dispatch``, whole, whenever it changes: its newest record is all that
anybody has to know of it, and all that the dispatcher itself remembers.
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
"""Nobody has to do anything any more, unless something new happens."""

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
"""What a unit can say of a case."""
Step = Literal["opened", "joined", "raised", "lowered", "withdrawn", "reopened", "escalated", "overdue", "woken"]
"""What becomes of a case by itself."""
Deadline = Literal["acknowledge", "call", "visit"]

MOST_ENTRIES: Final = 200
"""Entries of a case's history that are kept, the newest."""
MOST_PAYMENTS: Final = 30
"""Payments of one case that can be followed."""

UnitName = Annotated[str, Meta(min_length=1, max_length=100)]
Note = Annotated[str, Meta(max_length=1000)]


class Person(Struct, frozen=True, omit_defaults=True):
    """What an officer should know beforehand, from the topic ``subscribers``."""

    language: str = "zh"
    age_band: str = ""
    flags: tuple[str, ...] = ()


class Standing(Struct, frozen=True):
    """The last word of one alert of a case; ``at`` is its event time."""

    id: str
    severity: Severity
    status: Status
    at: int


class Entry(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One line of a case's history; ``id`` is that of the feedback, if it is one."""

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
    """The stop-payment that it is about."""
    step: str = ""
    """The kind of what has become of one of its accounts."""


class Case(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A snapshot: the record on the topic ``dispatch``. Times are epoch ms, of the wall clock but in ``alerts``."""

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
    """Who has it."""
    had: tuple[str, ...] = ()
    """Who had it before; what they still say of it counts."""
    person: Person = Person()
    cell: str = ""
    alerts: tuple[Standing, ...]
    episodes: tuple[str, ...]
    reasons: tuple[Reason, ...]
    """Of the most severe alert that stands, newest first known."""
    opened: int
    at: int
    since: int
    """From when the deadlines count: the alert that gave it its severity."""
    acknowledge_by: int | None = None
    call_by: int | None = None
    visit_by: int | None = None
    snoozed_until: int | None = None
    outcome: Outcome | None = None
    loss_cny: float | None = None
    payments: tuple[StopPayment, ...] = ()
    """What is being stopped, in the order in which it was asked for."""
    history: tuple[Entry, ...] = ()

    @property
    def due(self) -> int | None:
        """When something happens to it by itself next; None: nothing does."""
        times = (self.acknowledge_by, self.call_by, self.visit_by, self.snoozed_until)
        return min((time for time in times if time is not None), default=None)

    @property
    def late(self) -> set[str]:
        """The units from which it went up because a deadline had passed."""
        return {entry.unit for entry in self.history if entry.kind == "escalated"}

    def has(self, feedback: str) -> bool:
        """Whether this feedback has been heard already."""
        return any(entry.id == feedback for entry in self.history) or any(
            payment.request.id == feedback for payment in self.payments
        )


class PaymentAsked(Struct, frozen=True, kw_only=True):
    """What is to be stopped: all of a request that its feedback does not say itself."""

    victim: Account
    payee: Account
    bank: str
    """The payee's."""
    amount_cny: float
    paid_at: Time | None = None
    """None: it has not been paid yet."""


class Feedback(Struct, frozen=True, kw_only=True):
    """The record on the topic ``dispatch-feedback``; ``at`` is when it was done, as the unit says."""

    id: Id
    case: Id
    kind: Kind
    at: Time
    unit: UnitName
    officer: Annotated[str, Meta(max_length=100)] = ""
    means: Means | None = None
    reached: bool | None = None
    to: Annotated[str, Meta(max_length=100)] = ""
    """The unit to which it is transferred."""
    until: Time | None = None
    """Until when it is snoozed."""
    outcome: Outcome | None = None
    loss_cny: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    note: Note = ""
    asked: PaymentAsked | None = None
    """What a stop-payment is to stop; its name is then this feedback's id."""
    payment: Annotated[str, Meta(max_length=128)] = ""
    """The stop-payment of which something has come."""
    step: PaymentStep | None = None


class FeedbackError(ValueError):
    """Feedback cannot be taken in; ``reason`` is a short kebab-case word, the message what would be possible."""

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
    """Raise `FeedbackError` when a field is missing that this kind of feedback needs."""
    missing = [name for name in _NEEDED.get(feedback.kind, ()) if getattr(feedback, name) in (None, "")]
    if missing:
        raise FeedbackError("incomplete", f"{feedback.kind} needs {' and '.join(missing)}: send it again with that.")
    if feedback.outcome == "already-harmed" and feedback.loss_cny is None:
        raise FeedbackError(
            "incomplete", "already-harmed needs loss_cny, the money lost in yuan: send it again with that."
        )


def severer(one: Severity, other: Severity) -> bool:
    """Whether a severity is above another."""
    return SEVERITIES.index(one) > SEVERITIES.index(other)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Case)


def encode(case: Case) -> bytes:
    """The snapshot as one line of JSON, fields always in the same order."""
    return _encoder.encode(case)


def decode(value: bytes) -> Case:
    """The snapshot in a record that `encode` has written; raises msgspec's errors for another."""
    return _decoder.decode(value)


def standing(alert: Alert) -> Standing:
    """What a case keeps of an alert's last word."""
    return Standing(alert.id, alert.severity, alert.status, alert.at)


def frozen_cny(case: Case) -> float:
    """How much of what was paid is frozen, in yuan."""
    return sum(totals(payment).frozen_cny for payment in case.payments)
