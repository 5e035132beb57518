"""Record batches as a broker stores them, sound and otherwise, and fetches of them in aiokafka's form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from struct import pack
from typing import Any, Final

import cramjam
from aiokafka import codec
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from streams.kafka.record_batches import RawRecords

NONE, GZIP, SNAPPY, LZ4, ZSTD = 0, 1, 2, 3, 4
CODECS: Final[Mapping[int, Callable[[bytes], bytes]]] = {
    GZIP: codec.gzip_encode,
    SNAPPY: codec.snappy_encode,
    LZ4: codec.lz4_encode,
    ZSTD: codec.zstd_encode,
}
HEADER: Final = 61
"""Bytes of the header of a record batch."""
Header = tuple[str, bytes | None]


def raw_batch(content: bytes, count: int, *, base: int = 0, attributes: int = NONE, last: int | None = None) -> bytes:
    """A record batch with a sound checksum around any content, which says that it holds ``count`` records."""
    last = max(count, 1) - 1 if last is None else last
    body = pack(">hiqqqhii", attributes, last, 1000, 1000, -1, -1, -1, count) + content
    return pack(">qiibI", base, len(body) + 9, 0, 2, calc_crc32c(body)) + body


def content(*values: bytes | None, key: bytes | None = b"k", headers: Sequence[Header] = ()) -> bytes:
    """The content of a record batch, not compressed."""
    builder = DefaultRecordBatchBuilder(2, NONE, 0, -1, -1, -1, 1 << 26)
    for index, value in enumerate(values):
        assert builder.append(index, 1000 + index, key, value, [*headers])
    return bytes(builder.build())[HEADER:]


def bomb(size: int, compression: int) -> bytes:
    """A record batch of one record, whose value is ``size`` zeros that compression makes small."""
    packed = bytes(size)
    if compression == SNAPPY:
        return raw_batch(bytes(cramjam.snappy.compress_raw(packed)), 1, attributes=SNAPPY)
    return raw_batch(bytes(CODECS[compression](packed)), 1, attributes=compression)


def fetched(*batches: bytes, offset: int = 0, check_crcs: bool = False, aborted: Sequence[tuple[int, int]] = ()) -> Any:
    """The records of one fetch from this offset, in aiokafka's form, for a consumer that reads what was committed.

    ``aborted``: the producer and the first offset of each aborted transaction, as the broker lists them.
    """
    raw = RawRecords(b"".join(batches))
    return PartitionRecords(TopicPartition("calls", 3), raw, [*aborted], offset, None, None, check_crcs, READ_COMMITTED)
