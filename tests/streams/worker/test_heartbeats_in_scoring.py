"""Heartbeats in scoring: from the bytes of a fetch to the alert, with append times and nothing else to read."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import msgspec
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition
from msgspec.structs import replace

from models.base.durations import DAY, MINUTE
from models.detection.alerts import Alert
from models.detection.alignment import Alignment
from models.detection.engine import Engine
from models.detection.partition import Partition
from models.detection.risk import PointScore
from models.events.numbering import CHINA
from streams.kafka.columns import Columns
from streams.kafka.publishing import HEARTBEAT
from streams.kafka.record_batches import RawRecords, unpack
from streams.settings import Settings
from streams.worker.heartbeats import Heartbeats
from streams.worker.partition import FEEDING, AssignedPartition, Feed
from streams.worker.partition_state import PartitionState
from streams.worker.scoring import Scorer
from streams.worker.step import Stepper
from tests.strategies import ANN, POLICY, T0, known, start

RULES = replace(
    POLICY,
    contact=replace(POLICY.contact, in_progress=32, talk=32),
    windows=replace(POLICY.windows, long_talk=7),
)
"""A policy by which a call is medium when it starts, and high once it has lasted for seven minutes."""

APPENDED = T0 + 250 * DAY


def fetched(topic: str, offset: int, key: bytes, value: bytes, appended: int) -> Columns:
    """The columns of one record, as the broker stores it in a topic that keeps the append time."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    builder.append(0, T0, key, value, headers=[])
    raw = bytearray(builder.build())
    raw[0:8] = offset.to_bytes(8, "big")
    raw[21:23] = (int.from_bytes(raw[21:23], "big") | 0x08).to_bytes(2, "big")
    raw[35:43] = appended.to_bytes(8, "big")
    records = PartitionRecords(TopicPartition(topic, 0), RawRecords(bytes(raw)), [], offset, None, None, False, 0)
    (columns,) = unpack(records)
    return columns


class Kafka:
    """The logs of one partition, and what is published; its clock is moved by hand."""

    def __init__(self) -> None:
        self.at = APPENDED
        self.logs: dict[str, int] = dict.fromkeys(FEEDING, 0)
        self.heartbeats: list[bytes] = []
        self.published: list[Alert] = []
        self.appended: list[object] = []
        """When the records were appended that brought the alerts."""

    def now(self) -> float:
        """Seconds since 1970."""
        return self.at / 1000

    async def heartbeat(self, partition: int, value: bytes) -> None:
        """Publish a heartbeat."""
        self.heartbeats.append(value)
        self.logs["signals"] += 1

    async def alerts(self, alerts: list[Alert], reminders: object, read_at: object, appended_at: object) -> None:
        """Publish alerts."""
        self.published += alerts
        self.appended += [appended_at] * len(alerts)

    async def dead_letters(self, letters: object) -> None:
        """Must not happen."""
        raise AssertionError(letters)

    def end_offset(self, topic: str, partition: int) -> int:
        """The end of a log."""
        return self.logs[topic]

    async def end_offset_now(self, topic: str, partition: int) -> int:
        """The end of a log."""
        return self.logs[topic]

    def unstable_records(self, topic: str, partition: int) -> int:
        """No transaction is open."""
        return 0

    def fail(self, error: BaseException) -> None:
        """Must not happen."""
        raise error


class NoLedger:
    """A ledger that is off."""

    progress = None
    rows = 0
    waiting_since = None

    def __init__(self) -> None:
        self.acks: dict[str, Any] = {}

    def takes(self, topic: str) -> bool:
        """It takes nothing."""
        return False

    def advance(self) -> bool:
        """Nothing is written."""
        return False

    async def wait_for_room(self) -> None:
        """There is room."""

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: None


class Redis:
    """Checkpoints that are written nowhere."""

    async def write(self, *arguments: object) -> None:
        """Write nothing."""


async def test_one_call_is_noticed_after_seven_minutes_and_its_heartbeats_come_back_through_the_log() -> None:
    """The record is months old and the only one; the clock is moved by hand."""
    kafka, settings = Kafka(), Settings()
    engine = Engine(known(), RULES, PointScore())
    stepper = Stepper(engine, cast("Any", Redis()), cast("Any", kafka), "signals", {})
    partition = Partition(0)
    feeds = {name: Feed(name, 0, 0.0, 0) for name in FEEDING}
    alignment = Alignment(partition.call_clock, partition.sms_clock)
    starts = dict.fromkeys(FEEDING, 0)
    parts = (cast("Any", NoLedger()), alignment, feeds, cast("Any", starts), cast("Any", kafka))
    assigned = AssignedPartition(PartitionState(partition), *parts)
    assignment = cast("Any", type("", (), {"partitions": {0: assigned}})())
    heartbeats = Heartbeats(cast("Any", kafka), kafka.now, kafka.now)
    scorer = Scorer(settings, CHINA, engine, assignment, stepper, heartbeats)

    async def settle() -> None:
        await scorer.tend()
        if assigned.task is not None:
            await assigned.task

    value = {name: each for name, each in msgspec.structs.asdict(start("c", 0)).items() if each not in (None, -1.0)}
    kafka.logs["calls"] = 1
    await scorer.take(fetched("calls", 0, ANN.encode(), json.dumps(value).encode(), APPENDED), lambda: None)
    came: dict[str, float] = {}
    read = 0
    for second in range(8 * 60):
        kafka.at = APPENDED + second * 1000
        await settle()
        if len(kafka.heartbeats) > read:
            heartbeat = fetched("signals", read, HEARTBEAT, kafka.heartbeats[read], kafka.at)
            read += 1
            await scorer.take(heartbeat, lambda: None)
            await settle()
        for alert in kafka.published:
            came.setdefault(f"{alert.severity} {(alert.at - T0) // MINUTE}", second)
        await asyncio.sleep(0)

    assert came == {"medium 0": 0, "high 7": 7 * 60 + POLICY.clock.wait_ms / 1000}
    assert kafka.appended == [APPENDED / 1000 + second for second in came.values()]
    assert read == 5
