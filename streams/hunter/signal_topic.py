"""The signal topic: publishes signals, all those of one subscriber in one Kafka batch so that they arrive together."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, RequestTimedOutError

from models.base.number_keys import key_of
from models.lookback.hunting import Group
from streams.backoff import Backoff
from streams.kafka.clients import started
from streams.kafka.partitioning import partition_of
from streams.kafka.publishing import PublishError, producer
from streams.settings import Settings

log = structlog.get_logger(__name__)

_BATCH = 900_000
_PER_RECORD = 100
"""The most bytes that Kafka adds to a record."""

_encode = msgspec.json.Encoder().encode

Sent = dict[int, tuple[int, int]]
"""The partition and the offset of the last record that was sent about a subscriber, by number key."""


class SignalTopic:
    """Publishes groups of signals and waits for every confirmation; a context manager."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topic("signals")
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> SignalTopic:
        """Connect; waits until Kafka answers."""
        self._producer = await started(lambda: producer(self._settings), self._settings)
        return self

    async def __aexit__(self, *error: object) -> None:
        """Disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    async def publish(self, groups: Iterable[Group]) -> Sent:
        """Publish groups and wait until all are confirmed, retrying while Kafka is unreachable.

        Raises `PublishError` when Kafka refuses.
        """
        connected = self._producer
        if connected is None:
            raise RuntimeError("The topic is not connected: use it as a context manager.")
        partitions = len(await connected.partitions_for(self._topic))
        waiting: dict[int, list[Group]] = {}
        for group in groups:
            waiting.setdefault(partition_of(group[0].subscriber.encode(), partitions), []).append(group)
        sent: Sent = {}
        backoff = Backoff(0.1)
        while waiting:
            for partition, some in list(waiting.items()):
                try:
                    await self._send(connected, partition, some, sent)
                    del waiting[partition]
                except (KafkaConnectionError, KafkaTimeoutError, RequestTimedOutError):
                    log.warning("waiting for Kafka", kafka=self._settings.kafka)
                    await backoff.wait()
                except KafkaError as error:
                    raise PublishError(
                        f"Kafka refused signals for {self._topic} ({type(error).__name__}: {error}); repair the topic "
                        "(`forewarn topics apply`) and start the hunter again; it then looks back again."
                    ) from error
        return sent

    async def _send(self, producer: AIOKafkaProducer, partition: int, groups: list[Group], sent: Sent) -> None:
        """Send the groups of one partition in order; confirmed groups are removed from the list."""
        while groups:
            builder = producer.create_batch()
            taken = 0
            for group in groups:
                values = [_encode(record) for record in group]
                size = sum(len(value) + _PER_RECORD for value in values)
                if taken and builder.size() + size > _BATCH:
                    break
                key = group[0].subscriber.encode()
                for value in values:
                    if builder.append(key=key, value=value, timestamp=None) is None:  # the group is larger than a batch
                        await self._confirmed(producer, builder, partition)
                        builder = producer.create_batch()
                        builder.append(key=key, value=value, timestamp=None)
                taken += 1
            offset = await self._confirmed(producer, builder, partition)
            for group in groups[:taken]:
                sent[key_of(group[0].subscriber)] = partition, offset
            del groups[:taken]

    async def _confirmed(self, producer: AIOKafkaProducer, builder: object, partition: int) -> int:
        """Send a batch and return the offset of its last record."""
        count: int = builder.record_count()  # type: ignore[attr-defined]
        builder.close()  # type: ignore[attr-defined]
        confirmed = await (await producer.send_batch(builder, self._topic, partition=partition))
        return int(confirmed.offset) + count - 1
