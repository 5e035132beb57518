"""The transport: what it relies on inside aiokafka and Faust, and what it hands on of real record batches."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver

from streams import transport
from streams.columns import unpack

TP = TopicPartition("calls", 3)


def batch(first: int, count: int, codec: int = 0, magic: int = 2) -> bytes:
    """A record batch as Kafka stores it, with offsets from ``first`` on."""
    builder = DefaultRecordBatchBuilder(magic, codec, 0, -1, -1, -1, 1 << 20)
    for index in range(count):
        builder.append(index, 1000 + first + index, b"k%d" % index, b"v%d" % (first + index), [("h", b"1")])
    data = bytearray(builder.build())
    data[0:8] = first.to_bytes(8, "big")
    return bytes(data)


def partition_records(data: bytes, offset: int) -> Any:
    """What aiokafka's fetcher makes of a fetch response."""
    return fetcher.PartitionRecords(TP, MemoryRecords(data), [], offset, None, None, True, fetcher.READ_UNCOMMITTED)


@pytest.mark.parametrize("codec", [0, 1])
def test_batches_become_columns_in_offset_order(codec: int) -> None:
    records = partition_records(batch(10, 3, codec) + batch(13, 2, codec), 10)
    (columns,) = list(unpack(records))
    assert columns.offsets == [10, 11, 12, 13, 14]
    assert columns.values == [b"v10", b"v11", b"v12", b"v13", b"v14"]
    assert columns.keys == [b"k0", b"k1", b"k2", b"k0", b"k1"]
    assert columns.timestamps == [1010, 1011, 1012, 1013, 1014]
    assert [list(headers) for headers in columns.headers] == [[("h", b"1")]] * 5
    assert (columns.topic, columns.partition, columns.start, columns.upto) == ("calls", 3, 10, 15)
    assert records.next_fetch_offset == 15


def test_a_batch_that_begins_before_the_position_is_cut() -> None:
    (columns,) = list(unpack(partition_records(batch(10, 5), 13)))
    assert columns.offsets == [13, 14]
    assert columns.start == 13


def test_offsets_that_are_missing_belong_to_the_batch_after_them() -> None:
    (columns,) = list(unpack(partition_records(batch(10, 2) + batch(20, 1), 10)))
    assert columns.offsets == [10, 11, 20]
    assert columns.upto == 21


def test_many_records_are_split_and_each_part_says_where_to_go_on() -> None:
    records = partition_records(b"".join(batch(10 * index, 10) for index in range(5)), 0)
    seen = []
    for columns in unpack(records, most=20):
        seen.append((columns.start, columns.upto, len(columns)))
        assert records.next_fetch_offset == columns.upto
    assert seen == [(0, 20, 20), (20, 40, 20), (40, 50, 10)]


def test_a_damaged_batch_is_refused_as_aiokafka_does() -> None:
    from aiokafka.errors import CorruptRecordException

    data = bytearray(batch(10, 3))
    data[-1] ^= 0xFF
    with pytest.raises(CorruptRecordException):
        list(unpack(partition_records(bytes(data), 10)))


def test_the_buffer_makes_fetches_yield_columns() -> None:
    records = partition_records(batch(10, 3), 10)
    result = fetcher.FetchResult(TP, assignment=_Assigned(), partition_records=records, backoff=0)
    buffer = transport.ColumnBuffer()
    buffer[TP] = result
    (columns,) = result.getall(16)
    assert columns.offsets == [10, 11, 12]
    assert not result.has_more()


class _Assigned:
    """As much of an assignment as a fetch result looks at."""

    active = True

    def state_value(self, tp: TopicPartition) -> Any:
        return self

    has_valid_position = True
    position = 10
    paused = False
    resume_fut = None

    def consumed_to(self, offset: int) -> None:
        self.position = offset


def test_the_private_parts_that_the_transport_reaches_into_are_there() -> None:
    source = inspect.getsource(fetcher)
    assert "_records_iterator" in source
    assert "self._records = collections.OrderedDict()" in source or "self._records = OrderedDict()" in source
    for name in ("_to_message", "_new_offset", "_filter_tps_with_pending_acks", "_add_gap", "wait_empty"):
        assert callable(getattr(Consumer, name)), name
    for name in ("getmany", "_create_worker_consumer", "_ensure_consumer", "highwater"):
        assert callable(getattr(driver.AIOKafkaConsumerThread, name)), name
    assert list(inspect.signature(driver.AIOKafkaConsumerThread.getmany).parameters) == [
        "self",
        "active_partitions",
        "timeout",
    ]
    assert "to_message(tp, record)" in inspect.getsource(Consumer.getmany)
