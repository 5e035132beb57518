"""Topic logs: which log a topic has now, and from which offset to which its partitions hold records.

Stored offsets mean something only in the log in which they were counted. A topic that was deleted and made anew has
another log, which Kafka tells by the topic's id. A log that was truncated ends before offsets that were read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.errors import UnknownTopicOrPartitionError, for_code

from streams import metrics
from streams.backoff import Backoff
from streams.kafka.contracts import BrokerError, open_admin
from streams.settings import Settings

log = structlog.get_logger(__name__)

_NO_ID = UUID(int=0)


class MissingTopicError(BrokerError):
    """A topic that is needed does not exist; the message says what to do."""


class TopicLog(NamedTuple):
    """The log of a topic as Kafka describes it now."""

    id: str
    """Kafka's id of the topic, which no other topic ever gets; empty if the broker gives none (Kafka before 2.8)."""
    firsts: Mapping[int, int]
    """The first offset that each partition still has."""
    ends: Mapping[int, int]
    """The offset after the last record of each partition, whether or not that record's transaction has ended."""


TopicLogs = Mapping[str, TopicLog]
"""The logs of some topics, by their names on the cluster."""


def topic_logs(settings: Settings, topics: Collection[str]) -> TopicLogs:
    """The logs of these topics. Blocks while it asks.

    Raises `MissingTopicError` when one of them does not exist, and `BrokerError` when Kafka does not answer.
    """
    with open_admin(settings) as admin:
        described = _described(admin, topics)
        parts = [
            TopicPartition(name, each["partition_index"])
            for name, topic in described.items()
            for each in topic["partitions"]
        ]
        firsts = admin.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.EARLIEST))
        ends = admin.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.LATEST))
    return {
        name: TopicLog(
            _id_of(topic.get("topic_id")),
            {part.partition: int(at.offset) for part, at in firsts.items() if part.topic == name},
            {part.partition: int(at.offset) for part, at in ends.items() if part.topic == name},
        )
        for name, topic in described.items()
    }


def _described(admin: KafkaAdminClient, topics: Collection[str]) -> dict[str, dict[str, Any]]:
    described = {topic["name"]: topic for topic in admin.describe_topics([*topics])}
    for name, topic in described.items():
        error = for_code(topic["error_code"])
        if error is UnknownTopicOrPartitionError:
            raise MissingTopicError(f"Kafka has no topic {name}: run `forewarn topics apply` first")
        if topic["error_code"] or not topic["partitions"]:
            raise BrokerError(f"Kafka cannot describe {name} at present: {error.__name__}")
    return described


def _id_of(topic_id: UUID | None) -> str:
    return "" if topic_id in (None, _NO_ID) else str(topic_id)


async def present_logs(settings: Settings, topics: Collection[str]) -> TopicLogs:
    """The logs of these topics, as soon as Kafka answers. Raises `MissingTopicError` when one of them does not exist.

    The request runs in another thread, because kafka-python's client blocks.
    """
    backoff = Backoff(0.2)
    while True:
        try:
            logs = await asyncio.to_thread(topic_logs, settings, topics)
        except MissingTopicError:
            raise
        except BrokerError as error:
            metrics.READY.labels("kafka").set(0)
            log.warning("waiting for Kafka", kafka=settings.kafka, error=str(error))
            await backoff.wait()
        else:
            metrics.READY.labels("kafka").set(1)
            return logs
