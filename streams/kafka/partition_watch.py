"""Partition watch: notices that topics were given more partitions, and reads those as well.

Kafka tells members of a consumer group of new partitions. A consumer outside any group has to ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from time import perf_counter

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

log = structlog.get_logger(__name__)

LOOK_EVERY = 5.0
"""Seconds between two questions to Kafka."""
LOOK_WITHIN = 2.0
"""Seconds to wait for the answer; meanwhile the caller reads nothing."""


class PartitionWatch:
    """Makes a consumer read the partitions that its topics get while it runs, from their beginning.

    Belongs to the event loop.
    """

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._looked = perf_counter()

    async def look(self) -> None:
        """Ask Kafka for new partitions if the last question was `LOOK_EVERY` seconds ago; call it often.

        If no broker answers, it asks again after that time: the consumer itself waits for Kafka.
        """
        if perf_counter() - self._looked < LOOK_EVERY:
            return
        self._looked = perf_counter()
        consumer = self._consumer
        topics = {part.topic for part in consumer.assignment()}
        try:
            async with asyncio.timeout(LOOK_WITHIN):
                found = await _partitions(consumer, topics)
        except (TimeoutError, KafkaError) as error:
            log.warning("Kafka does not say how many partitions there are", error=type(error).__name__)
            return
        followed = consumer.assignment()
        if added := sorted(found - followed):
            begins = {part: await consumer.position(part) for part in followed} | dict.fromkeys(added, 0)
            consumer.assign([*begins])  # forgets the positions
            for part, offset in begins.items():
                consumer.seek(part, offset)
            log.warning("a topic has got more partitions", added=[f"{each.topic}:{each.partition}" for each in added])


async def _partitions(consumer: AIOKafkaConsumer, topics: Collection[str]) -> set[TopicPartition]:
    """The partitions that these topics have now. Raises KafkaError when the broker that is asked does not answer."""
    client = consumer._client
    # aiokafka's own request would create a topic that was deleted, and one for all topics is large at a large site.
    request = MetadataRequest([*topics], allow_auto_topic_creation=False)
    cluster = ClusterMetadata()
    cluster.update_metadata(await client.send(client.get_random_node(), request))
    return {TopicPartition(topic, part) for topic in topics for part in cluster.partitions_for_topic(topic) or ()}
