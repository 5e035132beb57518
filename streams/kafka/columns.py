"""Columns: many records as arrays, the unit that travels from Kafka through Faust to the scoring agent.

`streams.kafka.record_batches` makes them straight from the bytes of a fetch. An object for each record would be half
the cost of reading. See ``docs/decisions/0001-batches-of-columns.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.base.packed import Packed
from streams.kafka.record_fields import headers_at

NOT_UNPACKED: Final = -1
NO_RECORDS: Final = -2
UNREADABLE: Final[Mapping[int, str]] = {
    NOT_UNPACKED: "The record batch cannot be unpacked: it is damaged, or would become larger than 32 MiB.",
    NO_RECORDS: "The record batch holds bytes that are no records, or not as many as it says, or more than 262,144.",
}
"""Why nothing of a record batch can be read, by the number that stands for the place of its headers."""


class Record(NamedTuple):
    """One record as Kafka holds it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    unreadable: str = ""
    """Why nothing of a record batch could be read, for the one record that then stands for the batch; its value is all
    of the batch's bytes."""

    @classmethod
    def of(cls, record: Any) -> Record:
        """The record that a consumer of aiokafka has given, in this form."""
        place = record.topic, record.partition, record.offset, record.timestamp
        return cls(*place, record.key, record.value, tuple(record.headers), getattr(record, "unreadable", ""))


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
    """Where the headers of each record begin in the buffer of ``records``; their count comes first. A key of
    `UNREADABLE`: the record stands for a record batch of which nothing can be read."""
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

    def between(self, first: int, end: int) -> Columns:
        """The records from one row to before another one, of which there is at least one."""
        rows = slice(first, end)
        return self._part(rows, int(self.offsets[first]), int(self.offsets[end - 1]) + 1)

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
        place = int(self.headers[row])
        return Record(
            self.topic,
            self.partition,
            int(self.offsets[row]),
            int(self.timestamps[row]),
            self.records.key(row),
            self.records.value(row),
            tuple(headers_at(self.records.buffer, place)) if place >= 0 else (),
            UNREADABLE.get(place, ""),
        )
