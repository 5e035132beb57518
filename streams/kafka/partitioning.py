"""Partitioning: which partition a key belongs to, computed as Kafka's own producers do it.

It is 32-bit Murmur2 with Kafka's seed (org.apache.kafka.common.utils.Utils.murmur2). aiokafka's version is plain Python
and takes longer than the decision that an event means nothing.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from models.base.compiled import compiled

_SEED: Final = 0x9747B28C
_FACTOR: Final = 0x5BD1E995
_LOW: Final = 0xFFFFFFFF


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key in a topic with so many partitions.

    >>> partition_of(b"8610000000001", 8)
    1
    """
    return int(_murmur2(np.frombuffer(key, dtype=np.uint8)) & 0x7FFFFFFF) % partitions


@compiled
def _murmur2(key: Any) -> int:
    size = key.size
    value: int = _SEED ^ size
    whole = size - size % 4
    for at in range(0, whole, 4):
        mixed = int(key[at]) | int(key[at + 1]) << 8 | int(key[at + 2]) << 16 | int(key[at + 3]) << 24
        mixed = (mixed * _FACTOR) & _LOW
        mixed ^= mixed >> 24
        value = ((value * _FACTOR) & _LOW) ^ ((mixed * _FACTOR) & _LOW)
    rest = 0
    for at in range(size - 1, whole - 1, -1):
        rest = rest << 8 | int(key[at])
    if whole < size:
        value = ((value ^ rest) * _FACTOR) & _LOW
    value ^= value >> 13
    value = (value * _FACTOR) & _LOW
    return value ^ (value >> 15)
