"""Publishing: alerts, reminders and dead letters to Kafka, confirmed before their records are acknowledged.

Dead letters are confirmed before the checkpoint. Alerts and reminders are stored with the checkpoint (the outbox) and
published after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import islice
from time import time
from types import TracebackType
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, RequestTimedOutError

from models.detection.alerts import Alert, encode
from models.detection.reminders import Reminder
from models.detection.reminders import encode as encode_reminder
from models.events.numbering import Sources
from streams import metrics
from streams.backoff import Backoff
from streams.kafka.clients import started
from streams.kafka.letters import DEAD_LETTERS, DeadLetters, Letter, Refused
from streams.kafka.partitioning import partition_of
from streams.settings import Settings

log = structlog.get_logger(__name__)

HEARTBEAT: Final = b"heartbeat"
"""The key of a heartbeat among the signals; no subscriber's number is equal to it."""
PURGE: Final = b"purge"
"""The key of a purge among the signals; it is sent to the partition of its subscriber."""
LETTERS_AT_ONCE: Final = 1000
"""Dead letters that are in memory at a time."""


class PublishError(Exception):
    """Kafka refused a record, and a retry would not help; the message names the topic and says what to do."""


def producer(settings: Settings) -> AIOKafkaProducer:
    """An idempotent producer, not started yet; it sends at once and takes batches of up to 1 MB."""
    return AIOKafkaProducer(
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=1_000_000,
        max_request_size=3_000_000,
        request_timeout_ms=10_000,
        **settings.aiokafka_options(),
    )


