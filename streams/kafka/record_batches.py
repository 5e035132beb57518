"""Record batches: the bytes of a fetch as columns, in one compiled pass without Python's global lock.

Every byte is foreign. A record batch that cannot be unpacked within a bound, or whose bytes are not the records that it
promises, is put aside: one record stands for it, whose value is all of the batch's bytes. That begins with a zero byte,
so no reader takes it for JSON, and it becomes a dead letter like any other record that cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from struct import Struct, error
from typing import Any, Final, NamedTuple

import numpy as np
import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import ConsumerRecord

from models.base.packed import Packed
from models.events.arrivals import UNKNOWN
from streams import metrics
from streams.kafka.columns import NO_RECORDS, NOT_UNPACKED, UNREADABLE, Columns
from streams.kafka.record_fields import FEWEST_BYTES, headers_at, walk
from streams.kafka.unpacking import LARGEST_UNPACKED, UnpackingError, unpacked

log = structlog.get_logger(__name__)

MOST_RECORDS: Final = 8192
"""Records from which on no further record batch is joined; it bounds how long columns may hold the event loop."""
MOST_IN_ONE: Final = 1 << 18
"""Records in one record batch; more are never sent in earnest, and a kilobyte of zstd could hold millions."""

# A record batch of message format v2 (Kafka's protocol guide, "Record Batch").
_HEADER: Final = Struct(">qiibIhiqqqhii")
_LOG_OVERHEAD: Final = 12
_COMPRESSION, _LOG_APPEND_TIME = 0x07, 0x08


class RawRecords(MemoryRecords):  # type: ignore[misc]
    """aiokafka's records of one fetch, with the bytes that they were made from."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self.raw = raw


@dataclass
class SingleRecord(ConsumerRecord[Any, Any]):  # type: ignore[misc]
    """A record as aiokafka's consumers give it."""

    unreadable: str = ""
    """As in `streams.kafka.columns.Record`."""


class SingleRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """aiokafka's records of one fetch for consumers that take single records; they are read by `unpack` as well."""

    def _unpack_records(self) -> Iterator[SingleRecord]:
        for columns in unpack(self):
            topic, partition, records = columns.topic, columns.partition, columns.records
            raw = records.buffer.tobytes()
            places = records.begins, records.ends, records.key_begins, records.key_ends, columns.headers
            each = (columns.offsets, columns.timestamps, columns.appended >= 0, *places)
            for offset, time, appended, begin, end, key_begin, key_end, headers in zip(
                *[column.tolist() for column in each], strict=True
            ):
                value = None if begin < 0 else raw[begin:end]
                key = None if key_begin < 0 else raw[key_begin:key_end]
                sizes = end - begin if begin >= 0 else -1, key_end - key_begin if key_begin >= 0 else -1
                said = () if headers < 0 or not raw[headers] else tuple(headers_at(records.buffer, headers))
                self.next_fetch_offset = offset + 1
                yield SingleRecord(
                    topic,
                    partition,
                    offset,
                    time,
                    int(appended),
                    key,
                    value,
                    None,
                    *sizes[::-1],
                    said,
                    UNREADABLE[headers] if headers < 0 else "",
                )
            self.next_fetch_offset = columns.upto


# aiokafka's own classes drop the bytes of a fetch, unpack without a bound, and end at a batch that they cannot read.
fetcher.MemoryRecords = RawRecords
fetcher.PartitionRecords = SingleRecords


class Consumer(AIOKafkaConsumer):  # type: ignore[misc]
    """aiokafka's consumer, whose records are read by `unpack`; every program makes its consumers of this class.

    It has nothing of its own: whoever imports it has imported the two lines above.
    """


class _Batch(NamedTuple):
    """One record batch: where its records lie, and what its header says of them."""

    begin: int
    end: int
    """Its records in the bytes of the fetch; those of a batch that is put aside begin with its header."""
    records: int
    base_offset: int
    base_timestamp: int
    append_time: int
    """The broker's time of writing for all of them (epoch ms), if the topic keeps that time; else `UNKNOWN`."""
    unreadable: int = 0
    """A key of `UNREADABLE` if the batch is put aside."""
    unpacked: bytes | None = None
    """The unpacked records of a compressed batch."""

    def aside(self, why: int) -> _Batch:
        """The same batch as one record with all of its bytes."""
        return self._replace(begin=self.begin - _HEADER.size, records=1, unreadable=why, unpacked=None)


