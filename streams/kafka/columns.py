"""Columns: many records as arrays, the unit that travels from Kafka through Faust to the scoring agent.

They are made straight from the bytes of a fetch, in one compiled pass without Python's global lock. An object for each
record would be half the cost of reading. See ``docs/decisions/0001-batches-of-columns.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import Any, Final, NamedTuple

import numpy as np
from aiokafka import codec
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords
from numpy.typing import NDArray

from models.base.compiled import compiled
from models.base.packed import Packed
from models.events.arrivals import UNKNOWN

MOST_RECORDS = 8192
"""Records in one batch at most; it bounds how long one batch may hold the event loop."""

# A record batch of message format v2 (Kafka's protocol guide, "Record Batch").
_HEADER = Struct(">qiibIhiqqqhii")
_LOG_OVERHEAD = 12
_COMPRESSION, _LOG_APPEND_TIME = 0x07, 0x08
_DECODERS: Final[dict[int, Callable[[bytes], Any]]] = {
    1: codec.gzip_decode,
    2: codec.snappy_decode,
    3: codec.lz4_decode,
    4: codec.zstd_decode,
}


class RawRecords(MemoryRecords):  # type: ignore[misc]
    """aiokafka's records of one fetch, with the bytes that they were made from."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self.raw = raw


class Record(NamedTuple):
    """One record as Kafka holds it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    @classmethod
    def of(cls, record: Any) -> Record:
        """The record that aiokafka has read, in this form."""
        place = record.topic, record.partition, record.offset, record.timestamp
        return cls(*place, record.key, record.value, tuple(record.headers))


@dataclass(slots=True, eq=False)
class Columns:
    """Records of one topic partition in offset order, as arrays of one length.

    The batch covers the log from ``start`` to before ``upto``. That is more than its records where offsets hold none
    for us: compaction has removed them, they mark the end of a transaction, or their transaction was aborted. A batch
    may cover a range of the log and have no record at all; it moves the position.

    Shared between threads: the consumer's thread makes it and passes it to the event loop, and the ledger's thread
    reads its buffer while it makes rows. It needs no lock, because nothing changes it after the consumer's thread has
    set ``content``.
    """

    topic: str
    partition: int
    offsets: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    appended: NDArray[np.int64]
    """When the broker wrote each record (epoch ms), or `UNKNOWN`: its topic did not keep that time."""
    records: Packed
    headers: NDArray[np.int64]
    """Where the headers of each record begin in the buffer of ``records``; their count comes first."""
    start: int
    upto: int
    content: Any = field(default=None)
    """The result of the transport's reader for the topic; None for a part of a batch."""

    def __len__(self) -> int:
        return len(self.offsets)

    def since(self, offset: int) -> Columns:
        """The part of the batch from an offset on; the batch itself if all of it lies there.

        An offset from ``upto`` on leaves nothing: a batch without records that covers no range.
        """
        if self.start >= offset:
            return self
        offset = min(offset, self.upto)
        return self._part(slice(int(np.searchsorted(self.offsets, offset)), None), offset, self.upto)

    def until(self, offset: int) -> Columns:
        """The part of the batch before an offset; the batch itself if all of it lies there."""
        if self.upto <= offset:
            return self
        return self._part(slice(None, int(np.searchsorted(self.offsets, offset))), self.start, offset)

    def _part(self, rows: slice, start: int, upto: int) -> Columns:
        return Columns(
            self.topic,
            self.partition,
            self.offsets[rows],
            self.timestamps[rows],
            self.appended[rows],
            self.records[rows],
            self.headers[rows],
            start,
            upto,
        )

    def record(self, row: int) -> Record:
        """One record."""
        return Record(
            self.topic,
            self.partition,
            int(self.offsets[row]),
            int(self.timestamps[row]),
            self.records.key(row),
            self.records.value(row),
            tuple(_headers(self.records.buffer, int(self.headers[row]))),
        )


class _Part(NamedTuple):
    """The records of one record batch: where they lie, and the bases of their offsets and timestamps."""

    begin: int
    end: int
    records: int
    base_offset: int
    base_timestamp: int
    append_time: int
    """The broker's time of writing for all of them (epoch ms), if the topic keeps that time; else `UNKNOWN`."""


def unpack(
    records: Any, read: Callable[[Columns], Any] = lambda columns: None, most: int = MOST_RECORDS
) -> Iterator[Columns]:
    """Read aiokafka's `PartitionRecords` over `RawRecords` as columns, joining record batches up to ``most`` records.

    It replaces `PartitionRecords._unpack_records` and, like that, sets ``next_fetch_offset`` before it yields a batch.
    Together the batches cover the whole fetch: the markers of transactions and, for a consumer that reads only what was
    committed, the records of aborted transactions are covered ranges without records. ``read`` makes the ``content`` of
    each batch. Raises aiokafka's CorruptRecordException for a wrong checksum, as the original does, and for bytes that
    are not records.
    """
    topic, partition = records._tp
    memory: RawRecords = records._records
    raw = memory.raw
    at = 0
    while memory.has_next():
        start = records.next_fetch_offset
        upto = start
        parts: list[_Part] = []
        pieces: list[Any] | None = None
        size = waiting = 0
        while waiting < most and memory.has_next():
            batch = memory.next_batch()
            if records._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC in {topic}-{partition} at {batch.base_offset}")
            base, length, _, magic, _, attributes, _, first, last, _, _, _, count = _HEADER.unpack_from(raw, at)
            begin, at = at + _HEADER.size, at + _LOG_OVERHEAD + length
            if magic < 2:
                raise CorruptRecordException(f"{topic}-{partition} at {base} has a message format before Kafka 0.11")
            upto = max(batch.next_offset, start)  # the whole batch may lie before the position
            if _is_aborted(records, batch) or batch.is_control_batch:
                continue
            append_time = last if attributes & _LOG_APPEND_TIME else UNKNOWN
            decode = _DECODERS.get(attributes & _COMPRESSION)
            if decode is not None and pieces is None:  # from here on the records lie in a new buffer
                pieces = [raw[part.begin : part.end] for part in parts]
                parts, size = _moved(parts), sum(part.end - part.begin for part in parts)
            if pieces is None:
                parts.append(_Part(begin, at, count, base, first, append_time))
            else:
                piece = raw[begin:at] if decode is None else decode(raw[begin:at])
                pieces.append(piece)
                parts.append(_Part(size, size + len(piece), count, base, first, append_time))
                size += len(piece)
            waiting += count
        columns = _columns(topic, partition, raw if pieces is None else b"".join(pieces), parts, start, upto)
        columns.content = read(columns)
        records.next_fetch_offset = upto
        if upto > start:
            yield columns


