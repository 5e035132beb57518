"""Columns: what a batch still holds from an offset on, and what is read out of aiokafka's record batches."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.columns import Columns, unpack

NONE, GZIP = 0, 1


def columns(offsets: list[int], upto: int) -> Columns:
    """A batch whose every column tells its record's offset."""
    values: list[bytes | None] = [str(offset).encode() for offset in offsets]
    keys: list[bytes | None] = [b"k" + str(offset).encode() for offset in offsets]
    return Columns(
        "calls", 3, offsets, values, keys, [offset * 10 for offset in offsets], [(o,) for o in offsets], upto
    )


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12, unique=True).map(sorted), st.integers(0, 45))
def test_since_keeps_all_columns_from_an_offset_on(offsets: list[int], offset: int) -> None:
    batch = columns(offsets, offsets[-1] + 2)
    expected = columns([each for each in offsets if each >= offset], batch.upto)
    expected.start = offset if offset > offsets[0] else -1

    assert batch.since(offset) == expected


def test_a_batch_that_lies_beyond_the_offset_is_handed_on_as_it_is() -> None:
    batch = columns([5, 6], 7)

    assert batch.since(5) is batch
    assert (len(batch), batch.offset) == (2, 5)


def record_batch(base: int, count: int, *, compression: int = NONE, control: bool = False) -> bytes:
    """One record batch as a broker stores it."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=compression,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 20,
    )
    for index in range(count):
        offset = base + index
        assert builder.append(index, offset * 10, b"k%d" % offset, b"v%d" % offset, headers=[("h", b"%d" % offset)])
    raw = bytearray(builder.build())
    raw[0:8] = base.to_bytes(8, "big")  # the broker's own: base offset, and the control flag of a transaction marker
    if control:
        raw[21:23] = (int.from_bytes(raw[21:23], "big") | 0x20).to_bytes(2, "big")
    return bytes(raw)


def fetched(*batches: bytes, offset: int = 0, check_crcs: bool = False) -> Any:
    """The records, in aiokafka's form, of one fetch that asked for an offset."""
    tp = TopicPartition("calls", 3)
    return PartitionRecords(tp, MemoryRecords(b"".join(batches)), [], offset, None, None, check_crcs, 0)


def offsets_of(records: Any, most: int = 4096) -> list[list[int]]:
    """The offsets of each batch of columns."""
    return [batch.offsets for batch in unpack(records, most)]


@pytest.mark.parametrize("compression", [NONE, GZIP])
def test_every_column_of_a_record_batch_is_read(compression: int) -> None:
    records = fetched(record_batch(7, 2, compression=compression))

    (batch,) = unpack(records)

    assert (batch.topic, batch.partition, batch.offsets) == ("calls", 3, [7, 8])
    assert (batch.values, batch.keys, batch.timestamps) == ([b"v7", b"v8"], [b"k7", b"k8"], [70, 80])
    assert [list(headers) for headers in batch.headers] == [[("h", b"7")], [("h", b"8")]]
    assert (batch.start, batch.upto) == (0, 9)
    assert records.next_fetch_offset == 9


def test_small_batches_are_joined_up_to_a_bound() -> None:
    records = fetched(*[record_batch(base, 2) for base in range(0, 10, 2)])

    assert offsets_of(records, most=4) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert records.next_fetch_offset == 10


def test_the_next_offset_to_fetch_is_known_before_each_batch_is_handed_on() -> None:
    records = fetched(*[record_batch(base, 2) for base in range(0, 6, 2)])

    assert [(batch.upto, records.next_fetch_offset) for batch in unpack(records, 1)] == [(2, 2), (4, 4), (6, 6)]


@given(st.integers(0, 9))
def test_reading_begins_at_the_offset_that_was_asked_for(offset: int) -> None:
    """Kafka sends whole record batches, also what lies before."""
    records = fetched(record_batch(0, 5, compression=GZIP), record_batch(7, 3), offset=offset)

    read = [each for batch in offsets_of(records, most=1) for each in batch]

    assert read == [each for each in [0, 1, 2, 3, 4, 7, 8, 9] if each >= offset]
    assert records.next_fetch_offset == 10


def test_a_transaction_marker_is_passed_over_and_counted_in_the_end() -> None:
    records = fetched(record_batch(0, 2), record_batch(2, 1, control=True), record_batch(3, 1, control=True))

    (batch,) = unpack(records)

    assert (batch.offsets, batch.upto, records.next_fetch_offset) == ([0, 1], 4, 4)


def test_markers_alone_give_no_batch_but_the_position_goes_on() -> None:
    records = fetched(record_batch(0, 1, control=True))

    assert offsets_of(records) == []
    assert records.next_fetch_offset == 1


def test_a_damaged_batch_is_refused_when_checksums_are_looked_at() -> None:
    damaged = bytearray(record_batch(0, 2))
    damaged[-1] ^= 1

    with pytest.raises(CorruptRecordException, match="calls-3 at 0"):
        list(unpack(fetched(bytes(damaged), check_crcs=True)))
    assert offsets_of(fetched(record_batch(0, 2), check_crcs=True)) == [[0, 1]]
