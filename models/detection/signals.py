"""Signals: what one event says about a subscriber.

This is the third step of the hot path (decode, match, *signals*, episodes, decide). `models.detection.kinds` lists the
kinds of signals.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from models.detection.kinds import KindName
from models.events.event import Id, Number, Seconds, Time


class Signal(Struct, frozen=True, gc=False, array_like=True, order=True):
    """One signal of one subscriber. Signals sort by event time, then by kind and event, so their order is unique.

    ``kind`` is a `KindName`, or a name that only a newer version knows. ``confidence`` is the indicator's, 0 to 100.
    ``duration_s`` is talk time. ``event`` and ``kind`` together are the signal's identity: a repeated event gives the
    same signal.
    """

    at: int
    kind: str
    event: str
    peer: str = ""
    """The peer's number, empty if none is known; for a link, its host, or the longest listed URL that covers it."""
    indicator: str = ""
    scam_type: str = ""
    confidence: int = 0
    duration_s: float = 0.0
    cell: str = ""
    """The subscriber's cell; empty if unknown, as in signals that a look-back found."""


class SignalRecord(Struct, frozen=True, gc=False):
    """A signal as a record on the ``signals`` topic: a look-back found it, or withdraws it."""

    id: Id
    subscriber: Number
    kind: KindName = field(name="code")
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
            self.kind,
            self.event,
            self.peer,
            self.indicator,
            self.scam_type,
            self.confidence,
            self.duration_s,
        )


class Heartbeat(Struct, frozen=True, gc=False):
    """A record on the ``signals`` topic that says that the other topics of its partition had no more records.

    A worker writes it while a call goes on and nothing else tells the time; see
    ``docs/decisions/0018-the-brokers-clock.md``.
    """

    calls: Annotated[int, Meta(ge=0)]
    """The offset at which ``calls`` ended."""
    sms: Annotated[int, Meta(ge=0)]
    """The offset at which ``sms`` ended."""
    until: Time
    """The broker's time (epoch ms) up to which that held; once read back, no later than the record's append time."""


class Purge(Struct, frozen=True, gc=False):
    """A record on the ``signals`` topic that says what is to be forgotten of a subscriber.

    ``forewarn person purge`` writes it. The worker that holds the subscriber and the dispatcher apply it.
    """

    id: Id
    subscriber: Number
    before: Time
    """What happened before this event time (epoch ms) is forgotten, also if its record comes later."""
    open_too: bool = False
    """Whether a case is forgotten that is not over."""


def bounded(record: Heartbeat | Purge, appended: int) -> Heartbeat | Purge:
    """The record as it counts: what it says reaches no further than when the broker wrote it (epoch ms)."""
    if isinstance(record, Heartbeat):
        return replace(record, until=min(record.until, appended))
    return replace(record, before=min(record.before, appended))
