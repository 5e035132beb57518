"""Keeping: until when Kafka keeps a record that nobody may delete by itself, from the configs of its topic."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from kafka.admin import ConfigResource

from streams.kafka.contracts import open_admin
from streams.kafka.contracts.model import cleanup_policy
from streams.settings import Settings

Configs = Mapping[str, str | None]

NEVER: Final = 1 << 62
"""From so many milliseconds on a time limit is none; Kafka's greatest number stands for that."""


class Kept(NamedTuple):
    """Until when a topic may keep a record."""

    until: int | None
    """Epoch ms; None: Kafka promises no end."""
    why: str
    """The configs that it follows from, for a person."""


def kept(configs: Configs, newest: int, forgotten: int) -> Kept:
    """Until when a topic may keep the records about somebody.

    ``newest`` is when the last of them was appended, and ``forgotten`` when its tombstone was (both epoch ms); the
    second counts in a topic that is only compacted. Kafka deletes whole segments. A segment takes records for
    ``segment.ms``, and goes ``retention.ms`` after the last of them, also where the topic is compacted as well. In one
    that is only compacted, an older record goes ``max.compaction.lag.ms`` after its tombstone, and the tombstone, which
    has the key, after ``delete.retention.ms`` and as long again.

    >>> kept({"cleanup.policy": "delete", "retention.ms": "100", "segment.ms": "7"}, 1000, 0).until
    1107
    >>> kept({"cleanup.policy": "compact,delete", "retention.ms": "100", "segment.ms": "7"}, 1000, 0).until
    1107
    >>> compacted = {"cleanup.policy": "compact", "max.compaction.lag.ms": "100", "delete.retention.ms": "7"}
    >>> kept(compacted, 1000, 2000).until
    2207
    """
    if cleanup_policy(configs.get("cleanup.policy") or "") == {"compact"}:
        lag, after = _ms(configs, "max.compaction.lag.ms"), _ms(configs, "delete.retention.ms")
        if lag is None or after is None:
            return Kept(None, "max.compaction.lag.ms is not set: run `forewarn topics apply`")
        return Kept(forgotten + 2 * lag + after, "twice max.compaction.lag.ms, and delete.retention.ms")
    retention, segment = _ms(configs, "retention.ms"), _ms(configs, "segment.ms")
    if retention is None or segment is None:
        return Kept(None, "retention.ms or segment.ms is not limited")
    return Kept(newest + retention + segment, "retention.ms and segment.ms")


def _ms(configs: Configs, name: str) -> int | None:
    value = int(configs.get(name) or -1)
    return value if 0 <= value < NEVER else None


def configs_of(settings: Settings, topics: Collection[str]) -> dict[str, Configs]:
    """The configs by which Kafka keeps each of these topics (names of the contract). Blocks; raises `BrokerError`."""
    with open_admin(settings) as admin:
        resources = [ConfigResource("TOPIC", settings.topic(name)) for name in topics]
        described = admin.describe_configs(resources, config_filter="all")["topic"]
    return {
        name: {config: about["value"] for config, about in described[settings.topic(name)].items()} for name in topics
    }
