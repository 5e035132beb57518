"""Cases: a subscriber's alerts on their way through the stations, and the feedback on them, as values.

The other modules of `models.casework` change them; `models.casework.board` is the way in. A case is published whole on
the compacted topic ``dispatch`` whenever it changes. Its newest record is complete, and it is all that the dispatcher
keeps of the case.
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
"""States in which nothing is left to do, unless something new happens."""

Means = Literal["call", "visit", "sms"]
Answered = Literal["person", "relative", "other"]
"""Who answered the phone or the door: the person, who has answered an identity question; a relative; anybody else."""
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
Step = Literal[
    "opened", "joined", "raised", "lowered", "withdrawn", "reopened", "escalated", "overdue", "woken", "too-old"
]
"""What alerts and the passing of time, without any feedback, can do to a case."""
Deadline = Literal["acknowledge", "call", "visit"]

FORMAT: Final = 2
"""The format of the snapshots that this version writes; it reads this one and all before it."""
RULE: Final = 2
"""The rule under which attempts and outcomes are given now (`models.casework.proof`).

Rule 1 was: whatever an attempt called reached was reached, and any case could be closed with any outcome.
"""
MOST_ENTRIES: Final = 200
"""Entries of a case's history that are kept at most; older ones are dropped."""
LARGEST_HISTORY: Final = 300_000
"""Bytes of a case's history that are kept at most; older entries are dropped.

Two hundred notes can be larger than a record of Kafka (1 MB), and the dispatcher could not publish such a case.
"""
MOST_PAYMENTS: Final = 30
"""Payments that one case can follow at most."""
MOST_ACCOUNTS: Final = 300
"""Accounts that one case can follow at most, over all its payments."""
LARGEST_PAYMENTS: Final = 300_000
"""Bytes that a case's payments can take at most. Three hundred accounts with usual names take a third of it.

Reasons take up to 200 kB, so history, payments and all the rest stay below Kafka's limit together.
"""

_TO_ANYBODY: Final[frozenset[Kind | Step]] = frozenset(
    {"opened", "reopened", "raised", "woken", "returned", "transferred"}
)
"""Entries after which the order is nobody's until an officer takes it on."""

UnitName = Annotated[str, Meta(min_length=1, max_length=100)]
Note = Annotated[str, Meta(max_length=1000)]


class Person(Struct, frozen=True, omit_defaults=True):
    """What an officer should know before contacting the subscriber, from the topic ``subscribers``."""

    language: str = "zh"
    age_band: str = ""
    flags: tuple[str, ...] = ()


class Standing(Struct, frozen=True):
    """The latest version of one alert of a case; ``at`` is the alert's event time (epoch ms)."""

    id: str
    severity: Severity
    status: Status
    at: int


class Missed(Struct, frozen=True):
    """A deadline that nobody has met yet, and when it ran out first (epoch ms)."""

    deadline: Deadline
    at: int


