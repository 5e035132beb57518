"""Batches: the events of one Kafka batch, or of a piece of a file, as columns; single ones are read when asked for.

Almost every event means nothing, so none is made an object to find that out. `models.decoding` fills the columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.events import Call, Sms
from models.packed import Packed
from models.scanning import ENDED, OUT

NO_ID: Final = -1
"""Where an id begins that does not stand in the record as it is: it has to be read out of the event."""

# Marks of an SMS beside those of `models.skimming`.
UNREAD: Final = 8
"""The columns do not hold its text."""
NAMED: Final = 16
"""Its record names domains of its own."""


def kind_of(event: Call | Sms) -> int:
    """The bits of `models.scanning` that say what kind of an event one is."""
    ended = isinstance(event, Call) and event.phase == "end"
    return (OUT if event.direction == "out" else 0) | (ENDED if ended else 0)


@dataclass(frozen=True, slots=True, eq=False)
class Ids:
    """Where the events' ids begin and end in the buffer of their records (int64; `NO_ID`: to be read)."""

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __getitem__(self, rows: slice | NDArray[Any]) -> Ids:
        """Some of them."""
        return Ids(self.begins[rows], self.ends[rows])

    @classmethod
    def joined(cls, some: Sequence[Ids], records: Sequence[Packed]) -> Ids:
        """Those of several batches whose records are joined."""
        shifts = np.cumsum([0, *(len(each.buffer) for each in records[:-1])]).tolist()
        places = [*zip(some, shifts, strict=True)]
        return cls(
            np.concatenate([np.where(each.begins < 0, each.begins, each.begins + shift) for each, shift in places]),
            np.concatenate([np.where(each.ends < 0, each.ends, each.ends + shift) for each, shift in places]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """Calls as columns of one length; ``durations`` are talk times in seconds, -1 where none is given."""

    records: Packed
    subscribers: NDArray[np.int64]
    """Codes (`models.codes`), as are the peers."""
    peers: NDArray[np.int64]
    times: NDArray[np.int64]
    """Epoch milliseconds, event time."""
    kinds: NDArray[np.uint8]
    """`OUT` and `ENDED` of `models.scanning`."""
    ids: Ids
    durations: NDArray[np.float64]

    _decode: ClassVar[Any] = msgspec.json.Decoder(Call).decode

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, rows: slice | NDArray[Any]) -> Calls:
        """Some of the events, in the order given."""
        return Calls(
            self.records[rows],
            self.subscribers[rows],
            self.peers[rows],
            self.times[rows],
            self.kinds[rows],
            self.ids[rows],
            self.durations[rows],
        )

    @classmethod
    def joined(cls, some: Sequence[Calls]) -> Calls:
        """Several batches as one."""
        if len(some) == 1:
            return some[0]
        records = [each.records for each in some]
        return cls(
            Packed.joined(records),
            np.concatenate([each.subscribers for each in some]),
            np.concatenate([each.peers for each in some]),
            np.concatenate([each.times for each in some]),
            np.concatenate([each.kinds for each in some]),
            Ids.joined([each.ids for each in some], records),
            np.concatenate([each.durations for each in some]),
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
    kinds: NDArray[np.uint8]
    """`OUT` of `models.scanning`."""
    ids: Ids
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
            self.kinds[rows],
            self.ids[rows],
            self.marks[rows],
            self.texts,
            self.text_begins[rows],
            self.text_ends[rows],
        )

    @classmethod
    def joined(cls, some: Sequence[Messages]) -> Messages:
        """Several batches as one."""
        if len(some) == 1:
            return some[0]
        records = [each.records for each in some]
        shifts = np.cumsum([0, *(len(each.texts) for each in some[:-1])]).tolist()
        places = [*zip(some, shifts, strict=True)]
        return cls(
            Packed.joined(records),
            np.concatenate([each.subscribers for each in some]),
            np.concatenate([each.peers for each in some]),
            np.concatenate([each.times for each in some]),
            np.concatenate([each.kinds for each in some]),
            Ids.joined([each.ids for each in some], records),
            np.concatenate([each.marks for each in some]),
            np.concatenate([each.texts for each in some]),
            np.concatenate([each.text_begins + shift for each, shift in places]),
            np.concatenate([each.text_ends + shift for each, shift in places]),
        )

    def __iter__(self) -> Iterator[Sms]:
        return map(self.event, range(len(self)))

    def event(self, row: int) -> Sms:
        """One event as an object, with its text."""
        message: Sms = Messages._decode(self.records.value(row))
        return message
