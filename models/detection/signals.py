"""Signals: what one event says about a subscriber.

Third step of the hot path (decode, match, *signals*, episodes, decide). The kinds of signal are in
`models.detection.kinds`; their codes can be imported from here too.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from models.detection.kinds import (
    BANK_CALL,
    BANK_NOTICE,
    CHECK_CALL,
    CODE,
    CONTACTS,
    CONTEXTS,
    DOMAIN_SMS,
    LONG_CALL,
    NUMBER_CALL,
    NUMBER_CALLBACK,
    NUMBER_MISSED,
    NUMBER_REPLY,
    NUMBER_SMS,
    NUMBER_TALK,
    Code,
)
from models.events.event import Id, Number, Seconds, Time

__all__ = [
    "BANK_CALL",
    "BANK_NOTICE",
    "CHECK_CALL",
    "CODE",
    "CONTACTS",
    "CONTEXTS",
    "DOMAIN_SMS",
    "LONG_CALL",
    "NUMBER_CALL",
    "NUMBER_CALLBACK",
    "NUMBER_MISSED",
    "NUMBER_REPLY",
    "NUMBER_SMS",
    "NUMBER_TALK",
    "Code",
    "Signal",
    "SignalRecord",
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