def unpack(
    records: Any, read: Callable[[Columns], Any] = lambda columns: None, most: int = MOST_RECORDS
) -> Iterator[Columns]:
    """Read aiokafka's `PartitionRecords` over `RawRecords` as columns, joining record batches up to ``most`` records.

    It replaces `PartitionRecords._unpack_records` and, like that, sets ``next_fetch_offset`` before it yields a batch.
    Together the batches cover the whole fetch: the markers of transactions and, for a consumer that reads only what was
    committed, the records of aborted transactions are covered ranges without records. ``read`` makes the ``content`` of
    each batch. At most `LARGEST_UNPACKED` bytes and those of one more record batch are joined. Raises aiokafka's
    CorruptRecordException for a wrong checksum, as the original does, since the next fetch may bring sound bytes; and
    for bytes that are no record batch, since the next one cannot be found.
    """
    topic, partition = records._tp
    memory: RawRecords = records._records
    raw = memory.raw
    at = 0
    while memory.has_next():
        start = records.next_fetch_offset
        upto = start
        batches: list[_Batch] = []
        size = waiting = 0
        while waiting < most and size < LARGEST_UNPACKED and memory.has_next():
            if len(raw) - at < _HEADER.size:
                raise CorruptRecordException(f"{topic}-{partition} has bytes that are no record batch from {upto} on")
            base, length, _, magic, _, attributes, _, first, last, _, _, _, count = _HEADER.unpack_from(raw, at)
            begin, at = at + _HEADER.size, at + _LOG_OVERHEAD + length
            if at < begin:
                raise CorruptRecordException(f"{topic}-{partition} at {base} has a record batch that is cut off")
            if magic != 2:
                raise CorruptRecordException(f"{topic}-{partition} at {base} has another message format than Kafka's 2")
            batch = memory.next_batch()
            if records._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC in {topic}-{partition} at {batch.base_offset}")
            # The whole batch may lie before the position.
            upto = max(batch.next_offset, base + 1, start)
            if _is_aborted(records, batch, count) or batch.is_control_batch:
                continue
            append_time = last if attributes & _LOG_APPEND_TIME else UNKNOWN
            content, holds, why = None, at - begin, 0
            if codec := attributes & _COMPRESSION:
                try:
                    content = unpacked(codec, raw[begin:at])
                except UnpackingError:
                    why = NOT_UNPACKED
                else:
                    holds = len(content)
                    size += holds
            if not why and not 0 <= count <= min(holds // FEWEST_BYTES, MOST_IN_ONE):
                why = NO_RECORDS
            found = _Batch(begin, at, count, base, first, append_time, 0, content)
            if why:
                found = found.aside(why)
            batches.append(found)
            waiting += found.records
        columns = _columns(topic, partition, raw, batches, start, upto)
        columns.content = read(columns)
        records.next_fetch_offset = upto
        if upto > start:
            yield columns


def _is_aborted(records: Any, batch: Any, count: int) -> bool:
    """Whether a record batch belongs to an aborted transaction; call it for every batch of a fetch, in order.

    The broker lists the aborted transactions of a fetch by producer and first offset. One ends at its producer's next
    abort marker (Kafka's protocol guide, "Fetch", and KIP-98). A marker that compaction has emptied says nothing.
    Raises CorruptRecordException for a marker that is none; brokers alone write them.
    """
    if records._isolation_level != READ_COMMITTED or batch.producer_id is None:
        return False
    records._consume_aborted_up_to(batch.base_offset)
    if batch.is_control_batch:
        try:
            if count > 0 and records._contains_abort_marker(batch):
                records._aborted_producers.discard(batch.producer_id)
        except (error, TypeError, ValueError) as wrong:
            raise CorruptRecordException(f"There is no marker at {batch.base_offset}: {wrong}") from None
        return False
    return bool(batch.is_transactional and batch.producer_id in records._aborted_producers)


def _columns(topic: str, partition: int, raw: bytes, batches: list[_Batch], start: int, upto: int) -> Columns:
    buffer, where, columns, is_sound = _walked(raw, batches)
    if not is_sound:
        batches = [each if _walked(raw, [each])[3] else each.aside(NO_RECORDS) for each in batches]
        buffer, where, columns, _ = _walked(raw, batches)
    _tell(topic, partition, [batch for batch in batches if batch.unreadable])
    appended = np.repeat(where[:, 5], where[:, 2])
    offsets, timestamps, begins, ends, key_begins, key_ends, headers = columns
    if len(offsets) and offsets[0] < start:  # Kafka sends whole batches: this one begins before the requested position
        late = slice(int(np.searchsorted(offsets, start)), None)
        columns, appended = columns[:, late], appended[late]
        offsets, timestamps, begins, ends, key_begins, key_ends, headers = columns
    packed = Packed(buffer, begins, ends, key_begins, key_ends)
    return Columns(topic, partition, offsets, timestamps, appended, packed, headers, start, upto)


def _walked(raw: bytes, batches: Sequence[_Batch]) -> tuple[Any, Any, Any, bool]:
    """One buffer with the records of all batches; the batches and columns of `walk`; whether all records are sound."""
    fields = [batch[:7] for batch in batches]
    if any(batch.unpacked is not None for batch in batches):
        pieces = [raw[each.begin : each.end] if each.unpacked is None else each.unpacked for each in batches]
        ends = [*accumulate(map(len, pieces))]
        fields = [(begin, end, *each[2:]) for begin, end, each in zip([0, *ends], ends, fields, strict=False)]
        raw = b"".join(pieces)
    where = np.array(fields, dtype=np.int64).reshape(-1, 7)
    buffer = np.frombuffer(raw, dtype=np.uint8)
    columns = np.empty((7, sum([each[2] for each in fields])), dtype=np.int64)
    return buffer, where, columns, walk(buffer, where, *columns)


def _tell(topic: str, partition: int, batches: Sequence[_Batch]) -> None:
    """Count and log the batches that are put aside."""
    for batch in batches:
        metrics.UNREADABLE_BATCHES.labels(topic).inc()
        where = f"{topic} partition {partition}, offset {batch.base_offset}"
        log.error("a record batch cannot be read and is put aside", where=where, why=UNREADABLE[batch.unreadable])
