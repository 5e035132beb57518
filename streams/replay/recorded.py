"""Recorded: what the records of a file say about their arrival, so that a recorded topic replays as it was read live.

A record of a file may carry ``appended``, the broker's append time (epoch ms) of the record that it is a copy of. Then
it counts as it did live. A record without it is bounded by nothing. Only a file is believed: in a live record the field
means nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta

from models.base.packed import Packed
from models.detection.signals import Heartbeat, Purge, SignalRecord, bounded
from models.events.arrivals import UNKNOWN
from models.events.decoding import Decoded, RareReader
from models.events.event import RecordError, Refusal, Time, decode_one
from streams.kafka.partitioning import partition_of

Read = Callable[[Packed], Decoded[Any]]

_FIELD = b'"appended"'


class _Copy(msgspec.Struct, gc=False):
    """The fields that only a copy of a record has."""

    appended: int = UNKNOWN


_copy = msgspec.json.Decoder(_Copy)


def recorded(read: Read, tolerance: int) -> Read:
    """A reader of the lines of call or SMS files, whose event times are bounded by the append times in the lines.

    ``tolerance`` is the policy's, in milliseconds.
    """

    def bounded(lines: Packed) -> Decoded[Any]:
        decoded = read(lines)
        if _FIELD not in lines.buffer.tobytes():
            return decoded
        events = decoded.events
        values = map(events.records.value, range(len(events)))
        appended = np.array([_appended(value) for value in values], dtype=np.int64)
        return Decoded(events.arrived(appended, tolerance), decoded.refusals)

    return bounded


def _appended(value: bytes) -> int:
    try:
        return _copy.decode(value).appended
    except msgspec.ValidationError:
        return UNKNOWN


class RecordedSignal(NamedTuple):
    """A record of the topic ``signals`` with its place in the logs."""

    appended: int
    """When the broker wrote it (epoch ms)."""
    partition: int
    record: SignalRecord | Heartbeat | Purge


class _Place(msgspec.Struct, gc=False):
    appended: Time
    partition: Annotated[int, Meta(ge=0)] | None = None
    until: int | None = None
    before: int | None = None


class RecordedSignals(RareReader[SignalRecord]):
    """Reads the lines of a recorded topic ``signals``.

    Each needs ``appended``; a heartbeat, which has no subscriber, needs its ``partition`` as well.
    """

    def __init__(self, partitions: int) -> None:
        super().__init__(SignalRecord, keyed=False)
        self._partitions = partitions
        self._places = msgspec.json.Decoder(_Place)
        self._heartbeats = msgspec.json.Decoder(Heartbeat)
        self._purges = msgspec.json.Decoder(Purge)

    def signals(self, lines: Packed) -> Decoded[list[RecordedSignal]]:
        """The good records of some lines."""
        found: list[RecordedSignal] = []
        refusals: list[Refusal] = []
        for row in range(len(lines)):
            try:
                found.append(self._signal(lines.value(row) or b""))
            except RecordError as error:
                refusals.append(Refusal(row, error.reason, str(error)))
        return Decoded(found, refusals)

    def _signal(self, value: bytes) -> RecordedSignal:
        place = decode_one(self._places, value)
        if place.before is not None:
            purge = decode_one(self._purges, value)
            number = partition_of(purge.subscriber.encode(), self._partitions)
            return RecordedSignal(place.appended, number, bounded(purge, place.appended))
        if place.until is None:
            record = self.one(value, None)
            return RecordedSignal(place.appended, partition_of(record.subscriber.encode(), self._partitions), record)
        if place.partition is None or place.partition >= self._partitions:
            raise RecordError("wrong-field", f"A heartbeat needs its partition, below {self._partitions}.")
        heartbeat = decode_one(self._heartbeats, value)
        return RecordedSignal(place.appended, place.partition, bounded(heartbeat, place.appended))
