"""Lag: shows operators how far this worker is behind its partitions, in records and in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from streams import metrics
from streams.worker.partition import TopicPartition


class Behind(NamedTuple):
    """How far a topic partition is behind: its records that are not applied yet, and what is known of those before."""

    records: int
    unstable: int
    """How many of them cannot be read yet, because a producer's transaction before them is open."""
    heard: int = 0
    """The broker's time (epoch ms) up to which all records are applied; 0: not known."""
    event_time: int = 0
    """The event time (epoch ms) that the applied records have reached; 0: not known."""


class LagGauges:
    """Exports the lag of the assigned partitions, and nothing of partitions that another worker has now.

    Belongs to the event loop.
    """

    def __init__(self) -> None:
        self._shown: set[TopicPartition] = set()
        self._applied_until: dict[TopicPartition, float] = {}
        """A time (Unix time, s) of which it is known that all records before it were applied."""

    def show(self, behind: Mapping[TopicPartition, Behind], asked_at: float) -> None:
        """Export the lag of every assigned topic partition, as it was at a moment (Unix time, s).

        Every record that is not applied was appended after the last one that is, and after the last moment at which
        none was left. So the time since the later of the two is the longest that any of them can have waited.
        """
        waited: dict[str, float] = {}
        reached: dict[str, int] = {}
        for place, each in behind.items():
            topic, partition = place
            metrics.LAG.labels(topic, partition).set(each.records)
            metrics.UNSTABLE.labels(topic, partition).set(each.unstable)
            waited[topic] = max(waited.get(topic, 0.0), self._waited(place, each, asked_at))
            reached[topic] = max(reached.get(topic, 0), each.event_time)
        for topic, seconds in waited.items():
            metrics.LAG_SECONDS.labels(topic).set(seconds)
            if reached[topic]:
                metrics.EVENT_TIME.labels(topic).set(reached[topic] / 1000)
        for topic, partition in self._shown - behind.keys():
            metrics.LAG.remove(topic, partition)
            metrics.UNSTABLE.remove(topic, partition)
            if topic not in waited:
                metrics.LAG_SECONDS.labels(topic).set(0)
        self._shown = set(behind)

    def _waited(self, place: TopicPartition, behind: Behind, asked_at: float) -> float:
        known = max(self._applied_until.get(place, 0.0), behind.heard / 1000)
        if not behind.records or not known:  # the first look at an old partition says nothing about its records
            known = asked_at
        self._applied_until[place] = known
        return max(asked_at - known, 0.0) if behind.records else 0.0
