"""Columns: the rest of a batch from an offset on, and the columns read from aiokafka's record batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.columns import Columns, Record
from streams.kafka.record_batches import RawRecords, unpack

NONE, GZIP, SNAPPY, LZ4, ZSTD = 0, 1, 2, 3, 4


def told(batch: Columns) -> list[Record]:
    """Every record of a batch."""
    return [batch.record(row) for row in range(len(batch))]


@given(st.sets(st.integers(0, 40), min_size=1, max_size=12), st.integers(0, 45))
def test_since_keeps_all_columns_from_an_offset_on(offsets: set[int], offset: int) -> None:
    (batch,) = unpack(fetched(*[record_batch(each, 1) for each in sorted(offsets)]))

    rest = batch.since(offset)

    assert told(rest) == [record for record in told(batch) if record.offset >= offset]
    assert (rest.start, rest.upto) == (min(offset, batch.upto), batch.upto)


def test_a_batch_that_lies_beyond_the_offset_is_handed_on_as_it_is() -> None:
    (batch,) = unpack(fetched(record_batch(5, 2), offset=5), lambda columns: len(columns))

    assert batch.since(5) is batch
    assert (len(batch), batch.content) == (2, 2)


def record_batch(base: int, count: int, *, compression: int = NONE, producer: int = -1) -> bytes:
    """One record batch, as a broker stores it; that of a ``producer`` (its id) is part of a transaction."""
    builder = _builder(compression, producer)
    for index in range(count):
        offset = base + index
        assert builder.append(index, offset * 10, b"k%d" % offset, b"v%d" % offset, headers=[("h", b"%d" % offset)])
    raw = bytearray(builder.build())
    raw[0:8] = base.to_bytes(8, "big")  # set by the broker
    return bytes(raw)


def marker(base: int, producer: int = 7, *, commits: bool = True) -> bytes:
    """The control batch that ends a producer's transaction (Kafka's documentation, "Control Records")."""
    builder = _builder(NONE, producer)
    assert builder.append(0, base * 10, (0).to_bytes(2, "big") + int(commits).to_bytes(2, "big"), bytes(6), [])
    raw = bytearray(builder.build())
    raw[0:8] = base.to_bytes(8, "big")
    raw[21:23] = (int.from_bytes(raw[21:23], "big") | 0x20).to_bytes(2, "big")
    return bytes(raw)


def _builder(compression: int, producer: int) -> DefaultRecordBatchBuilder:
    in_transaction = producer >= 0
    epoch = sequence = 0 if in_transaction else -1
    return DefaultRecordBatchBuilder(2, compression, int(in_transaction), producer, epoch, sequence, 1 << 20)


def fetched(*batches: bytes, offset: int = 0, check_crcs: bool = False, aborted: Sequence[tuple[int, int]] = ()) -> Any:
    """The records of one fetch from this offset, in aiokafka's form, for a consumer that reads what was committed.

    ``aborted``: the producer and the first offset of each aborted transaction, as the broker lists them.
    """
    tp = TopicPartition("calls", 3)
    raw = RawRecords(b"".join(batches))
    return PartitionRecords(tp, raw, list(aborted), offset, None, None, check_crcs, READ_COMMITTED)


def offsets_of(records: Any, most: int = 4096) -> list[list[int]]:
    """The offsets of each batch of columns."""
    return [batch.offsets.tolist() for batch in unpack(records, most=most)]


@pytest.mark.parametrize("compression", [NONE, GZIP, SNAPPY, LZ4, ZSTD])
def test_every_column_of_a_record_batch_is_read(compression: int) -> None:
    records = fetched(record_batch(7, 2, compression=compression))

    (batch,) = unpack(records)

    assert told(batch) == [
        Record("calls", 3, 7, 70, b"k7", b"v7", (("h", b"7"),)),
        Record("calls", 3, 8, 80, b"k8", b"v8", (("h", b"8"),)),
    ]
    assert (batch.start, batch.upto) == (0, 9)
    assert records.next_fetch_offset == 9


def test_small_batches_are_joined_up_to_a_bound() -> None:
    records = fetched(*[record_batch(base, 2) for base in range(0, 10, 2)])

    assert offsets_of(records, most=4) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert records.next_fetch_offset == 10


def test_the_next_offset_to_fetch_is_known_before_each_batch_is_handed_on() -> None:
    records = fetched(*[record_batch(base, 2) for base in range(0, 6, 2)])

    assert [(batch.upto, records.next_fetch_offset) for batch in unpack(records, most=1)] == [(2, 2), (4, 4), (6, 6)]


@given(st.integers(0, 9))
def test_reading_begins_at_the_offset_that_was_asked_for(offset: int) -> None:
    """Kafka sends whole record batches, including records before the offset."""
    records = fetched(record_batch(0, 5, compression=GZIP), record_batch(7, 3), offset=offset)

    read = [each for batch in offsets_of(records, most=1) for each in batch]

    assert read == [each for each in [0, 1, 2, 3, 4, 7, 8, 9] if each >= offset]
    assert records.next_fetch_offset == 10


def test_a_transaction_marker_is_no_record_and_the_batch_covers_it() -> None:
    records = fetched(record_batch(0, 2, producer=7), marker(2), marker(3, producer=8))

    (batch,) = unpack(records)

    assert (batch.offsets.tolist(), batch.upto, records.next_fetch_offset) == ([0, 1], 4, 4)


def test_markers_alone_are_a_batch_without_records() -> None:
    """Otherwise the next batch would seem to begin after a gap, and the end of the log would never be reached."""
    records = fetched(marker(5), marker(6), offset=5)

    (batch,) = unpack(records, len)

    assert (len(batch), batch.content, batch.start, batch.upto) == (0, 0, 5, 7)
    assert records.next_fetch_offset == 7
    assert (batch.since(6).start, batch.until(6).upto) == (6, 6)


def test_the_records_of_aborted_transactions_are_left_out() -> None:
    """Two producers take turns: one aborts, then commits; the other commits all along."""
    records = fetched(
        record_batch(0, 2, producer=7),
        record_batch(2, 2, producer=8),
        marker(4, 7, commits=False),
        record_batch(5, 1, producer=7),
        marker(6, 8),
        marker(7, 7),
        record_batch(8, 1),
        aborted=[(7, 0)],
    )

    (batch,) = unpack(records)

    assert (batch.offsets.tolist(), batch.start, batch.upto) == ([2, 3, 5, 8], 0, 9)


def test_a_fetch_of_aborted_records_alone_moves_the_position() -> None:
    records = fetched(record_batch(3, 4, producer=7), offset=3, aborted=[(7, 1)])

    (batch,) = unpack(records)

    assert (len(batch), batch.start, batch.upto, records.next_fetch_offset) == (0, 3, 7, 7)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.booleans()), min_size=1, max_size=12), st.data())
def test_batches_cover_the_log_without_a_gap_whatever_the_transactions(
    written: list[tuple[int, int, bool]], data: st.DataObject
) -> None:
    """Every read, from any offset and in any size, gives the committed records and nothing else."""
    batches: list[bytes] = []
    aborted: list[tuple[int, int]] = []
    committed: list[int] = []
    base = 0
    for producer, count, commits in written:
        batches += [record_batch(base, count, producer=producer), marker(base + count, producer, commits=commits)]
        if commits:
            committed += range(base, base + count)
        else:
            aborted.append((producer, base))
        base += count + 1
    offset = data.draw(st.integers(0, base - 1))

    read = [*unpack(fetched(*batches, offset=offset, aborted=aborted), most=data.draw(st.integers(1, 5)))]

    assert [each for batch in read for each in batch.offsets.tolist()] == [at for at in committed if at >= offset]
    assert [batch.start for batch in read] == [offset, *[batch.upto for batch in read[:-1]]]
    assert read[-1].upto == base


def test_a_damaged_batch_is_refused_when_checksums_are_looked_at() -> None:
    damaged = bytearray(record_batch(0, 2))
    damaged[-1] ^= 1

    with pytest.raises(CorruptRecordException, match="calls-3 at 0"):
        list(unpack(fetched(bytes(damaged), check_crcs=True)))
    assert offsets_of(fetched(record_batch(0, 2), check_crcs=True)) == [[0, 1]]


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from([NONE, GZIP, LZ4])), min_size=1, max_size=6))
def test_record_batches_of_any_compression_are_joined(parts: list[tuple[int, int]]) -> None:
    batches, base = [], 0
    for count, compression in parts:
        batches.append(record_batch(base, count, compression=compression))
        base += count

    (batch,) = unpack(fetched(*batches, check_crcs=True))

    assert batch.offsets.tolist() == list(range(base))
    assert [record.value for record in told(batch)] == [b"v%d" % offset for offset in range(base)]


def test_what_has_no_key_no_value_or_no_header_is_none() -> None:
    builder = DefaultRecordBatchBuilder(2, NONE, 0, -1, -1, -1, 1 << 20)
    builder.append(0, 10, None, b"", [])
    builder.append(1, 11, b"", None, [("a", None), ("b", b"")])

    (batch,) = unpack(fetched(bytes(builder.build())))

    assert told(batch) == [
        Record("calls", 3, 0, 10, None, b"", ()),
        Record("calls", 3, 1, 11, b"", None, (("a", None), ("b", b""))),
    ]


def test_the_time_at_which_the_broker_wrote_a_batch_is_that_of_its_records() -> None:
    raw = bytearray(record_batch(0, 2))
    raw[21:23] = (int.from_bytes(raw[21:23], "big") | 0x08).to_bytes(2, "big")
    raw[35:43] = (777).to_bytes(8, "big")

    (batch,) = unpack(fetched(bytes(raw)))

    assert batch.timestamps.tolist() == [777, 777]
