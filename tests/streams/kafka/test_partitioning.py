"""Partitioning: the same as Kafka's own murmur2, for any key."""

from __future__ import annotations

from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.partitioning import partition_of


@given(st.binary(max_size=40), st.integers(1, 100))
def test_a_key_belongs_where_kafkas_producers_put_it(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions
