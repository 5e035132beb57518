"""Record batches that cannot be read: each becomes one record, and its neighbours are unharmed."""

from __future__ import annotations

import pytest
from aiokafka.errors import CorruptRecordException

from models.events.decoding import CallReader, MessageReader
from streams import metrics
from streams.kafka.columns import Columns
from streams.kafka.record_batches import MOST_IN_ONE, unpack
from streams.kafka.signal_records import SignalReader
from streams.kafka.unpacking import LARGEST_UNPACKED
from tests.record_batches import CODECS, GZIP, LZ4, SNAPPY, ZSTD, bomb, content, fetched, raw_batch

IMPOSSIBLE = {
    "a negative count": raw_batch(content(b"a"), -200, base=1),
    "a negative count that other counts make up for": raw_batch(content(b"a"), 201, base=1),
    "a count above the bytes": raw_batch(content(b"a"), 2**31 - 1, base=1),
    "fewer records than bytes": raw_batch(content(b"a", b"b"), 1, base=1),
    "no record in some bytes": raw_batch(content(b"a"), 0, base=1),
    "no content": raw_batch(b"", 1, base=1),
    "a length beyond the batch": raw_batch(b"\x7e" + content(b"a")[1:], 1, base=1),
    "a key beyond the record": raw_batch(content(b"a", key=b"k").replace(b"\x02k", b"\x7ek"), 1, base=1),
    "more headers than bytes": raw_batch(content(b"a")[:-1] + b"\x7e", 1, base=1),
    "a negative count of headers": raw_batch(content(b"a")[:-1] + b"\x01", 1, base=1),
    "an unknown codec": raw_batch(content(b"a"), 1, base=1, attributes=7),
    "a negative last offset": raw_batch(content(b"a"), -200, base=1, last=-5),
    **{f"damage in codec {codec}": raw_batch(b"\x00damaged" * 9, 1, base=1, attributes=codec) for codec in CODECS},
}


def read(*batches: bytes, offset: int = 0) -> Columns:
    """The columns of a fetch of a sound batch at offset 0 and of these."""
    (columns,) = unpack(fetched(raw_batch(content(b"first"), 1), *batches, offset=offset))
    return columns


@pytest.mark.parametrize("batch", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_batch_that_is_not_what_it_says_stands_for_one_record_between_its_neighbours(batch: bytes) -> None:
    """With a sound checksum: counts like these used to end the process, or to write past the columns."""
    before = metrics.UNREADABLE_BATCHES.labels("calls")._value.get()

    columns = read(batch, raw_batch(content(b"last"), 1, base=300))
    first, put_aside, last = (columns.record(row) for row in range(3))

    assert (first.value, first.unreadable, last.value, last.unreadable) == (b"first", "", b"last", "")
    assert (put_aside.offset, put_aside.key, put_aside.value, put_aside.headers) == (1, None, batch, ())
    assert put_aside.unreadable.endswith(".")
    assert columns.upto == 301
    assert metrics.UNREADABLE_BATCHES.labels("calls")._value.get() == before + 1


@pytest.mark.parametrize("compression", [GZIP, SNAPPY, LZ4, ZSTD])
def test_a_batch_that_unpacks_to_more_than_the_bound_is_put_aside(compression: int) -> None:
    batch = bomb(LARGEST_UNPACKED + 1, compression)

    columns = read(batch)

    assert columns.record(1).value == batch
    assert "32 MiB" in columns.record(1).unreadable
    assert len(columns.records.buffer) < 2 * len(batch) + 1000


def test_snappy_in_blocks_is_bounded_as_well() -> None:
    """Each block says its own size, so all of them together have to fit."""
    batch = raw_batch(CODECS[SNAPPY](bytes(LARGEST_UNPACKED + 1)), 1, attributes=SNAPPY)

    assert read(batch).record(1).value == batch


def test_a_batch_of_millions_of_tiny_records_is_put_aside() -> None:
    """Each would be a dead letter, and all of them would be in memory."""
    tiny = bytes((12, 0, 0, 0, 1, 1, 0))
    count = MOST_IN_ONE + 1
    batch = raw_batch(CODECS[ZSTD](tiny * count), count, attributes=ZSTD)

    assert len(read(raw_batch(CODECS[ZSTD](tiny * 1000), 1000, attributes=ZSTD))) == 1001
    assert len(read(batch)) == 2


def test_large_batches_are_not_joined_beyond_the_bound() -> None:
    """A fetch of a megabyte may hold hundreds of batches that unpack to nearly the bound."""
    value = bytes(LARGEST_UNPACKED // 2)
    batches = [raw_batch(CODECS[ZSTD](content(value)), 1, base=offset, attributes=ZSTD) for offset in range(5)]

    sizes = [len(columns) for columns in unpack(fetched(*batches))]

    assert sizes == [2, 2, 1]


@pytest.mark.parametrize("reader", [CallReader(), MessageReader(), SignalReader()], ids=["calls", "sms", "signals"])
@pytest.mark.parametrize("batch", [IMPOSSIBLE["a negative count"], bomb(LARGEST_UNPACKED + 1, ZSTD)])
def test_no_reader_takes_a_batch_that_is_put_aside_for_a_record(
    reader: CallReader | MessageReader | SignalReader, batch: bytes
) -> None:
    (columns,) = unpack(fetched(batch))

    assert [refusal.index for refusal in reader.read(columns.records).refusals] == [0]


def test_consumers_of_single_records_get_the_same() -> None:
    """The dispatcher and all readers of compacted topics take single records; aiokafka would end at the batch."""
    batch = IMPOSSIBLE["a negative count"]
    records = fetched(
        raw_batch(content(b"first", headers=[("h", b"1")]), 1), batch, raw_batch(content(None), 1, base=300)
    )

    first, put_aside, last = records

    assert (first.value, first.key, first.headers, first.unreadable) == (b"first", b"k", (("h", b"1"),), "")
    assert (put_aside.value, put_aside.key, put_aside.offset) == (batch, None, 1)
    assert put_aside.unreadable
    assert (last.value, last.offset, records.next_fetch_offset) == (None, 300, 301)


def test_a_marker_that_compaction_has_emptied_says_nothing() -> None:
    """The client of aiokafka would end at it."""
    marker = bytearray(raw_batch(b"", 0, attributes=0x30))
    marker[43:51] = (7).to_bytes(8, "big")  # its producer
    (columns,) = unpack(fetched(bytes(marker), raw_batch(content(b"v"), 1, base=1)))

    assert (columns.offsets.tolist(), columns.upto) == ([1], 2)


@pytest.mark.parametrize("length", [-1, 0, 13, 20, 48])
def test_a_batch_that_is_cut_off_within_its_header_is_refused(length: int) -> None:
    """Nobody knows where the next one begins; aiokafka would look past the end of the bytes."""
    cut = bytearray(raw_batch(b"", 0))
    cut[8:12] = length.to_bytes(4, "big", signed=True)

    with pytest.raises(CorruptRecordException):
        list(unpack(fetched(bytes(cut))))
