"""Events: the form of one call or SMS record, the event that it gives, and the strict reading of a single record.

Every decoded event is valid; an invalid record is refused with a reason. `models.events.decoding` reads batches.
`docs/records.md` tells carriers the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

MAX_BYTES = 1_000_000
"""The greatest size of a record in bytes; a larger record is refused."""

EARLIEST = 946_684_800_000
"""2000-01-01 in epoch milliseconds: an earlier time is a clock or unit error (seconds look like January 1970)."""

LATEST = 4_102_444_800_000
"""2100-01-01 in epoch milliseconds: a later time is a clock or unit error."""

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Number = Annotated[str, Meta(min_length=2, max_length=15)]
"""E.164 digits without ``+`` (at most 15, ITU-T E.164), or a short code; decoding checks that they are digits."""
Time = Annotated[int, Meta(ge=EARLIEST, le=LATEST)]
LONGEST_TALK = 43_200
"""Twelve hours in seconds: networks end a call long before, and milliseconds taken for seconds mostly lie beyond."""
Seconds = Annotated[float, Meta(ge=0, le=LONGEST_TALK)]
LONGEST_CELL = 64

NO_DURATION = -1.0

Direction = Literal["in", "out"]
Phase = Literal["start", "end"]


class Call(Struct, gc=False, frozen=True):
    """One phase of a call: ``at`` is the moment of that phase, ``duration_s`` the talk time in the end record."""

    id: Id
    subscriber: Number
    peer: str
    """A number in normal form (`models.events.numbering`); empty when nobody is known."""
    direction: Direction
    phase: Phase
    at: Time
    duration_s: Seconds = NO_DURATION
    cell: object = None
    """Read with `cell_of`: an invalid cell is no reason to refuse the record."""


class Sms(Struct, gc=False, frozen=True):
    """One SMS; its text is read in memory only, by the engine and soon after for the links that the ledger keeps."""

    id: Id
    subscriber: Number
    peer: str
    """A number in normal form; empty when the sender is a name or an address, or nobody is known."""
    direction: Direction
    at: Time
    text: str | None = None
    domains: list[str] | None = None
    cell: object = None


class CallRecord(Struct, gc=False, frozen=True):
    """A call as carriers write it."""

    id: Id
    subscriber: Number
    direction: Direction
    phase: Phase
    at: Time
    peer: str | None = None
    """A number as the switch writes it, or a word for a withheld one."""
    duration_s: Seconds = NO_DURATION
    cell: object = None
    source: object = None
    """The carrier or switch; any other value than a declared source counts as an unknown source."""

    def event(self, peer: str) -> Call:
        """The event, with its peer in normal form."""
        return Call(self.id, self.subscriber, peer, self.direction, self.phase, self.at, self.duration_s, self.cell)


class SmsRecord(Struct, gc=False, frozen=True):
    """An SMS as carriers write it."""

    id: Id
    subscriber: Number
    direction: Direction
    at: Time
    peer: str | None = None
    """A number, a name or an address, as the switch writes it."""
    text: str | None = None
    domains: list[str] | None = None
    cell: object = None
    source: object = None

    def event(self, peer: str) -> Sms:
        """The event, with its peer in normal form."""
        return Sms(self.id, self.subscriber, peer, self.direction, self.at, self.text, self.domains, self.cell)


def cell_of(event: Call | Sms) -> str:
    """The cell of an event; empty when the event has none or an invalid one.

    >>> cell_of(Sms("m1", "8610000000001", "99900000001", "in", 1_760_000_000_000, cell="001-01-1013-1"))
    '001-01-1013-1'
    >>> cell_of(Sms("m1", "8610000000001", "99900000001", "in", 1_760_000_000_000, cell=7))
    ''
    """
    cell = event.cell
    return cell if isinstance(cell, str) and len(cell) <= LONGEST_CELL else ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused record: its index in the batch, the reason (a metric's label) and a detail for the reader."""

    index: int
    reason: str
    detail: str


class RecordError(ValueError):
    """A record breaks its contract; ``reason`` is a short kebab-case word."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


_LONGEST_DETAIL = 500

Event_co = TypeVar("Event_co", covariant=True)


def decode_one(decoder: msgspec.json.Decoder[Event_co], value: bytes) -> Event_co:
    """Decode one JSON record; raises `RecordError` when its encoding, its JSON, its shape or a field is wrong."""
    try:
        value.decode()
    except UnicodeDecodeError as error:
        raise RecordError("not-utf8", f"The record is not UTF-8 at byte {error.start}.") from None
    try:
        return decoder.decode(value)
    except msgspec.ValidationError as error:
        detail = _without_value(str(error))
        if "`$" not in detail:
            raise RecordError("not-an-object" if "Expected `object`" in detail else "wrong-field", detail) from None
        if "`$.at`" in detail and "int` " in detail:
            raise RecordError("impossible-time", f"at must be epoch milliseconds of 2000 to 2100: {detail}") from None
        raise RecordError("wrong-field", detail) from None
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise RecordError("not-json", f"{type(error).__name__}: {error}") from None


def _without_value(detail: str) -> str:
    """A message of msgspec without the record's own value, which may be anything, even a phone number, and of any size.

    A regular expression would look through the rest of the message from each place at which the value seems to begin.
    """
    begin, end = detail.find("enum value "), detail.rfind(" - at `")
    if 0 <= begin < end:
        detail = f"{detail[:begin]}value{detail[end:]}"
    return detail[:_LONGEST_DETAIL]
