"""Batches: the events of one Kafka batch, or of a piece of a file, as columns; single ones are read when asked for.

Almost every event means nothing, so none is made an object to find that out. `models.decoding` fills the columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.events import Call, Sms
from models.packed import Packed

# Marks of an SMS beside those of `models.skimming`.
UNREAD: Final = 8
"""The columns do not hold its text."""
NAMED: Final = 16
"""Its record names domains of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """Calls as columns of one length; ``durations`` are talk times in seconds, -1 where none is given."""

    records: Packed
    subscribers: NDArray[np.int64]
    """Codes (`models.codes`), as are the peers."""
    peers: NDArray[np.int64]
    times: NDArray[np.int64]
    """Epoch milliseconds, event time."""
    durations: NDArray[np.float64]

    _decode: ClassVar[Any] = msgspec.json.Decoder(Call).decode

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, rows: slice | NDArray[Any]) -> Calls:
        """Some of the events, in the order given."""
        return Calls(
            self.records[rows], self.subscribers[rows], self.peers[rows], self.times[rows], self.durations[rows]
        )

    def __iter__(self) -> Iterator[Call]:
        return map(self.event, range(len(self)))

    def event(self, row: int) -> Call:
        """One event as an object."""
        call: Call = Calls._decode(self.records.value(row))
        return call


@dataclass(frozen=True, slots=True, eq=False)
class Messages:
    """SMS as columns of one length, and their texts in UTF-8, one behind the other."""

    records: Packed
    subscribers: NDArray[np.int64]
    """Codes (`models.codes`), as are the peers."""
    peers: NDArray[np.int64]
    times: NDArray[np.int64]
    """Epoch milliseconds, event time."""
    marks: NDArray[np.uint8]
    """What the text has that may mean something, by bits: those of `models.skimming`, `UNREAD` and `NAMED`."""
    texts: NDArray[np.uint8]
    text_begins: NDArray[np.int64]
    text_ends: NDArray[np.int64]

    _decode: ClassVar[Any] = msgspec.json.Decoder(Sms).decode

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, rows: slice | NDArray[Any]) -> Messages:
        """Some of the events, in the order given."""
        return Messages(
            self.records[rows],
            self.subscribers[rows],
            self.peers[rows],
            self.times[rows],
            self.marks[rows],
            self.texts,
            self.text_begins[rows],
            self.text_ends[rows],
        )

    def __iter__(self) -> Iterator[Sms]:
        return map(self.event, range(len(self)))

    def event(self, row: int) -> Sms:
        """One event as an object, with its text."""
        message: Sms = Messages._decode(self.records.value(row))
        return message
