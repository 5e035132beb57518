"""Signals: what one event says about a subscriber, and which kinds there are.

Third step of the hot path (decode, match, *signals*, episodes, decide). A contact signal touches a known indicator and
can open an episode; a context signal means nothing by itself and everything beside a contact.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from models.events.event import Id, Number, Seconds, Time

NUMBER_CALL: Final = "fraud-number-call"
"""A call from a known number has started; whether it is answered is not known yet."""
NUMBER_CALLBACK: Final = "fraud-number-callback"
"""The subscriber rings a known number."""
NUMBER_TALK: Final = "fraud-number-talk"
"""A call with a known number has ended after ``duration_s`` of talk."""
NUMBER_MISSED: Final = "fraud-number-missed"
"""A call with a known number has ended unanswered."""
NUMBER_SMS: Final = "fraud-number-sms"
"""An SMS from a known number."""
NUMBER_REPLY: Final = "fraud-number-reply"
"""The subscriber has written to a known number."""
DOMAIN_SMS: Final = "fraud-domain-sms"
"""An SMS with a known domain or URL."""
CODE: Final = "verification-code"
"""A verification code has arrived."""
BANK_NOTICE: Final = "bank-notice"
"""A bank has written about a transfer or payment."""
BANK_CALL: Final = "bank-call"
"""The subscriber rings a bank's hotline."""
CHECK_CALL: Final = "check-call"
"""The subscriber rings 110, 96110, 12381, 114 or an authority: a check, or a call for help."""
LONG_CALL: Final = "long-call"
"""A call with some other number was unusually long."""

CONTACTS: Final = frozenset(
    {NUMBER_CALL, NUMBER_CALLBACK, NUMBER_TALK, NUMBER_MISSED, NUMBER_SMS, NUMBER_REPLY, DOMAIN_SMS}
)
CONTEXTS: Final = frozenset({CODE, BANK_NOTICE, BANK_CALL, CHECK_CALL, LONG_CALL})

Code = Literal[
    "fraud-number-call",
    "fraud-number-callback",
    "fraud-number-talk",
    "fraud-number-missed",
    "fraud-number-sms",
    "fraud-number-reply",
    "fraud-domain-sms",
    "verification-code",
    "bank-notice",
    "bank-call",
    "check-call",
    "long-call",
]


class Signal(Struct, frozen=True, gc=False, array_like=True, order=True):
    """One signal of one subscriber. Sorts by event time, then by code and event, so that every order is one order.

    ``confidence`` is the indicator's, 0 to 100; ``duration_s`` is talk time. ``event`` and ``code`` together are its
    identity: the same event said twice is one signal.
    """

    at: int
    code: str
    event: str
    peer: str = ""
    indicator: str = ""
    scam_type: str = ""
    confidence: int = 0
    duration_s: float = 0.0
    cell: str = ""
    """Where the subscriber was; empty where nobody says, as in what a look back has found."""


class SignalRecord(Struct, frozen=True, gc=False):
    """A signal as it travels on the ``signals`` topic: what a look back has found, or takes back."""

    id: Id
    subscriber: Number
    code: Code
    at: Time
    event: Id
    peer: str = ""
    indicator: str = ""
    scam_type: str = "other"
    confidence: Annotated[int, Meta(ge=0, le=100)] = 80
    duration_s: Seconds = 0.0
    status: Literal["raised", "withdrawn"] = "raised"

    def signal(self) -> Signal:
        """The signal within the record."""
        return Signal(
            self.at,
            self.code,
            self.event,
            self.peer,
            self.indicator,
            self.scam_type,
            self.confidence,
            self.duration_s,
        )
