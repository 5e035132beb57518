"""Publishing: alerts and dead letters to Kafka, confirmed before anything is checkpointed or acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import time
from types import TracebackType
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, RequestTimedOutError

from models.alerts import Alert, encode
from models.events import Refusal
from streams import metrics
from streams.columns import Columns
from streams.settings import Settings

log = structlog.get_logger(__name__)

HEADER = "forewarn.error."


class PublishError(Exception):
    """Kafka refused a record for good; the message says which topic and what to do."""


class Letter(NamedTuple):
    """A record on its way to a topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp: int | None = None


def dead_letter(columns: Columns, refusal: Refusal, topic: str, group: str) -> Letter:
    """The dead letter of a refused record: its bytes, key, time and headers, with context in ``forewarn.error.*``."""
    at = refusal.index
    said = {
        "reason": refusal.reason,
        "detail": refusal.detail[:500],
        "topic": columns.topic,
        "partition": str(columns.partition),
        "offset": str(columns.offsets[at]),
        "group": group,
    }
    context = [(HEADER + name, value.encode()) for name, value in said.items()]
    return Letter(
        topic,
        columns.keys[at],
        columns.values[at],
        (*columns.headers[at], *context),
        max(columns.timestamps[at], 0),
    )


class Publisher:
    """An idempotent producer that waits for every confirmation; a context manager.

    Waits with backoff while Kafka does not answer; raises `PublishError` when it refuses a record for good.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._alerts = settings.topic("alerts")
        self._dead_letters = settings.topic("dead-letters")
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Publisher:
        """Connect; waits until Kafka answers."""
        wait = 0.1
        while True:
            producer = AIOKafkaProducer(
                acks="all",
                enable_idempotence=True,
                linger_ms=0,
                max_request_size=3_000_000,
                request_timeout_ms=10_000,
                **self._settings.aiokafka_options(),
            )
            try:
                await producer.start()
            except KafkaConnectionError:
                await producer.stop()
                metrics.READY.labels("kafka").set(0)
                log.warning("waiting for Kafka", kafka=self._settings.kafka)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 2.0)
            else:
                self._producer = producer
                metrics.READY.labels("kafka").set(1)
                return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send what is left and disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    async def alerts(self, alerts: Sequence[Alert], read_at: float | None = None) -> None:
        """Publish alerts in order and wait until all are confirmed; ``read_at``: Kafka time of their cause (s)."""
        await self.send([Letter(self._alerts, alert.subscriber.encode(), encode(alert)) for alert in alerts])
        for alert in alerts:
            metrics.ALERTS.labels(alert.severity, alert.status).inc()
        if alerts and read_at is not None:
            metrics.ALERT_LATENCY_SECONDS.observe(max(time() - read_at, 0.0))

    async def dead_letters(self, columns: Columns, refusals: Sequence[Refusal]) -> None:
        """Publish the dead letters of a batch and wait until all are confirmed."""
        group = self._settings.group
        await self.send([dead_letter(columns, refusal, self._dead_letters, group) for refusal in refusals])
        for refusal in refusals:
            metrics.DEAD_LETTERS.labels(columns.topic, refusal.reason).inc()

    async def send(self, letters: Sequence[Letter]) -> None:
        """Send records and wait for the confirmation of each, trying again those that timed out."""
        left = letters
        wait = 0.1
        while left:
            outcomes = await asyncio.gather(*[await self._hand_over(letter) for letter in left], return_exceptions=True)
            missing = []
            for letter, outcome in zip(left, outcomes, strict=True):
                if isinstance(outcome, (KafkaConnectionError, KafkaTimeoutError, RequestTimedOutError)):
                    missing.append(letter)
                elif isinstance(outcome, BaseException):
                    raise PublishError(
                        f"Kafka refused a record for {letter.topic} ({type(outcome).__name__}: {outcome}). Nothing was "
                        "acknowledged: mend the topic (`forewarn topics apply`) and start the worker again."
                    ) from outcome
            left = missing
            metrics.READY.labels("kafka").set(0 if left else 1)
            if left:
                metrics.RETRIES.labels("kafka").inc()
                log.warning("waiting for Kafka", kafka=self._settings.kafka, records=len(left))
                await asyncio.sleep(wait)
                wait = min(wait * 2, 2.0)

    async def _hand_over(self, letter: Letter) -> asyncio.Future[Any]:
        if self._producer is None:
            raise RuntimeError("The publisher is not connected: use it as a context manager.")
        try:
            future: asyncio.Future[Any] = await self._producer.send(
                letter.topic,
                value=letter.value,
                key=letter.key,
                headers=list(letter.headers),
                timestamp_ms=letter.timestamp,
            )
        except Exception as error:  # what cannot even be queued is an outcome like any other
            future = asyncio.get_running_loop().create_future()
            future.set_exception(error)
        return future
