"""The demonstration: plays a day of records through a running worker, and reads every alert back from its topic."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, time
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from models.detection.alerts import Alert
from models.indicators.indicator import Indicator
from streams.demo.playing import PlayedRecord, by_rate, play, records, shifted, span
from streams.files.indicator_files import IndicatorFile
from streams.kafka.indicator_topic import publish
from streams.kafka.record_batches import Consumer
from streams.kafka.reference_data import SubscriberRecord
from streams.local import LocalStackError
from streams.local.process import Server
from streams.local.worker import metric
from streams.settings import Settings

PATIENCE = 20.0
"""Seconds within which the worker must finish after the last record."""

_alert = msgspec.json.Decoder(Alert)


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a scripted person of the examples; ``money_at``: when their money leaves (epoch ms)."""

    subscriber: str
    role: str
    zh: str = ""
    en: str = ""
    money_at: int | None = None


class _Reached(msgspec.Struct):
    subscriber: str


class Report(NamedTuple):
    """How many people a look-back found, and the seconds from the report to the first and to the last of them."""

    people: int
    first_s: float
    last_s: float


@dataclass
class Result:
    """The figures and alerts of one demonstration."""

    before: int = 0
    events: int = 0
    seconds: float = 0.0
    alerts: list[Alert] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    """Seconds from handing an event to the producer to reading its alert back, for alerts that an event caused."""
    signals: int = 0
    dead_letters: int = 0

    @property
    def by_severity(self) -> Counter[str]:
        """The number of raised alerts by severity."""
        return Counter(alert.severity for alert in self.alerts if alert.status == "raised")


async def import_lists(settings: Settings, examples: Path) -> int:
    """Publish the examples' indicators and subscribers; returns the number of indicators."""
    with (examples / "indicators.jsonl").open("rb") as raw:
        count = await publish(settings, (item for item in IndicatorFile(raw) if isinstance(item, Indicator)))
    producer = AIOKafkaProducer(**settings.aiokafka_options(), enable_idempotence=True)
    await producer.start()
    try:
        for line in (examples / "subscribers.jsonl").read_bytes().splitlines():
            record = msgspec.json.decode(line, type=SubscriberRecord)
            await producer.send(settings.topic("subscribers"), value=line, key=record.subscriber.encode())
    finally:
        await producer.stop()
    return count


async def play_earlier(settings: Settings, examples: Path, rate: float, shift: int) -> int:
    """Play the records from two days before, moved by ``shift`` milliseconds; returns their number."""
    earlier = records([examples / "earlier-calls.jsonl"], [examples / "earlier-sms.jsonl"])
    return await play(settings, shifted(earlier, shift), by_rate(rate))


def shift_to_now(examples: Path) -> int:
    """The milliseconds by which the examples' times must be moved so that their newest record is of now."""
    _, last = span([examples / "calls.jsonl"], [examples / "sms.jsonl"])
    return int(time() * 1000) - last


async def demonstrate(
    settings: Settings,
    examples: Path,
    worker: Server,
    rate: float,
    shown: Callable[[Alert], object],
    before: int = 0,
    shift: int = 0,
) -> Result:
    """Play the examples at ``rate`` records a second; ``shown`` gets each alert as it is read back.

    ``before``: the number of records played earlier; ``shift``: the milliseconds by which times are moved. Raises
    LocalStackError when the worker ends or does not finish in time.
    """
    result = Result(before=before)
    handed: dict[tuple[str, int], float] = {}

    def sent(record: PlayedRecord, at: float) -> None:
        handed[record.id, record.at] = at

    async with _alerts(settings) as consumer:
        reading = asyncio.create_task(_read_back(consumer, handed, result, shown))
        began = perf_counter()
        try:
            played = shifted(records([examples / "calls.jsonl"], [examples / "sms.jsonl"]), shift)
            result.events = await play(settings, played, by_rate(rate), sent)
            result.seconds = perf_counter() - began
            await _finished(settings, worker, result)
        finally:
            reading.cancel()
    http = str(settings.http)
    result.signals = int(await asyncio.to_thread(metric, http, "forewarn_signals_total"))
    result.dead_letters = int(await asyncio.to_thread(metric, http, "forewarn_dead_letters_total"))
    return result


async def look_back(settings: Settings, examples: Path, shown: Callable[[Alert], object]) -> Report:
    """Publish the reported number; ``shown`` gets each alert about the people that the number had reached.

    Raises LocalStackError when not all of these people are found in time.
    """
    reached = {
        msgspec.json.decode(line, type=_Reached).subscriber
        for line in (examples / "earlier-calls.jsonl").read_bytes().splitlines()
    }
    found: dict[str, float] = {}
    async with _alerts(settings) as consumer:
        began = perf_counter()
        with (examples / "report.jsonl").open("rb") as raw:
            await publish(settings, (item for item in IndicatorFile(raw) if isinstance(item, Indicator)))
        while found.keys() != reached:
            left = began + PATIENCE - perf_counter()
            if left < 0:
                raise LocalStackError(f"Of {len(reached)} people {len(found)} were found within {PATIENCE:.0f} s")
            batches = await consumer.getmany(timeout_ms=int(min(left, 0.5) * 1000))
            for alerts in batches.values():
                for record in alerts:
                    alert = _alert.decode(record.value)
                    found.setdefault(alert.subscriber, perf_counter() - began)
                    shown(alert)
    return Report(len(found), min(found.values()), max(found.values()))


@asynccontextmanager
async def _alerts(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer at the end of the alerts topic."""
    topic = settings.topic("alerts")
    consumer = Consumer(topic, **settings.consumer_options(), auto_offset_reset="latest", fetch_max_wait_ms=50)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.unsubscribe()
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)
        yield consumer
    finally:
        await consumer.stop()


async def _read_back(
    consumer: AIOKafkaConsumer,
    handed: dict[tuple[str, int], float],
    result: Result,
    shown: Callable[[Alert], object],
) -> None:
    async for record in consumer:
        now = time()
        alert = _alert.decode(record.value)
        result.alerts.append(alert)
        causes = [
            handed[event, alert.at] for why in alert.reasons for event in why.events if (event, alert.at) in handed
        ]
        if causes:  # an alert at a call milestone, during a running call, has no event of its own
            result.latencies.append(now - max(causes))
        shown(alert)


async def _finished(settings: Settings, worker: Server, result: Result) -> None:
    """Wait until the worker has applied every event and every alert has been read back."""
    http = str(settings.http)
    deadline = perf_counter() + PATIENCE
    while perf_counter() < deadline:
        if not worker.runs:
            raise LocalStackError(f"The worker ended: see {worker.launch.log}")
        read = await asyncio.to_thread(metric, http, "forewarn_events_total")
        published = await asyncio.to_thread(metric, http, "forewarn_alerts_total")
        waiting = await asyncio.to_thread(metric, http, "forewarn_lag_records")
        if read >= result.before + result.events and not waiting and len(result.alerts) >= published:
            return
        await asyncio.sleep(0.2)
    raise LocalStackError(f"The worker did not finish within {PATIENCE:.0f} s: see {worker.launch.log}")
