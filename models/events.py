"""Events: one call or SMS record each, decoded a whole Kafka batch at a time.

First step of the hot path. ``decode_batch`` joins the values of a batch and lets msgspec read them in one go; when
anything at all is off it falls back to one record at a time, so that a poisoned record costs only itself and can
never shift its neighbours. What comes out is valid; what does not is a ``Refusal`` with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Generic, Literal, Protocol, TypeVar

import msgspec
from msgspec import Meta, Struct

MAX_BYTES = 1_000_000
"""A record's greatest size; a larger one is refused."""

EARLIEST = 946_684_800_000
"""2000-01-01 in epoch milliseconds: an earlier time is a clock or unit error (seconds look like January 1970)."""

LATEST = 4_102_444_800_000
"""2100-01-01 in epoch milliseconds: a later time is a clock or unit error."""

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Number = Annotated[str, Meta(min_length=2, max_length=15)]
"""E.164 digits without ``+`` (15 at most, ITU-T E.164), or a short code; that they are digits is checked by batch."""
Time = Annotated[int, Meta(ge=EARLIEST, le=LATEST)]
Seconds = Annotated[float, Meta(ge=0, le=31_536_000)]

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


class Sms(Struct, gc=False, frozen=True):
    """One SMS. Its text is read in memory only: nothing past the engine's reading of it may hold it."""

    id: Id
    subscriber: Number
    peer: Number
    direction: Literal["in", "out"]
    at: Time
    text: str | None = None
    domains: list[str] | None = None


class Keyed(Protocol):
    """What every record keyed by a subscriber has."""

    @property
    def subscriber(self) -> str:
        """The protected person's number."""
        ...


E_co = TypeVar("E_co", bound=Keyed, covariant=True)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that was refused: its index in the batch, the reason (a metric's label), a detail for its reader."""

    index: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Decoded(Generic[E_co]):
    """The good events of a batch in their order, and the refused records."""

    events: Sequence[E_co]
    refusals: Sequence[Refusal] = field(default=())


class RecordError(ValueError):
    """A record is not what its contract says; ``reason`` is a short kebab-case word."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Reader(Generic[E_co]):
    """Decodes batches of one kind of event; make one per kind and keep it.

    Guarantees: the events come out in order; every record is either one event or one refusal.
    """

    def __init__(self, kind: type[E_co]) -> None:
        self._decoder = msgspec.json.Decoder(kind)
        self._calls = kind is Call
        self._peers = kind in (Call, Sms)  # a signal's peer may be a domain

    def batch(self, values: Sequence[bytes | None], keys: Sequence[bytes | None] | None) -> Decoded[E_co]:
        """Decode a batch of values with their keys (two sequences of one length); None: from a file, without keys."""
        events = self._whole(values, keys)
        if events is not None:
            return Decoded(events)
        good: list[E_co] = []
        refused: list[Refusal] = []
        keyed = keys is not None
        for index, (value, key) in enumerate(zip(values, keys or [None] * len(values), strict=True)):
            try:
                good.append(self.one(value, key, keyed=keyed))
            except RecordError as error:
                refused.append(Refusal(index, error.reason, str(error)))
        return Decoded(good, refused)

    def one(self, value: bytes | None, key: bytes | None, *, keyed: bool = True) -> E_co:
        """Decode one record; raises `RecordError` with its reason. A record of a file is not ``keyed``."""
        if value is None:
            raise RecordError("empty", "The record has no value; an event cannot be deleted.")
        if len(value) > MAX_BYTES:
            raise RecordError("too-large", f"The record has {len(value)} bytes; {MAX_BYTES} are allowed.")
        event = decode_one(self._decoder, value)
        numbers = [event.subscriber]
        if self._peers:
            numbers.append(event.peer)  # type: ignore[attr-defined]
        if not _are_digits(numbers):
            raise RecordError("impossible-number", "A number must be 2 to 15 ASCII digits.")
        if self._calls and _lacks_duration(event):
            raise RecordError("wrong-field", "An end record needs duration_s.")
        if keyed and key != event.subscriber.encode():
            raise RecordError("wrong-key", "The record's key must be its subscriber.")
        return event

    def _whole(self, values: Sequence[bytes | None], keys: Sequence[bytes | None] | None) -> list[E_co] | None:
        """All events of the batch, or None when any record needs a look of its own."""
        count = len(values)
        if count == 0:
            return []
        try:
            joined = b"\n".join(values)  # type: ignore[arg-type]
            key_column = None if keys is None else b"\n".join(keys)  # type: ignore[arg-type]
        except TypeError:  # a tombstone, or no key
            return None
        # One object a line, by structure: with a brace at both ends of every line, no newline within one (msgspec
        # refuses raw newlines in strings), and as many objects as lines, no record can lend to its neighbour.
        if (
            joined[:1] != b"{"
            or joined[-1:] != b"}"
            or joined.count(b"\n") != count - 1
            or joined.count(b"}\n{") != count - 1
            or (len(joined) > MAX_BYTES and max(map(len, values)) > MAX_BYTES)  # type: ignore[arg-type]
        ):
            return None
        try:
            if not joined.isascii():
                joined.decode()  # skipped fields are not checked by msgspec
            events: list[E_co] = self._decoder.decode_lines(joined)
        except (ValueError, RecursionError):
            return None
        if len(events) != count:
            return None
        subscribers = [event.subscriber for event in events]
        if key_column is not None and "\n".join(subscribers).encode() != key_column:
            return None
        if self._peers:
            subscribers += [event.peer for event in events]  # type: ignore[attr-defined]
        if not _are_digits(subscribers):
            return None
        # A list: a generator would take longer.
        if self._calls and any([event.duration_s < 0 and event.phase == "end" for event in events]):  # type: ignore[attr-defined]  # noqa: C419
            return None
        return events


Event_co = TypeVar("Event_co", covariant=True)


def decode_one(decoder: msgspec.json.Decoder[Event_co], value: bytes) -> Event_co:
    """Decode one JSON record; raises `RecordError` saying whether encoding, JSON, shape or a field is wrong."""
    try:
        value.decode()
    except UnicodeDecodeError as error:
        raise RecordError("not-utf8", f"The record is not UTF-8 at byte {error.start}.") from None
    try:
        return decoder.decode(value)
    except msgspec.ValidationError as error:
        detail = str(error)
        if "`$" not in detail:
            raise RecordError("not-an-object" if "Expected `object`" in detail else "wrong-field", detail) from None
        if "`$.at`" in detail and "int` " in detail:
            raise RecordError("impossible-time", f"at must be epoch milliseconds of 2000 to 2100: {detail}") from None
        raise RecordError("wrong-field", detail) from None
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise RecordError("not-json", f"{type(error).__name__}: {error}") from None


def _are_digits(numbers: Sequence[str]) -> bool:
    column = "".join(numbers)
    return column.isascii() and column.isdigit()


def _lacks_duration(event: object) -> bool:
    return isinstance(event, Call) and event.phase == "end" and event.duration_s < 0
