"""Parts: the files of a recording: Parquet with a row for each record, which become the worker's columns again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.base.packed import Packed
from streams.kafka.columns import Columns
from streams.recording.manifest import RecordingError

SCHEMA: Final = pa.schema(
    [
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("timestamp", pa.int64(), nullable=False),  # epoch ms, as Kafka finds the record by its time
        pa.field("appended", pa.int64(), nullable=False),  # epoch ms; -1: the topic does not keep that time
        pa.field("key", pa.binary()),
        pa.field("value", pa.binary()),
    ]
)
MOST_RECORDS: Final = 250_000
MOST_BYTES: Final = 1 << 26
"""Bytes of keys and values from which on a part is full; it is sealed in memory."""
_AT_ONCE: Final = 1 << 14
"""Records of a part that are decoded at once."""


@dataclass
class Rows:
    """The records of a part while it is filled."""

    offsets: list[int] = field(default_factory=list)
    timestamps: list[int] = field(default_factory=list)
    appended: list[int] = field(default_factory=list)
    keys: list[bytes | None] = field(default_factory=list)
    values: list[bytes | None] = field(default_factory=list)
    size: int = 0
    """Bytes of keys and values."""

    def add(self, offset: int, timestamp: int, appended: int, key: bytes | None, value: bytes | None) -> None:
        """Add a record."""
        self.offsets.append(offset)
        self.timestamps.append(timestamp)
        self.appended.append(appended)
        self.keys.append(key)
        self.values.append(value)
        self.size += len(key or b"") + len(value or b"")

    @property
    def is_full(self) -> bool:
        """Whether the part has as many records as fit."""
        return len(self.offsets) >= MOST_RECORDS or self.size >= MOST_BYTES

    def parquet(self) -> bytes:
        """The part as Parquet."""
        columns: Sequence[Any] = (self.offsets, self.timestamps, self.appended, self.keys, self.values)
        table = pa.table([pa.array(each, kind.type) for each, kind in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        content: bytes = sink.getvalue().to_pybytes()
        return content


def columns_of(content: bytes, topic: str, partition: int) -> Iterator[Columns]:
    """The records of a part as columns, some thousands at a time; raises `RecordingError` for other bytes."""
    try:
        table = pq.read_table(pa.BufferReader(content))
        if table.schema.names != SCHEMA.names:
            raise RecordingError(f"it has the columns {', '.join(table.schema.names)}, not those of a part")
        table = table.cast(SCHEMA).combine_chunks()
    except pa.ArrowException as error:
        raise RecordingError(f"it is no Parquet file of a recording ({error})") from None
    if not len(table):
        return
    offsets, times, appended = (table[name].chunk(0).to_numpy() for name in ("offset", "timestamp", "appended"))
    (values, begins, ends), (keys, key_begins, key_ends) = (_binary(table[name].chunk(0)) for name in ("value", "key"))
    shift = len(values)
    buffer = np.concatenate((values, keys))
    buffer.flags.writeable = False  # as Kafka's is: for another kind of array, the readers would be compiled anew
    packed = Packed(
        buffer,
        *(begins, ends),
        *(np.where(each < 0, each, each + shift) for each in (key_begins, key_ends)),
    )
    headers = np.zeros(_AT_ONCE, dtype=np.int64)
    for first in range(0, len(offsets), _AT_ONCE):
        rows = slice(first, first + _AT_ONCE)
        some = offsets[rows]
        yield Columns(
            *(topic, partition, some, times[rows], appended[rows], packed[rows], headers[: len(some)]),
            *(int(some[0]), int(some[-1]) + 1),
        )


def _binary(array: Any) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """The bytes of an Arrow array of binary values, with the begin and end of each; -1 for a missing one."""
    _, places, content = array.buffers()
    ends = np.frombuffer(places, dtype=np.int32)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    missing = np.asarray(array.is_null())
    begins, ends = (np.where(missing, -1, each) for each in (ends[:-1], ends[1:]))
    buffer = np.frombuffer(content, dtype=np.uint8) if content is not None else np.empty(0, dtype=np.uint8)
    return buffer, begins, ends
