"""Batches: the events of one Kafka batch, or of part of a file, as columns; single events are read on demand.

Almost every event is irrelevant, and the columns show that without making it an object. `models.events.decoding` fills
the columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.base.number_keys import number_of
from models.base.packed import Packed, shifted, shifts
from models.events.arrivals import Arrivals
from models.events.event import Call, CallRecord, Sms, SmsRecord
from models.events.scanning import ENDED, OUT

E = TypeVar("E", Call, Sms)

NO_ID: Final = -1
"""The begin of an id that is not in the record literally: it has to be read from the event."""

# Traits of an SMS, in addition to those of `models.texts.prefilter`.
UNREAD: Final = 8
"""The columns do not hold its text."""
NAMED: Final = 16
"""Its record lists domains itself."""


def kind_of(record: CallRecord | SmsRecord) -> int:
    """The kind of an event as bits: `OUT` and `ENDED` of `models.events.scanning`."""
    ended = isinstance(record, CallRecord) and record.phase == "end"
    return (OUT if record.direction == "out" else 0) | (ENDED if ended else 0)


@dataclass(frozen=True, slots=True, eq=False)
class Ids:
    """Where the ids of events begin and end in the buffer of their records (int64; `NO_ID`: read from the event)."""

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __getitem__(self, rows: slice | NDArray[Any]) -> Ids:
        """The ids of some of the events, in the order given."""
        return Ids(self.begins[rows], self.ends[rows])

    @classmethod
    def joined(cls, some: Sequence[Ids], records: Sequence[Packed]) -> Ids:
        """The ids of several batches whose records are joined."""
        places = [*zip(some, shifts([each.buffer for each in records]), strict=True)]
        return cls(
            np.concatenate([shifted(each.begins, shift) for each, shift in places]),
            np.concatenate([shifted(each.ends, shift) for each, shift in places]),
        )


Common = tuple[
    Packed, NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint8], Ids
]


@dataclass(frozen=True, slots=True, eq=False)
class Events(Generic[E]):
    """The fields that calls and SMS share, as columns of equal length."""

    records: Packed
    subscribers: NDArray[np.int64]
    """Number keys (`models.base.number_keys`), like ``peers``."""
    peers: NDArray[np.int64]
    sources: NDArray[np.uint8]
    """Who wrote the record: 0 for none, 1 for an unknown source, from 2 on those declared in the contract."""
    times: NDArray[np.int64]
    """Epoch milliseconds, event time."""
    kinds: NDArray[np.uint8]
    """`OUT` and `ENDED` of `models.events.scanning`."""
    ids: Ids
    arrivals: Arrivals | None = field(default=None, kw_only=True)
    """When the broker wrote them; None: not known for any of them."""

    _decode: ClassVar[Any]

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[E]:
        return map(self.event, range(len(self)))

    def event(self, row: int) -> E:
        """One event as an object, an SMS with its text."""
        event: E = self._decode(self.records.value(row)).event(number_of(self.peers[row]))
        if self.arrivals is not None and self.arrivals.ahead is not None and self.arrivals.ahead[row]:
            return msgspec.structs.replace(event, at=int(self.times[row]))
        return event

    def arrived(self, appended: NDArray[np.int64], tolerance: int) -> Self:
        """The events with their append times (epoch ms, or `models.events.arrivals.UNKNOWN`), which bound their times.

        An event that is dated more than ``tolerance`` milliseconds after its append time counts at its append time.
        """
        if not len(self) or appended.max() < 0:
            return self
        lead = self.times - appended
        if appended.min() >= 0 and lead.max() <= tolerance:  # nearly always
            return replace(self, arrivals=Arrivals(appended))
        ahead = (lead > tolerance) & (appended >= 0)
        return replace(self, times=np.where(ahead, appended, self.times), arrivals=Arrivals(appended, ahead))

    @property
    def trusted_times(self) -> NDArray[np.int64]:
        """The times that may move a clock forward: 0 for an event that was dated too far ahead."""
        if self.arrivals is None or self.arrivals.ahead is None:
            return self.times
        return np.where(self.arrivals.ahead, 0, self.times)

    def _arrivals(self, rows: slice | NDArray[Any]) -> Arrivals | None:
        return None if self.arrivals is None else self.arrivals[rows]

    def _some(self, rows: slice | NDArray[Any]) -> Common:
        """The common columns of some of the events, in the order given."""
        return (
            self.records[rows],
            self.subscribers[rows],
            self.peers[rows],
            self.sources[rows],
            self.times[rows],
            self.kinds[rows],
            self.ids[rows],
        )

    @staticmethod
    def _all(some: Sequence[Events[Any]]) -> Common:
        """The common columns of several batches as one."""
        records = [each.records for each in some]
        return (
            Packed.joined(records),
            np.concatenate([each.subscribers for each in some]),
            np.concatenate([each.peers for each in some]),
            np.concatenate([each.sources for each in some]),
            np.concatenate([each.times for each in some]),
            np.concatenate([each.kinds for each in some]),
            Ids.joined([each.ids for each in some], records),
        )

    @staticmethod
    def _all_arrivals(some: Sequence[Events[Any]]) -> Arrivals | None:
        return Arrivals.joined([each.arrivals for each in some], [len(each) for each in some])


@dataclass(frozen=True, slots=True, eq=False)
class Calls(Events[Call]):
    """Calls as columns; ``durations`` are talk times in seconds, -1 where none is given."""

    durations: NDArray[np.float64]

    _decode: ClassVar[Any] = msgspec.json.Decoder(CallRecord).decode

    def __getitem__(self, rows: slice | NDArray[Any]) -> Calls:
        """Some of the events, in the order given."""
        return Calls(*self._some(rows), self.durations[rows], arrivals=self._arrivals(rows))

    @classmethod
    def joined(cls, some: Sequence[Calls]) -> Calls:
        """Several batches as one."""
        if len(some) == 1:
            return some[0]
        return cls(*cls._all(some), np.concatenate([each.durations for each in some]), arrivals=cls._all_arrivals(some))


@dataclass(frozen=True, slots=True, eq=False)
class Messages(Events[Sms]):
    """SMS as columns, with their texts in UTF-8, one after the other."""

    traits: NDArray[np.uint8]
    """The traits of each text as bits: those of `models.texts.prefilter`, `UNREAD` and `NAMED`."""
    texts: NDArray[np.uint8]
    text_begins: NDArray[np.int64]
    text_ends: NDArray[np.int64]

    _decode: ClassVar[Any] = msgspec.json.Decoder(SmsRecord).decode

    def __getitem__(self, rows: slice | NDArray[Any]) -> Messages:
        """Some of the events, in the order given."""
        return Messages(
            *self._some(rows),
            *(self.traits[rows], self.texts, self.text_begins[rows], self.text_ends[rows]),
            arrivals=self._arrivals(rows),
        )

    @classmethod
    def joined(cls, some: Sequence[Messages]) -> Messages:
        """Several batches as one."""
        if len(some) == 1:
            return some[0]
        places = [*zip(some, shifts([each.texts for each in some]), strict=True)]
        return cls(
            *cls._all(some),
            np.concatenate([each.traits for each in some]),
            np.concatenate([each.texts for each in some]),
            np.concatenate([each.text_begins + shift for each, shift in places]),
            np.concatenate([each.text_ends + shift for each, shift in places]),
            arrivals=cls._all_arrivals(some),
        )
