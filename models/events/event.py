"""Events: the form of one call or SMS record, and the strict reading of a single record.

Every decoded event is valid; an invalid record is refused with a reason. `models.events.decoding` reads batches.
"""

from __future__ import annotations

import re
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
Seconds = Annotated[float, Meta(ge=0, le=31_536_000)]
LONGEST_CELL = 64

NO_DURATION = -1.0


class Call(Struct, gc=False, frozen=True):
    """One phase of a call: ``at`` is the moment of that phase, ``duration_s`` the talk time in the end record."""

    id: Id
    subscriber: Number
    peer: Number
    direction: Literal["in", "out"]
    phase: Literal["start", "end"]
    at: Time
    duration_s: Seconds = NO_DURATION
    cell: object = None
    """Read with `cell_of`: an invalid cell is no reason to refuse the record."""


class Sms(Struct, gc=False, frozen=True):
    """One SMS; its text is read in memory only, by the engine and soon after for the links that the ledger keeps."""

    id: Id
    subscriber: Number
    peer: Number
    direction: Literal["in", "out"]
    at: Time
    text: str | None = None
    domains: list[str] | None = None
    cell: object = None


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


_ECHO = re.compile(r"enum value .*(?= - at `)", re.DOTALL)
"""The part of a msgspec message that repeats the record's value, which may be anything, even a phone number."""

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
        detail = _ECHO.sub("value", str(error))
        if "`$" not in detail:
            raise RecordError("not-an-object" if "Expected `object`" in detail else "wrong-field", detail) from None
        if "`$.at`" in detail and "int` " in detail:
            raise RecordError("impossible-time", f"at must be epoch milliseconds of 2000 to 2100: {detail}") from None
        raise RecordError("wrong-field", detail) from None
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise RecordError("not-json", f"{type(error).__name__}: {error}") from None
