"""The topic ``dispatch``, followed by the console: reads it to its end into the view, and then as it grows.

The console sees only records that the dispatcher has committed. When the connection to Kafka breaks, the topic is read
again from its beginning. Until that is done, the view stays as it was and says up to which time it is known.
"""

from __future__ import annotations

import asyncio
import gc
from time import time
from typing import Any, Final

import structlog
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError

from models.casework.cases import Case
from models.casework.snapshots import decode
from streams import metrics
from streams.console.view import View
from streams.kafka.clients import passes
from streams.kafka.compacted import CompactedReader
from streams.settings import Settings

log = structlog.get_logger(__name__)

TOPIC: Final = "dispatch"
LOOK_EVERY: Final = 1.0
"""Seconds between two checks whether the view has all records."""
ANSWER_WITHIN: Final = 5.0
PAUSE: Final = 1.0
"""Seconds before the next attempt to reach Kafka."""


async def follow(settings: Settings, view: View) -> None:
    """Keep the view equal to the topic; ends only when cancelled, or on an error that does not pass by itself."""
    while True:
        try:
            topic = await CompactedReader.open(settings, settings.topic(TOPIC))
            try:
                asked_at = int(time() * 1000)
                view.begin([case for record in await topic.contents() if (case := _case(record)) is not None])
                view.as_of = asked_at
                # The collector would scan every case again and again, for a quarter of a second each time.
                gc.collect()
                gc.freeze()
                gc.set_threshold(50_000, 20, 100)
                metrics.READY.labels("cases").set(1)
                log.info("cases are in memory", cases=sum(1 for _ in view.cases()))
                await _keep_up(topic, view)
            finally:
                await topic.close()
        except KafkaError as error:
            if not passes(error):
                raise
            metrics.READY.labels("kafka").set(0)
            log.warning("waiting for Kafka", kafka=settings.kafka, error=type(error).__name__)
            await asyncio.sleep(PAUSE)


async def _keep_up(topic: CompactedReader, view: View) -> None:
    loop = asyncio.get_running_loop()
    looked = -LOOK_EVERY
    while True:
        for record in await topic.some(200, 2000):
            _take(view, record)
        if loop.time() - looked >= LOOK_EVERY:
            asked_at = int(time() * 1000)
            if await _is_all(topic):
                view.as_of = asked_at
            looked = loop.time()


async def _is_all(topic: CompactedReader) -> bool:
    """Whether Kafka says that nothing is left to read; False when Kafka does not answer."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            found = await topic.has_reached(await topic.ends())
    except (TimeoutError, KafkaConnectionError, KafkaTimeoutError):
        metrics.READY.labels("kafka").set(0)
        log.warning("Kafka does not answer whether there are newer cases")
        return False
    metrics.READY.labels("kafka").set(1)
    return found


def _take(view: View, record: Any) -> None:
    if record.value is None:
        view.forget((record.key or b"").decode(errors="replace"))
    elif (case := _case(record)) is not None:
        view.put(case)


def _case(record: Any) -> Case | None:
    """The case of a record; None, and logged, if no dispatcher of this version has written the record."""
    try:
        return decode(record.value)
    except ValueError as error:
        log.error(
            "a record is not a case that this console can read",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            error=type(error).__name__,
        )
        return None
