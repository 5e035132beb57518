"""Decoding: turns whole batches of records into good events and refusals.

`models.events.scanning` reads nearly all records, and `models.events.parties` their numbers. The rest are read here one
by one, strictly, and refused if they are wrong. Every record becomes either one event or one refusal. The events keep
their order, and no record depends on its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.base.number_keys import key_of
from models.base.packed import Packed
from models.events.batches import NAMED, NO_ID, UNREAD, Calls, Common, Ids, Messages, kind_of
from models.events.event import (
    MAX_BYTES,
    Call,
    CallRecord,
    RecordError,
    Refusal,
    Sms,
    SmsRecord,
    decode_one,
)
from models.events.numbering import CHINA, Sources, sender_key
from models.events.parties import ASK_PEER, ASK_SUBSCRIBER, read_parties
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
R = TypeVar("R", bound=CallRecord | SmsRecord)
V = TypeVar("V", Call, Sms)
B = TypeVar("B", covariant=True)


@dataclass(frozen=True, slots=True)
class Decoded(Generic[B]):
    """The good events of a batch in order, and the refused records."""

    events: B
    refusals: Sequence[Refusal] = ()

    def kept(self, column: NDArray[np.int64]) -> NDArray[np.int64]:
        """A column of the batch without the records that were refused."""
        if not self.refusals:
            return column
        return np.delete(column, [refusal.index for refusal in self.refusals])


_NOT_NORMAL: Final = (
    "The subscriber must be in normal form, since it is the record's key: E.164 digits without + and without trunk "
    "zeros, for example 8610000000001."
)


class _Strict(Generic[E]):
    """Reads single records of one kind; records of a file are not ``keyed``: they alone name their subscriber."""

    def __init__(self, kind: type[E], keyed: bool) -> None:
        self._keyed = keyed
        self._decoder = msgspec.json.Decoder(kind)

    def _decoded(self, value: bytes | None) -> E:
        if value is None:
            raise RecordError("empty", "The record has no value; an event cannot be deleted.")
        if len(value) > MAX_BYTES:
            raise RecordError("too-large", f"The record has {len(value)} bytes; {MAX_BYTES} are allowed.")
        return decode_one(self._decoder, value)

    def _check_key(self, record: E, key: bytes | None) -> None:
        if self._keyed and key != record.subscriber.encode():
            raise RecordError("wrong-key", "The record's key must be its subscriber.")


class Read(NamedTuple):
    """One record that was read strictly, with the number of its peer (empty: none) and the code of its source."""

    record: Any
    peer: str
    source: int


class _EventReader(_Strict[R], Generic[R, V]):
    """Reads records of calls or SMS, with numbers written as the contract says for their ``sources``."""

    def __init__(self, kind: type[R], sources: Sources, keyed: bool) -> None:
        super().__init__(kind, keyed)
        self._sources = sources

    def one(self, value: bytes | None, key: bytes | None) -> V:
        """Read one record; raises `RecordError` with its reason."""
        read = self._one(value, key)
        event: V = read.record.event(read.peer)
        return event

    def _one(self, value: bytes | None, key: bytes | None) -> Read:
        record = self._decoded(value)
        source = self._sources.code(record.source)
        numbering = self._sources.numbering(source)
        if not numbering.is_normal(record.subscriber):
            raise RecordError("subscriber-form", _NOT_NORMAL)
        try:
            peer = numbering.peer(record.peer)
        except ValueError as error:
            if isinstance(record, CallRecord):
                raise RecordError("impossible-number", f"The peer is no number: {error}.") from None
            peer = ""
        if isinstance(record, CallRecord) and record.phase == "end" and record.duration_s < 0:
            raise RecordError("wrong-field", "An end record needs duration_s.")
        self._check_key(record, key)
        return Read(record, peer, source)


class _Scanned:
    """The columns that the scan of a batch has filled; single records can be filled in afterwards."""

    def __init__(
        self, records: Packed, sources: Sources, keyed: bool, is_call: bool, scan: Callable[..., int] = scan
    ) -> None:
        count = len(records)
        self.records = records
        self._sources = sources
        self.subscribers = np.empty(count, dtype=np.int64)
        self.peers = np.empty(count, dtype=np.int64)
        self.sources = np.empty(count, dtype=np.uint8)
        self.times = np.empty(count, dtype=np.int64)
        self.durations = np.empty(count, dtype=np.float64)
        self.text_begins = np.empty(count, dtype=np.int64)
        self.text_ends = np.empty(count, dtype=np.int64)
        self.id_begins = np.empty(count, dtype=np.int64)
        self.id_ends = np.empty(count, dtype=np.int64)
        self.kinds = np.empty(count, dtype=np.uint8)
        self.forms = np.empty(count, dtype=np.uint8)
        peer_begins, source_begins = np.empty((2, count), dtype=np.int64)
        scan(
            *(records.buffer, records.begins, records.ends, records.key_begins, records.key_ends, keyed, is_call),
            *(self.subscribers, self.peers, peer_begins, source_begins, self.times, self.durations),
            *(self.text_begins, self.text_ends, self.id_begins, self.id_ends, self.kinds, self.forms),
        )
        self.is_unread, self.is_listed = self.forms == REFUSED, self.forms == LISTED
        """Masks of the records whose texts are not in the columns, and of those that list domains."""
        self._read_parties(peer_begins, source_begins, is_call)

    def _read_parties(self, peer_begins: NDArray[np.int64], source_begins: NDArray[np.int64], is_call: bool) -> None:
        """Fill in peers and sources; a record with a wrong number is left to be read one by one."""
        tables = self._sources.tables
        asked = np.empty(len(self.records), dtype=np.uint8)
        read_parties(
            *(self.records.buffer, peer_begins, source_begins, is_call),
            *(tables.withheld, tables.names, tables.name_ends, tables.table_of),
            *(tables.begins, tables.lows, tables.highs, tables.deltas),
            *(self.forms, self.subscribers, self.peers, self.sources, asked),
        )
        peers, subscribers = np.flatnonzero(asked & ASK_PEER), np.flatnonzero(asked & ASK_SUBSCRIBER)
        self.peers[peers] = self._normal_keys(peers, self.peers)
        is_other = self._normal_keys(subscribers, self.subscribers) != self.subscribers[subscribers]
        self.forms[peers[self.peers[peers] == 0]] = REFUSED
        self.forms[subscribers[is_other]] = REFUSED

    def _normal_keys(self, rows: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The keys of the normal forms of some written keys, 0 where there is none."""
        found = map(self._sources.normal_key, self.sources[rows].tolist(), keys[rows].tolist())
        return np.fromiter(found, dtype=np.int64, count=len(rows))

    def texts(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The texts in UTF-8, one after the other, and their ends; a record with an unsound text is left to msgspec."""
        texts = np.empty(int((self.text_ends - self.text_begins).sum()), dtype=np.uint8)
        ends = np.empty(len(self.records), dtype=np.int64)
        sound = np.empty(len(self.records), dtype=np.bool_)
        spell(self.records.buffer, self.text_begins, self.text_ends, texts, ends, sound)
        self.forms[~sound] = REFUSED
        self.is_unread |= ~sound
        return texts, ends

    def mend(self, one: Callable[[bytes | None, bytes | None], Read]) -> list[Refusal]:
        """Read the records that the scan has left, one by one, and return the refusals."""
        refusals: list[Refusal] = []
        for row in np.flatnonzero(self.forms == REFUSED).tolist():
            try:
                record, peer, source = one(self.records.value(row), self.records.key(row))
            except RecordError as error:
                refusals.append(Refusal(row, error.reason, str(error)))
                continue
            self.subscribers[row], self.peers[row] = key_of(record.subscriber), sender_key(peer, record.peer)
            self.sources[row] = source
            self.times[row], self.kinds[row] = record.at, kind_of(record)
            self.id_begins[row] = self.id_ends[row] = NO_ID
            if isinstance(record, CallRecord):
                self.durations[row] = record.duration_s
        return refusals

    def good(self, refusals: Sequence[Refusal]) -> Any:
        """The rows of good events: a slice of all, or a mask."""
        if not refusals:
            return slice(None)
        kept = np.ones(len(self.records), dtype=np.bool_)
        kept[[refusal.index for refusal in refusals]] = False
        return kept

    def common(self) -> Common:
        """The columns that calls and SMS share, in the order of `models.events.batches.Events`."""
        ids = Ids(self.id_begins, self.id_ends)
        return self.records, self.subscribers, self.peers, self.sources, self.times, self.kinds, ids


class CallReader(_EventReader[CallRecord, Call]):
    """Reads batches of call records."""

    def __init__(self, sources: Sources = CHINA, *, keyed: bool = True) -> None:
        super().__init__(CallRecord, sources, keyed)

    def read(self, records: Packed) -> Decoded[Calls]:
        """The calls of a batch."""
        found = _Scanned(records, self._sources, self._keyed, is_call=True)
        refusals = found.mend(self._one)
        calls = Calls(*found.common(), found.durations)
        return Decoded(calls[found.good(refusals)], refusals)


class MessageReader(_EventReader[SmsRecord, Sms]):
    """Reads batches of SMS records and finds the traits of their texts."""

    def __init__(self, sources: Sources = CHINA, *, keyed: bool = True) -> None:
        super().__init__(SmsRecord, sources, keyed)

    def read(self, records: Packed) -> Decoded[Messages]:
        """The SMS of a batch."""
        found = _Scanned(records, self._sources, self._keyed, is_call=False)
        texts, ends = found.texts()
        traits = traits_of(texts, ends)
        traits[found.is_listed] |= NAMED
        traits[found.is_unread] |= UNREAD
        refusals = found.mend(self._one)
        begins = np.concatenate((np.zeros(1, dtype=np.int64), ends))[:-1]
        messages = Messages(*found.common(), traits, texts, begins, ends)
        return Decoded(messages[found.good(refusals)], refusals)


class RareReader(_Strict[E]):
    """Reads batches of rare records, each as a full object."""

    def __init__(self, kind: type[E], *, keyed: bool = True) -> None:
        super().__init__(kind, keyed)

    def one(self, value: bytes | None, key: bytes | None) -> E:
        """Read one record; raises `RecordError` with its reason."""
        record = self._decoded(value)
        if not (record.subscriber.isascii() and record.subscriber.isdigit()):
            raise RecordError("impossible-number", "A number must be 2 to 15 ASCII digits.")
        self._check_key(record, key)
        return record

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
