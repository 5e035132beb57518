"""Signal records: reads batches of the topic ``signals``, in which look-backs, heartbeats and purges stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from numpy import int64
from numpy.typing import NDArray

from models.detection.signals import Heartbeat, Purge, SignalRecord, bounded
from models.events.decoding import RareReader
from models.events.event import RecordError, decode_one
from streams.kafka.publishing import HEARTBEAT, PURGE

Signals = Sequence[SignalRecord | Heartbeat | Purge]


class SignalReader(RareReader[SignalRecord]):
    """Reads batches of the topic ``signals``: look-backs' signals, heartbeats and purges."""

    def __init__(self) -> None:
        super().__init__(SignalRecord)
        self._others: dict[bytes, msgspec.json.Decoder[Any]] = {
            HEARTBEAT: msgspec.json.Decoder(Heartbeat),
            PURGE: msgspec.json.Decoder(Purge),
        }

    def one(self, value: bytes | None, key: bytes | None) -> SignalRecord | Heartbeat | Purge:  # type: ignore[override]
        """Decode one record; raises `RecordError` with its reason."""
        other = self._others.get(key or b"")
        if other is None:
            return super().one(value, key)
        if value is None:
            raise RecordError("empty", "The record has no value; a heartbeat or a purge cannot be deleted.")
        record: Heartbeat | Purge = decode_one(other, value)
        return record


def arrived(signals: Signals, appended: NDArray[int64]) -> Signals:
    """The signals; heartbeats and purges reach no further than their append times (epoch ms; below 0: not known)."""
    if all(isinstance(each, SignalRecord) for each in signals):
        return signals
    return [
        each if isinstance(each, SignalRecord) else bounded(each, at)
        for each, at in zip(signals, appended.tolist(), strict=True)
    ]
