"""Columns: the unit that travels from Kafka through Faust to the scoring agent, many records as parallel lists.

Made straight from aiokafka's Cython record reader, without an object per record: that object alone is half the cost of
reading. See ``docs/decisions/0001-batches-of-columns.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOST_RECORDS = 4096
"""Records in one batch at most: a bound on how long one batch may hold the event loop."""


@dataclass(slots=True)
class Columns:
    """Records of one topic partition in offset order, as lists of one length.

    The batch covers the log from ``start`` (-1: not known) to before ``upto``: more than its records where offsets are
    missing (compaction, transaction markers).
    """

    topic: str
    partition: int
    offsets: list[int]
    values: list[bytes | None]
    keys: list[bytes | None]
    timestamps: list[int]
    headers: list[Any]
    upto: int
    start: int = -1

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def offset(self) -> int:
        """The first record's offset."""
        return self.offsets[0]

    def since(self, offset: int) -> Columns:
        """The part of the batch that starts at an offset: the batch itself when it lies beyond it altogether."""
        if self.offsets[0] >= offset:
            return self
        start = next((index for index, each in enumerate(self.offsets) if each >= offset), len(self.offsets))
        return Columns(
            self.topic,
            self.partition,
            self.offsets[start:],
            self.values[start:],
            self.keys[start:],
            self.timestamps[start:],
            self.headers[start:],
            self.upto,
            offset,
        )


def unpack(records: Any, most: int = MOST_RECORDS) -> Iterator[Columns]:
    """Read aiokafka's `PartitionRecords` as columns, joining its record batches up to ``most`` records.

    Takes the place of `PartitionRecords._unpack_records`: sets ``next_fetch_offset`` before each batch is handed on.
    Raises aiokafka's CorruptRecordException for a wrong checksum, as the original does. Control batches are skipped;
    this reader is for ``read_uncommitted``, which has no aborted transactions to leave out.
    """
    topic, partition = records._tp
    batches = records._records
    check_crcs = records._check_crcs
    columns = _empty(topic, partition, records.next_fetch_offset)
    while batches.has_next():
        batch = batches.next_batch()
        if check_crcs and not batch.validate_crc():
            from aiokafka.errors import CorruptRecordException

            raise CorruptRecordException(f"Invalid CRC in {topic}-{partition} at {batch.base_offset}")
        if not batch.is_control_batch:
            fetch_offset = records.next_fetch_offset
            read = list(batch)
            if read and read[0].offset < fetch_offset:  # the batch begins before the position that was asked for
                read = [record for record in read if record.offset >= fetch_offset]
            columns.offsets += [record.offset for record in read]
            columns.values += [record.value for record in read]
            columns.keys += [record.key for record in read]
            columns.timestamps += [record.timestamp for record in read]
            columns.headers += [record.headers for record in read]
        columns.upto = batch.next_offset
        if len(columns) >= most:
            records.next_fetch_offset = columns.upto
            yield columns
            columns = _empty(topic, partition, columns.upto)
    records.next_fetch_offset = columns.upto
    if columns.offsets:
        yield columns


def _empty(topic: str, partition: int, start: int) -> Columns:
    return Columns(topic, partition, [], [], [], [], [], start, start)
