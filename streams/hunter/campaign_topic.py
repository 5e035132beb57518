"""The campaign topic: reads and writes the hunter's campaigns and the analysts' decisions on them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from models.lookback.campaigns import Campaign, Status, decode, encode
from streams.kafka.clients import reader, started, up_to_now
from streams.kafka.publishing import PublishError, producer
from streams.settings import Settings


class CampaignTopic:
    """Follows the topic from its beginning and publishes on it; a context manager."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topic("campaigns")
        self._consumer: AIOKafkaConsumer | None = None
        self._producer: AIOKafkaProducer | None = None
        self._partitions: list[TopicPartition] = []
        self.campaigns: dict[str, Campaign] = {}
        """The last record of each campaign id, in the order in which these records were read."""

    async def __aenter__(self) -> CampaignTopic:
        """Connect; waits until Kafka answers. Raises KafkaError when there is no such topic."""
        self._consumer, self._partitions = await reader(self._settings, self._topic)
        try:
            self._producer = await started(lambda: producer(self._settings), self._settings)
        except BaseException:  # for example, the program was told to stop
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        """Disconnect."""
        for client in (self._consumer, self._producer):
            if client is not None:
                await client.stop()

    async def catch_up(self) -> None:
        """Read up to the topic's current end; skip records that are not campaigns."""
        consumer = self._consumer
        if consumer is None:
            raise RuntimeError("The topic is not connected: use it as a context manager.")
        async for record in up_to_now(consumer, self._partitions):
            self._take(record.value)

    def _take(self, value: bytes | None) -> None:
        try:
            campaign = decode(value or b"")
        except msgspec.MsgspecError:
            return
        self.campaigns.pop(campaign.id, None)
        self.campaigns[campaign.id] = campaign

    @property
    def said(self) -> dict[str, Status]:
        """The last published status of each domain and number, by ``type:value``."""
        return {each.key: each.status for each in self.campaigns.values()}

    async def publish(self, campaigns: Iterable[Campaign]) -> None:
        """Publish campaigns in order and wait until all are confirmed. Raises `PublishError` when Kafka refuses."""
        if self._producer is None:
            raise RuntimeError("The topic is not connected: use it as a context manager.")
        try:
            sent = [
                await self._producer.send(self._topic, key=each.value.encode(), value=encode(each))
                for each in campaigns
            ]
            await asyncio.gather(*sent)
        except KafkaError as error:
            raise PublishError(
                f"Kafka refused campaigns for {self._topic} ({type(error).__name__}: {error}); repair the topic "
                "(`forewarn topics apply`) and try again."
            ) from error