def _is_aborted(records: Any, batch: Any) -> bool:
    """Whether a record batch belongs to an aborted transaction; call it for every batch of a fetch, in order.

    The broker lists the aborted transactions of a fetch by producer and first offset. One ends at its producer's next
    abort marker (Kafka's protocol guide, "Fetch", and KIP-98).
    """
    if records._isolation_level != READ_COMMITTED or batch.producer_id is None:
        return False
    records._consume_aborted_up_to(batch.base_offset)
    if batch.is_control_batch:
        if records._contains_abort_marker(batch):
            records._aborted_producers.discard(batch.producer_id)
        return False
    return bool(batch.is_transactional and batch.producer_id in records._aborted_producers)


def _moved(parts: list[_Part]) -> list[_Part]:
    """The same parts, one after the other from the beginning of another buffer."""
    moved, size = [], 0
    for part in parts:
        length = part.end - part.begin
        moved.append(part._replace(begin=size, end=size + length))
        size += length
    return moved


def _columns(topic: str, partition: int, raw: bytes, parts: list[_Part], start: int, upto: int) -> Columns:
    count = sum(part.records for part in parts)
    buffer = np.frombuffer(raw, dtype=np.uint8)
    columns = np.empty((7, count), dtype=np.int64)
    where = np.array(parts, dtype=np.int64).reshape(-1, 6)
    if _walk(buffer, where, *columns) != count:
        raise CorruptRecordException(f"{topic}-{partition} has bytes that are no records between {start} and {upto}")
    appended = np.repeat(where[:, 5], where[:, 2])
    offsets, timestamps, begins, ends, key_begins, key_ends, headers = columns
    if count and offsets[0] < start:  # Kafka sends whole batches: this one begins before the requested position
        late = slice(int(np.searchsorted(offsets, start)), None)
        columns, appended = columns[:, late], appended[late]
        offsets, timestamps, begins, ends, key_begins, key_ends, headers = columns
    packed = Packed(buffer, begins, ends, key_begins, key_ends)
    return Columns(topic, partition, offsets, timestamps, appended, packed, headers, start, upto)


@compiled
def _varint(buffer: Any, at: int, end: int) -> tuple[int, int]:
    """A zigzag number of up to 64 bits, and the index after it; the index is -1 when there is no such number."""
    value = shift = 0
    while at < end and shift < 70:
        byte = int(buffer[at])
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
    return 0, -1


@compiled
def _span(buffer: Any, at: int, end: int) -> tuple[int, int, int]:
    """The begin (-1: null) and end of a field that follows its length, and the index after it (-1: no such field)."""
    size, at = _varint(buffer, at, end)
    if at < 0 or size > end - at:
        return -1, -1, -1
    if size < 0:
        return -1, -1, at
    return at, at + size, at + size


@compiled
def _walk(
    buffer: Any,
    parts: Any,
    offsets: Any,
    timestamps: Any,
    begins: Any,
    ends: Any,
    key_begins: Any,
    key_ends: Any,
    headers: Any,
) -> int:
    """Find the fields of every record of the parts (rows of `_Part`); returns the number of sound records.

    It stops at the first record that is not sound.
    """
    row = 0
    for part in range(parts.shape[0]):
        at, end, count = parts[part, 0], parts[part, 1], parts[part, 2]
        for _ in range(count):
            size, at = _varint(buffer, at, end)
            if at < 0 or size < 1 or size > end - at:
                return row
            following = at + size
            time, at = _varint(buffer, at + 1, following)
            if at < 0:
                return row
            offset, at = _varint(buffer, at, following)
            if at < 0:
                return row
            key_begins[row], key_ends[row], at = _span(buffer, at, following)
            if at < 0:
                return row
            begins[row], ends[row], at = _span(buffer, at, following)
            if at < 0:
                return row
            headers[row] = at
            offsets[row] = parts[part, 3] + offset
            timestamps[row] = parts[part, 5] if parts[part, 5] >= 0 else parts[part, 4] + time
            at = following
            row += 1
    return row


def _headers(buffer: NDArray[np.uint8], at: int) -> Iterator[tuple[str, bytes | None]]:
    """The headers that begin at an index of the buffer."""
    count, at = _varint(buffer, at, len(buffer))
    for _ in range(count):
        begin, end, at = _span(buffer, at, len(buffer))
        name = buffer[begin:end].tobytes().decode("utf-8", "replace")
        begin, end, at = _span(buffer, at, len(buffer))
        yield name, None if begin < 0 else buffer[begin:end].tobytes()
