"""The transport: the parts of aiokafka and Faust that it relies on, and what it passes on from real record batches."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import time
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.errors import ConsumerStoppedError
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver

from streams.kafka import column_buffer
from streams.kafka.record_batches import MOST_RECORDS
from streams.worker import transport
from tests.site import ROOT

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
    """The records that aiokafka's fetcher makes from a fetch response."""
    return fetcher.PartitionRecords(
        TP, fetcher.MemoryRecords(data), [], offset, None, None, True, fetcher.READ_UNCOMMITTED
    )


def test_the_buffer_makes_fetches_yield_columns() -> None:
    records = partition_records(batch(10, 3), 10)
    result = fetcher.FetchResult(TP, assignment=_Assigned(), partition_records=records, backoff=0)
    buffer = column_buffer.ColumnBuffer({"calls": len})
    buffer[TP] = result
    (columns,) = result.getall(16)
    assert columns.offsets.tolist() == [10, 11, 12]
    assert columns.content == 3
    assert not result.has_more()


class _Assigned:
    """The part of an assignment that a fetch result reads."""

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
    assert "records = MemoryRecords(part_data[-1])" in source
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


class _Thread(transport.ConsumerThread):
    """A fetching thread without Kafka: each fetch returns the next prepared result, or raises it."""

    def __init__(self, *prepared: Any) -> None:
        self.paused = set()
        self._ahead = None
        self._seeks = 0
        self._asked_at = 0.0
        self.prepared = list(prepared)
        self.failures: list[BaseException] = []
        self.sought: list[tuple[Any, int]] = []
        self.consumer = self.app = self
        self.thread_loop = asyncio.get_running_loop()

    consumer_stopped_errors = (ConsumerStoppedError,)

    def _ensure_consumer(self) -> Any:
        return self

    def seek(self, tp: Any, offset: int) -> None:
        self.sought.append((tp, offset))

    def fail(self, error: BaseException) -> None:
        self.failures.append(error)

    async def _batches(self, active_partitions: Any, timeout: float) -> tuple[int, Any]:
        prepared = self.prepared.pop(0)
        if isinstance(prepared, BaseException):
            raise prepared
        return self._seeks, prepared


FULL = {TP: [range(MOST_RECORDS)]}
SMALL = {TP: [range(3)]}


async def test_in_a_backlog_the_next_batches_are_asked_for_ahead() -> None:
    thread = _Thread(FULL, FULL, SMALL)

    assert await thread.getmany(None, 1.0) is FULL
    await asyncio.sleep(0)
    assert thread.prepared == [SMALL]
    assert [await thread.getmany(None, 1.0), await thread.getmany(None, 1.0)] == [FULL, SMALL]
    await asyncio.sleep(0)
    assert thread._ahead is None


async def test_what_was_read_before_the_position_was_set_anew_is_not_delivered() -> None:
    thread = _Thread(FULL, FULL, SMALL)
    await thread.getmany(None, 1.0)
    await asyncio.sleep(0)

    await thread.read_from({TP: 7})

    assert thread.sought == [(TP, 7)]
    assert await thread.getmany(None, 1.0) == {}
    assert await thread.getmany(None, 1.0) is SMALL


async def test_what_a_fetch_gives_that_was_under_way_while_the_position_was_set_is_not_delivered() -> None:
    """It would pass for the first records after the new position, and those before them would never be read."""
    thread = _Thread()

    async def fetch(self: Any, *arguments: Any, **options: Any) -> Any:
        await thread.read_from({TP: 7})
        return FULL

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetch)
        seeks, _ = await transport.ConsumerThread._fetch_records(thread)

    assert seeks != thread._seeks


async def test_many_small_batches_gather_and_few_do_not() -> None:
    many = {TopicPartition("calls", number): [range(1)] for number in range(transport.MANY)}
    thread = _Thread(SMALL, many, many)
    await thread.getmany(None, 1.0)

    began = time.monotonic()
    await thread.getmany(None, 1.0)
    await thread.getmany(None, 1.0)

    assert time.monotonic() - began >= transport.PACE


async def test_records_that_cannot_be_read_end_the_worker() -> None:
    """Faust would log the error and stop reading, and nobody would be warned again."""
    error = ValueError("damaged")
    thread = _Thread(error, ConsumerStoppedError())

    with pytest.raises(ValueError, match="damaged"):
        await thread.getmany(None, 1.0)
    with pytest.raises(ConsumerStoppedError):
        await thread.getmany(None, 1.0)

    assert thread.failures == [error]


def test_the_thread_that_talks_to_kafka_keeps_no_program_alive() -> None:
    """A worker that failed during a rebalance cannot stop this thread, and must still end."""
    code = (
        "import time\n"
        "from types import SimpleNamespace\n"
        "from streams.worker.transport import ConsumerThread\n"
        "ConsumerThread.Worker(SimpleNamespace(_start_thread=lambda: time.sleep(600))).start()\n"
        "print('over')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "over\n"
