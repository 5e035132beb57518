"""Decoding: turns whole batches of records into good events and refusals.

`models.events.scanning` reads nearly all records. The rest are read here one by one, strictly, and refused if they are
wrong. Every record becomes either one event or one refusal. The events keep their order, and no record depends on its
neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.base.number_keys import key_of
from models.base.packed import Packed
from models.events.batches import NAMED, NO_ID, UNREAD, Calls, Ids, Messages, kind_of
from models.events.event import MAX_BYTES, Call, RecordError, Refusal, Sms, decode_one
from models.events.scanning import LISTED, REFUSED, scan
from models.events.unescaping import spell
from models.texts.prefilter import traits_of


class Keyed(Protocol):
    """A record that is keyed by a subscriber."""

    @property
    def subscriber(self) -> str:
        """The number of the protected person."""
        ...


E = TypeVar("E", bound=Keyed)
B = TypeVar("B", covariant=True)


@dataclass(frozen=True, slots=True)
class Decoded(Generic[B]):
    """The good events of a batch in order, and the refused records."""

    events: B
    refusals: Sequence[Refusal] = ()


class Strict(Generic[E]):
    """Reads single records of one kind; records of a file are not ``keyed``: they alone name their subscriber."""

    def __init__(self, kind: type[E], *, keyed: bool = True) -> None:
        self._keyed = keyed
        self._decoder = msgspec.json.Decoder(kind)
        self._has_peer = kind in (Call, Sms)  # a signal's peer may be a domain

    def one(self, value: bytes | None, key: bytes | None) -> E:
        """Decode one record; raises `RecordError` with its reason."""
        if value is None:
            raise RecordError("empty", "The record has no value; an event cannot be deleted.")
        if len(value) > MAX_BYTES:
            raise RecordError("too-large", f"The record has {len(value)} bytes; {MAX_BYTES} are allowed.")
        event = decode_one(self._decoder, value)
        numbers = event.subscriber + (event.peer if self._has_peer else "")  # type: ignore[attr-defined]
        if not (numbers.isascii() and numbers.isdigit()):
            raise RecordError("impossible-number", "A number must be 2 to 15 ASCII digits.")
        if isinstance(event, Call) and event.phase == "end" and event.duration_s < 0:
            raise RecordError("wrong-field", "An end record needs duration_s.")
        if self._keyed and key != event.subscriber.encode():
            raise RecordError("wrong-key", "The record's key must be its subscriber.")
        return event


class _Scanned:
    """The columns that the scan of a batch has filled; single records can be filled in afterwards."""

    def __init__(self, records: Packed, keyed: bool, is_call: bool, scan: Callable[..., int] = scan) -> None:
        count = len(records)
        self.records = records
        self.subscribers = np.empty(count, dtype=np.int64)
        self.peers = np.empty(count, dtype=np.int64)
        self.times = np.empty(count, dtype=np.int64)
        self.durations = np.empty(count, dtype=np.float64)
        self.text_begins = np.empty(count, dtype=np.int64)
        self.text_ends = np.empty(count, dtype=np.int64)
        self.id_begins = np.empty(count, dtype=np.int64)
        self.id_ends = np.empty(count, dtype=np.int64)
        self.kinds = np.empty(count, dtype=np.uint8)
        self.forms = np.empty(count, dtype=np.uint8)
        scan(
            *(records.buffer, records.begins, records.ends, records.key_begins, records.key_ends, keyed, is_call),
            *(self.subscribers, self.peers, self.times, self.durations, self.text_begins, self.text_ends),
            *(self.id_begins, self.id_ends, self.kinds, self.forms),
        )

    def texts(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The texts in UTF-8, one after the other, and their ends; a record with an unsound text is left to msgspec."""
        texts = np.empty(int((self.text_ends - self.text_begins).sum()), dtype=np.uint8)
        ends = np.empty(len(self.records), dtype=np.int64)
        sound = np.empty(len(self.records), dtype=np.bool_)
        spell(self.records.buffer, self.text_begins, self.text_ends, texts, ends, sound)
        self.forms[~sound] = REFUSED
        return texts, ends

    def mend(self, one: Callable[[bytes | None, bytes | None], Any]) -> list[Refusal]:
        """Read the records that the scan has left, one by one, and return the refusals."""
        refusals: list[Refusal] = []
        for row in np.flatnonzero(self.forms == REFUSED).tolist():
            try:
                event = one(self.records.value(row), self.records.key(row))
            except RecordError as error:
                refusals.append(Refusal(row, error.reason, str(error)))
                continue
            self.subscribers[row], self.peers[row] = key_of(event.subscriber), key_of(event.peer)
            self.times[row], self.kinds[row] = event.at, kind_of(event)
            self.id_begins[row] = self.id_ends[row] = NO_ID
            if isinstance(event, Call):
                self.durations[row] = event.duration_s
        return refusals

    def good(self, refusals: Sequence[Refusal]) -> Any:
        """The rows of good events: a slice of all, or a mask."""
        if not refusals:
            return slice(None)
        kept = np.ones(len(self.records), dtype=np.bool_)
        kept[[refusal.index for refusal in refusals]] = False
        return kept


class CallReader(Strict[Call]):
    """Reads batches of call records."""

    def __init__(self, *, keyed: bool = True) -> None:
        super().__init__(Call, keyed=keyed)

    def read(self, records: Packed) -> Decoded[Calls]:
        """The calls of a batch."""
        found = _Scanned(records, self._keyed, is_call=True)
        refusals = found.mend(self.one)
        ids = Ids(found.id_begins, found.id_ends)
        calls = Calls(records, found.subscribers, found.peers, found.times, found.kinds, ids, found.durations)
        return Decoded(calls[found.good(refusals)], refusals)


class MessageReader(Strict[Sms]):
    """Reads batches of SMS records and finds the traits of their texts."""

    def __init__(self, *, keyed: bool = True) -> None:
        super().__init__(Sms, keyed=keyed)

    def read(self, records: Packed) -> Decoded[Messages]:
        """The SMS of a batch."""
        found = _Scanned(records, self._keyed, is_call=False)
        texts, ends = found.texts()
        traits = traits_of(texts, ends)
        traits[found.forms == LISTED] |= NAMED
        traits[found.forms == REFUSED] |= UNREAD
        refusals = found.mend(self.one)
        begins = np.concatenate((np.zeros(1, dtype=np.int64), ends))[:-1]
        ids = Ids(found.id_begins, found.id_ends)
        messages = Messages(
            *(records, found.subscribers, found.peers, found.times, found.kinds, ids),
            *(traits, texts, begins, ends),
        )
        return Decoded(messages[found.good(refusals)], refusals)


class RareReader(Strict[E]):
    """Reads batches of rare records, each as a full object."""

    def read(self, records: Packed) -> Decoded[list[E]]:
        """The good records of a batch."""
        events: list[E] = []
        refusals: list[Refusal] = []
        for row in range(len(records)):
            try:
                events.append(self.one(records.value(row), records.key(row)))
            except RecordError as error:
                refusals.append(Refusal(row, error.reason, str(error)))
        return Decoded(events, refusals)