class Entry(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One line of a case's history; ``id`` is the id of the feedback, and empty for a `Step`."""

    at: int
    kind: Kind | Step
    unit: str
    id: str = ""
    officer: str = ""
    severity: Severity | None = None
    deadline: Deadline | None = None
    means: Means | None = None
    reached: bool | None = None
    answered: Answered | None = None
    """Who answered; None if nobody did, and in entries of before rule 2."""
    to: str = ""
    until: int | None = None
    outcome: Outcome | None = None
    loss_cny: float | None = None
    note: str = ""
    payment: str = ""
    """The stop-payment that the entry is about."""
    step: str = ""
    """The kind of step that was taken for one of its accounts."""


class Case(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A snapshot of a case: the record on the topic ``dispatch``.

    Times are epoch ms and follow the Kafka timestamps of the alerts and the feedback, with these exceptions: ``alerts``
    has event times; the end of a snooze, the entries of feedback and the payments have the times that were reported.
    """

    case: str
    """The episode of its first alert, which is the name of the case."""
    subscriber: str
    status: State
    severity: Severity
    stage: Stage
    risk: float
    scam_type: str
    tier: Tier
    """The highest tier that has the case."""
    unit: str
    """The unit that has the case: the station nearest to the person, unless somebody passed the case on."""
    above: tuple[str, ...] = ()
    """The units above it that have the case too, because a deadline was missed or they acted on it; the lowest first.

    An escalation adds one and takes the case from nobody.
    """
    had: tuple[str, ...] = ()
    """The units that passed it on to another one; their feedback on it is still accepted."""
    person: Person = Person()
    cell: str = ""
    alerts: tuple[Standing, ...]
    episodes: tuple[str, ...]
    reasons: tuple[Reason, ...]
    """The reasons of the alert from which stage, risk and scam type were taken, in the order of that alert.

    That is the alert that opened, reopened or raised the case, or a later version of an alert of the case's severity.
    They stay when that alert is withdrawn.
    """
    opened: int
    """When its first alert reached Kafka."""
    at: int
    """When it changed last."""
    since: int
    """When its deadlines were last set: by the alert that opened, reopened or raised the case, or when a snooze ended.

    The deadlines that an escalation, a return or a transfer sets again count from then, and leave this as it is.
    """
    acknowledge_by: int | None = None
    call_by: int | None = None
    visit_by: int | None = None
    snoozed_until: int | None = None
    missed: tuple[Missed, ...] = ()
    """The deadlines that have run out and that nobody has met since, also those that ran out at the centre."""
    outcome: Outcome | None = None
    loss_cny: float | None = None
    follow_ups: tuple[int, ...] = ()
    """When a follow-up call is due to somebody who was dissuaded, the next one first."""
    payments: tuple[StopPayment, ...] = ()
    """The stop-payments of the case, in the order in which they were requested."""
    history: tuple[Entry, ...] = ()
    rule: int = 1
    """The rule under which it was opened or reopened last; a case of rule 1 takes feedback of that rule as well."""
    format: int = 1
    """The number of the snapshot's format; format 1 leaves it out."""

    @property
    def due(self) -> int | None:
        """The next deadline, or the end of the snooze (epoch ms); None when neither is set."""
        times = (self.acknowledge_by, self.call_by, self.visit_by, self.snoozed_until)
        return min((time for time in times if time is not None), default=None)

    def has(self, feedback: str) -> bool:
        """Whether the case has this feedback already: among its payments, or the entries of history that are kept."""
        return any(entry.id == feedback for entry in self.history) or any(
            payment.request.id == feedback for payment in self.payments
        )


class PaymentAsked(Struct, frozen=True, kw_only=True):
    """The payment to be stopped: the fields of a request that the feedback does not have itself."""

    victim: Account
    payee: Account
    bank: str
    """The payee's bank."""
    amount_cny: float
    paid_at: Time | None = None
    """When it was paid (epoch ms); None: it has not been paid yet."""


class Feedback(Struct, frozen=True, kw_only=True):
    """The record on the topic ``dispatch-feedback``; ``at`` is when it was done (epoch ms), as the unit reports it."""

    id: Id
    case: Id
    kind: Kind
    at: Time
    unit: UnitName
    officer: Annotated[str, Meta(max_length=100)] = ""
    means: Means | None = None
    reached: bool | None = None
    """Whether the attempt reached the person: by speech or face to face, once they were known to be that person."""
    answered: Answered | None = None
    """Who answered an attempt; None: nobody."""
    to: Annotated[str, Meta(max_length=100)] = ""
    """The unit to which the case is transferred."""
    until: Time | None = None
    """When the snooze ends (epoch ms)."""
    outcome: Outcome | None = None
    loss_cny: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    loss_checked: bool | None = None
    """Whether somebody has checked a loss that is not what the stop-payments of the case add up to."""
    note: Note = ""
    asked: PaymentAsked | None = None
    """The payment that a stop-payment is to stop; the id of this feedback becomes the name of the stop-payment."""
    payment: Annotated[str, Meta(max_length=128)] = ""
    """The name of the stop-payment that a payment step belongs to."""
    step: PaymentStep | None = None
    rule: Annotated[int, Meta(ge=1, le=RULE)] = 1
    """The rule under which it is given; records of before rule 2 do not say it."""


class FeedbackError(ValueError):
    """Feedback is refused; ``reason`` is a short kebab-case word, and the message says why and what to do."""

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
    """Raise `FeedbackError` when a field is missing that this kind of feedback, or this outcome, needs."""
    missing = [name for name in _NEEDED.get(feedback.kind, ()) if getattr(feedback, name) in (None, "")]
    if missing:
        raise FeedbackError("incomplete", f"{feedback.kind} needs {' and '.join(missing)}: send it again with that.")
    if feedback.outcome == "already-harmed" and feedback.loss_cny is None:
        raise FeedbackError(
            "incomplete", "already-harmed needs loss_cny, the money lost in yuan: send it again with that."
        )


def severer(one: Severity, other: Severity) -> bool:
    """Whether ``one`` is above ``other``."""
    return SEVERITIES.index(one) > SEVERITIES.index(other)


_encoder = msgspec.json.Encoder()


def encode(case: Case) -> bytes:
    """The snapshot as one line of JSON: fields always in the same order, those at their defaults left out."""
    return _encoder.encode(case)


def kept(history: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The newest entries of a history, as many as a case keeps."""
    left = LARGEST_HISTORY
    for count, entry in enumerate(reversed(history)):
        left -= len(_encoder.encode(entry)) + 1
        if left < 0 or count == MOST_ENTRIES:
            return history[len(history) - count :]
    return history


def are_too_many(payments: tuple[StopPayment, ...]) -> bool:
    """Whether these payments are more than one case can follow."""
    accounts = sum(len(payment.stops) for payment in payments)
    return (
        len(payments) > MOST_PAYMENTS or accounts > MOST_ACCOUNTS or len(_encoder.encode(payments)) > LARGEST_PAYMENTS
    )


def standing(alert: Alert) -> Standing:
    """What a case keeps of the latest version of an alert."""
    return Standing(alert.id, alert.severity, alert.status, alert.at)


def is_past(case: Case, before: int) -> bool:
    """Whether all alerts of a case are of before an event time (epoch ms)."""
    return all(each.at < before for each in case.alerts)


def frozen_cny(case: Case) -> float:
    """How much of the payments of a case is frozen, in yuan."""
    return sum(totals(payment).frozen_cny for payment in case.payments)


def who_has(case: Case) -> str:
    """The officer who acknowledged the last order, or tried since to reach the person; empty if nobody did.

    An escalation takes the case from nobody, so it changes nothing here.
    """
    for entry in reversed(case.history):
        if entry.kind in ("acknowledged", "attempt") and entry.officer:
            return entry.officer
        if entry.kind in _TO_ANYBODY:
            break
    return ""
