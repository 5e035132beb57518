"""Transactions: which producers keep one open, so that nothing that came after its beginning can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

NO_TRANSACTION = -1


class OpenTransaction(NamedTuple):
    """A transaction that a producer has begun in a partition and not ended; times are epoch milliseconds."""

    topic: str
    partition: int
    producer_id: int
    begin: int
    """The offset of its first record. No consumer of ours reads this record or anything after it."""
    written_at: int
    """When the producer last wrote to the partition."""


def open_transactions(admin: KafkaAdminClient, topics: Sequence[str]) -> Iterator[OpenTransaction]:
    """The open transactions of these topics, by topic, partition and offset.

    Raises KafkaError when a leader does not answer, or when the broker is older than Kafka 2.8 and cannot say
    (KIP-664).
    """
    parts = [
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in admin.describe_topics(list(topics))
        for partition in topic["partitions"]
    ]
    for part, state in sorted(admin.describe_producers(parts).items()):
        for producer in sorted(state.active_producers, key=lambda each: each.current_transaction_start_offset):
            begin = producer.current_transaction_start_offset
            if begin != NO_TRANSACTION:
                yield OpenTransaction(part.topic, part.partition, producer.producer_id, begin, producer.last_timestamp)