class Publisher:
    """The worker's publisher: an idempotent producer that waits for every confirmation; a context manager.

    Waits with backoff while Kafka does not answer. Raises `PublishError` when Kafka refuses a record and a retry would
    not help, and `SettingsError` when the site has no key for dead letters.
    """

    def __init__(self, settings: Settings, sources: Sources) -> None:
        self._settings = settings
        self._alerts = settings.topic("alerts")
        self._reminders = settings.topic("reminders")
        self._dead_letters = DeadLetters(settings, sources)
        self._signals = settings.topic("signals")
        self._producer: AIOKafkaProducer | None = None
        self._counts: dict[str, int] = {}

    async def __aenter__(self) -> Publisher:
        """Connect; waits until Kafka answers."""
        self._producer = await started(lambda: producer(self._settings), self._settings, self._count_partitions)
        return self

    async def _count_partitions(self, producer: AIOKafkaProducer) -> None:
        """Look the topics up in advance, so that the first alert need not wait for it."""
        for topic in (self._alerts, self._reminders, self._settings.topic(DEAD_LETTERS)):
            self._counts[topic] = len(await producer.partitions_for(topic))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send what is left and disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    async def alerts(
        self,
        alerts: Sequence[Alert],
        reminders: Sequence[Reminder] = (),
        read_at: float | None = None,
        appended_at: float | None = None,
    ) -> None:
        """Publish alerts and reminders, each partition's in order, and wait until all are confirmed.

        ``read_at`` is the Kafka timestamp (s) of the last record of the step that caused them, and ``appended_at`` is
        when Kafka appended the oldest one; they give the latency metrics. None: it is not measured.
        """
        letters = [Letter(self._alerts, alert.subscriber.encode(), encode(alert)) for alert in alerts]
        letters += [Letter(self._reminders, each.subscriber.encode(), encode_reminder(each)) for each in reminders]
        await self._send(letters)
        for each in reminders:
            metrics.REMINDERS.labels(each.language).inc()
        for alert in alerts:
            metrics.ALERTS.labels(alert.severity, alert.status).inc()
        if alerts and read_at is not None:
            metrics.ALERT_LATENCY_SECONDS.observe(max(time() - read_at, 0.0))
        if appended_at is not None:
            waited = max(time() - appended_at, 0.0)
            for alert in alerts:
                if alert.status == "raised":
                    metrics.EVENT_TO_ALERT_SECONDS.labels(alert.severity).observe(waited)

    async def dead_letters(self, refused: Iterable[Refused]) -> None:
        """Publish the dead letters of refused records, some of them at a time, and wait until all are confirmed.

        They are sealed in a thread, because a thousand take longer than the event loop may stand still.
        """
        rest = iter(refused)
        while some := [*islice(rest, LETTERS_AT_ONCE)]:
            await self._send(await asyncio.to_thread(self._dead_letters.of, some))
            for each in some:
                metrics.DEAD_LETTERS.labels(each.record.topic, each.refusal.reason).inc()

    async def heartbeat(self, partition: int, value: bytes) -> None:
        """Publish a heartbeat to a partition of ``signals`` and wait until it is confirmed."""
        await self._send([Letter(self._signals, HEARTBEAT, value, partition=partition)])

    async def _send(self, letters: Sequence[Letter]) -> None:
        """Send records and wait for each confirmation; records without an answer are sent again."""
        backoff = Backoff(0.1)
        while letters:
            letters = await self._attempt(letters)
            metrics.READY.labels("kafka").set(0 if letters else 1)
            if letters:
                metrics.RETRIES.labels("kafka", "not-confirmed").inc()
                log.warning("waiting for Kafka", kafka=self._settings.kafka, records=len(letters))
                await backoff.wait()

    async def _attempt(self, letters: Sequence[Letter]) -> list[Letter]:
        """Send records once, packed into as few batches of a partition as hold them; returns those without an answer.

        Raises `PublishError` when Kafka refuses a batch.
        """
        if self._producer is None:
            raise RuntimeError("The publisher is not connected: use it as a context manager.")
        parcels: list[_Parcel] = []
        open_parcels: dict[tuple[str, int], _Parcel] = {}
        for letter in letters:
            place = letter.topic, await self._partition(self._producer, letter)
            parcel = open_parcels.get(place)
            if parcel is None or not parcel.add(letter):
                parcel = open_parcels[place] = _Parcel(*place, self._producer.create_batch())
                parcel.add(letter)
                parcels.append(parcel)
        outcomes = await asyncio.gather(*[parcel.sent(self._producer) for parcel in parcels], return_exceptions=True)
        unanswered: list[Letter] = []
        for parcel, outcome in zip(parcels, outcomes, strict=True):
            if isinstance(outcome, (KafkaConnectionError, KafkaTimeoutError, RequestTimedOutError)):
                unanswered += parcel.letters
            elif isinstance(outcome, BaseException):
                raise PublishError(
                    f"Kafka refused a record for {parcel.topic} ({type(outcome).__name__}: {outcome}). Nothing was "
                    "acknowledged: repair the topic (`forewarn topics apply`) and start the worker again."
                ) from outcome
        return unanswered

    async def _partition(self, producer: AIOKafkaProducer, letter: Letter) -> int:
        if letter.partition is not None:
            return letter.partition
        partitions = self._counts.get(letter.topic)
        if partitions is None:
            partitions = self._counts[letter.topic] = len(await producer.partitions_for(letter.topic))
        key = letter.key if letter.key is not None else letter.value or b""
        return partition_of(key, partitions)


class _Parcel:
    """Records of one partition that are sent as one batch."""

    def __init__(self, topic: str, partition: int, batch: Any) -> None:
        self.topic = topic
        self.letters: list[Letter] = []
        self._partition = partition
        self._batch = batch

    def add(self, letter: Letter) -> bool:
        """Add a record; False when the batch has no room for it."""
        added = self._batch.append(
            key=letter.key, value=letter.value, timestamp=letter.timestamp, headers=list(letter.headers)
        )
        if added is not None:
            self.letters.append(letter)
        return added is not None

    async def sent(self, producer: AIOKafkaProducer) -> None:
        """Send the batch and wait for Kafka's confirmation."""
        self._batch.close()
        await (await producer.send_batch(self._batch, self.topic, partition=self._partition))
