"""Record fields: compiled code that finds the fields of every record of a record batch, and never looks outside it.

The form is that of message format v2 (Kafka's protocol guide, "Record"). Lengths and counts are what somebody wrote, so
each of them is compared with the bytes that there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.base.compiled import compiled

FEWEST_BYTES: Final = 7
"""Bytes of the smallest record: its length, attributes, two deltas, two lengths, and the count of its headers."""


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
def _past_headers(buffer: Any, at: int, end: int) -> int:
    """The index after the headers of a record; -1 when there are not as many as their count says."""
    count, at = _varint(buffer, at, end)
    if at < 0 or count < 0 or count > end - at:
        return -1
    for _ in range(2 * count):
        _, _, at = _span(buffer, at, end)
        if at < 0:
            return -1
    return at


@compiled
def walk(
    buffer: Any,
    parts: Any,
    offsets: Any,
    timestamps: Any,
    begins: Any,
    ends: Any,
    key_begins: Any,
    key_ends: Any,
    headers: Any,
) -> bool:
    """Find the fields of every record of some record batches; returns whether all of them are sound.

    A row of ``parts`` (int64) has, for one batch: the begin and end of its records in the buffer; their count; the
    bases of their offsets and timestamps; the append time of all (negative: each has its own); and 0, or a negative
    number for a batch that counts as one record whose value is all of its bytes. That number is then in ``headers``.

    The other arrays (int64) have an entry for each record of the counts, which must not be negative. The walk stops at
    the first record that is not sound, and at a batch with more bytes than its records.
    """
    row = 0
    for part in range(parts.shape[0]):
        at, end, count = parts[part, 0], parts[part, 1], parts[part, 2]
        if parts[part, 6] < 0:
            begins[row], ends[row] = at, end
            key_begins[row] = key_ends[row] = -1
            headers[row] = parts[part, 6]
            offsets[row] = parts[part, 3]
            timestamps[row] = parts[part, 5] if parts[part, 5] >= 0 else parts[part, 4]
            row += 1
            continue
        for _ in range(count):
            size, at = _varint(buffer, at, end)
            if at < 0 or size < 1 or size > end - at:
                return False
            following = at + size
            time, at = _varint(buffer, at + 1, following)
            if at < 0:
                return False
            offset, at = _varint(buffer, at, following)
            if at < 0:
                return False
            key_begins[row], key_ends[row], at = _span(buffer, at, following)
            if at < 0:
                return False
            begins[row], ends[row], at = _span(buffer, at, following)
            if at < 0 or at >= following:
                return False
            if (buffer[at] != 0 or at + 1 != following) and _past_headers(buffer, at, following) != following:
                return False
            headers[row] = at
            offsets[row] = parts[part, 3] + offset
            timestamps[row] = parts[part, 5] if parts[part, 5] >= 0 else parts[part, 4] + time
            at = following
            row += 1
        if at != end:
            return False
    return True


def headers_at(buffer: NDArray[np.uint8], at: int) -> Iterator[tuple[str, bytes | None]]:
    """The headers that begin at an index of the buffer, where `walk` has found them."""
    count, at = _varint(buffer, at, len(buffer))
    for _ in range(count):
        begin, end, at = _span(buffer, at, len(buffer))
        name = buffer[begin:end].tobytes().decode("utf-8", "replace")
        begin, end, at = _span(buffer, at, len(buffer))
        yield name, None if begin < 0 else buffer[begin:end].tobytes()
