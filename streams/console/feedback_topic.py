"""The topic ``dispatch-feedback``: publishes reports about cases; a report counts only when Kafka has confirmed it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from models.casework.cases import Feedback
from streams import metrics
from streams.kafka.clients import started
from streams.kafka.publishing import producer
from streams.settings import Settings

log = structlog.get_logger(__name__)

TOPIC: Final = "dispatch-feedback"
CONFIRMED_WITHIN: Final = 8.0
"""Seconds; an officer does not wait longer for an answer, and may send the report again."""


class NotConfirmedError(Exception):
    """Kafka has not confirmed a record in time. It may still arrive, so it is to be sent again with the same id."""


def encode(feedback: Feedback) -> bytes:
    """The record, without empty fields."""
    said = msgspec.structs.asdict(feedback)
    return msgspec.json.encode({name: value for name, value in said.items() if value not in (None, "")})


class FeedbackTopic:
    """Writes to the topic; a context manager. Each call of `send` that returns has written one record."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topic(TOPIC)
        self._requests = settings.topic("stop-payments")
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> FeedbackTopic:
        """Connect; waits until Kafka answers."""
        self._producer = await started(lambda: producer(self._settings), self._settings, self._know_topic)
        return self

    async def _know_topic(self, producer: AIOKafkaProducer) -> None:
        """Fetch the topics' partitions beforehand, so that the first acknowledgement need not wait for them."""
        for topic in (self._topic, self._requests):
            await producer.partitions_for(topic)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send the records that are left and disconnect."""
        connected, self._producer = self._producer, None
        if connected is not None:
            await connected.stop()

    async def send(self, feedback: Feedback) -> None:
        """Write a record and wait for Kafka's confirmation; raises `NotConfirmedError`."""
        await self._confirmed(self._topic, feedback.case, encode(feedback))

    async def ask_to_stop(self, request: Mapping[str, Any]) -> None:
        """Do the same with a request for the topic ``stop-payments``."""
        await self._confirmed(self._requests, request["case"], msgspec.json.encode(request))

    async def _confirmed(self, topic: str, key: str, value: bytes) -> None:
        if self._producer is None:
            raise NotConfirmedError("Kafka is not connected yet.")
        try:
            async with asyncio.timeout(CONFIRMED_WITHIN):
                await self._producer.send_and_wait(topic, key=key.encode(), value=value)
        except (TimeoutError, KafkaError) as error:
            metrics.READY.labels("kafka").set(0)
            log.warning("Kafka has not confirmed a report", topic=topic, error=type(error).__name__)
            raise NotConfirmedError("Kafka has not confirmed it in time.") from None
        metrics.READY.labels("kafka").set(1)
