"""Reference data as it is now: what a worker that started at this moment would know, for a replay of topics."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from aiokafka.errors import KafkaError

from models.events.event import RecordError
from models.indicators.matching import Indicators
from streams.kafka.compacted import Apply, CompactedReader
from streams.kafka.history import HistoryError
from streams.kafka.reference_data import IndicatorRecords, VulnerableSubscribers
from streams.settings import Settings


def newest_words(settings: Settings, name: str) -> list[Any]:
    """The newest record of each key of a compacted topic up to its present end, tombstones left out.

    Raises `HistoryError` when the topic does not exist or cannot be read. Call it where no event loop is running.
    """
    try:
        return asyncio.run(_contents(settings, settings.topic(name)))
    except KafkaError as error:
        raise HistoryError(str(error) or f"{name} cannot be read ({type(error).__name__})") from None


def indicators_now(settings: Settings, refused: Counter[str]) -> Indicators:
    """The indicators of the topic; bad records are counted by reason. Raises `HistoryError`."""
    found = Indicators()
    _apply(settings, "indicators", IndicatorRecords(found).apply, refused)
    return found


def subscribers_now(settings: Settings, refused: Counter[str]) -> VulnerableSubscribers:
    """What the topic says of subscribers; bad records are counted by reason. Raises `HistoryError`."""
    found = VulnerableSubscribers()
    _apply(settings, "subscribers", found.apply, refused)
    return found


def _apply(settings: Settings, name: str, apply: Apply, refused: Counter[str]) -> None:
    for record in newest_words(settings, name):
        try:
            apply(record.key, record.value)
        except RecordError as error:
            refused[error.reason] += 1


async def _contents(settings: Settings, topic: str) -> list[Any]:
    reading = await CompactedReader.open(settings, topic, max_partition_fetch_bytes=8_000_000)
    try:
        return await reading.contents()
    finally:
        await reading.close()
