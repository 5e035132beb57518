"""Partition state: a partition's state in this worker's memory, and the version of it that Redis holds.

The methods here note how far it got. Each of them says who calls it and when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter

import msgspec

from models.detection.alerts import Alert
from models.detection.partition import Partition
from models.detection.reminders import Reminder
from streams.ledger.progress import LedgerProgress
from streams.worker.repeats import Repeats


class Outbox(msgspec.Struct, frozen=True):
    """Alerts and reminders that are stored with a checkpoint and still to be published."""

    alerts: Sequence[Alert] = ()
    reminders: Sequence[Reminder] = ()

    def __bool__(self) -> bool:
        return bool(self.alerts or self.reminders)


class Handover(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the next owner of a partition has to know before it decides anything."""

    indicators: dict[int, int] = {}
    """The offset before which each partition of the indicators was known at the last write."""
    repeats: Repeats = Repeats()
    """The records that may have been decided before, by another group or before the state was lost."""
    purged: dict[str, int] = {}
    """Up to which event time each purged subscriber is forgotten (`models.detection.purging`)."""


class Stored(msgspec.Struct, frozen=True):
    """What Redis holds of a partition apart from the state of its subscribers."""

    version: int = 0
    """How often the state has been written; 0: never."""
    writer: str = ""
    """The mark of the last write."""
    offsets: dict[str, int] = {}
    """The next offset of each topic."""
    outbox: Outbox = Outbox()
    """The outbox of the last write. It stays in Redis until the next write, even once it has been published."""
    progress: LedgerProgress = LedgerProgress()
    """How far the ledger has the partition's records."""
    handover: Handover = Handover()
    """What the next owner has to know before it decides anything."""
    logs: dict[str, str] = {}
    """Kafka's id of each topic whose offset is stored; empty if Kafka gave none. A topic is missing before format 2."""
    subjects: int | None = None
    """How many subjects were counted when a stored state was read; None before format 2, and for a write."""
    format: int = 0
    """The format of a state that was read."""


class PartitionState:
    """The state of a partition that this worker owns: the engine's part, the offsets reached, and what Redis holds."""

    def __init__(self, partition: Partition, stored: Stored | None = None) -> None:
        self.partition = partition
        self.stored = stored if stored is not None else Stored()
        self.repeats = self.stored.handover.repeats
        """The records that may have been decided before; `streams.worker.step` ends it once they are read."""
        self._offsets = dict(self.stored.offsets)
        self._logs: Mapping[str, str] = self.stored.logs
        self.written_at = perf_counter()
        """Monotonic time (s) of the last write or, before the first one, of loading."""

    @property
    def offsets(self) -> dict[str, int]:
        """The next offset of each topic that the state in memory has reached; a copy."""
        return dict(self._offsets)

    @property
    def logs(self) -> dict[str, str]:
        """Kafka's id of each topic that has an offset; empty where it is not known."""
        return {topic: self._logs.get(topic, "") for topic in self._offsets}

    def follow(self, logs: Mapping[str, str]) -> None:
        """Note the ids of the topics that are read; `streams.worker.loading` calls it after checking the offsets."""
        self._logs = logs

    def reached(self, topic: str, start: int) -> int:
        """The offset up to which a topic's records are applied; ``start`` if none were: where its reading began."""
        return self._offsets.get(topic, start)

    def advance(self, topic: str, upto: int) -> None:
        """Note that a topic's records before ``upto`` are applied; `streams.worker.step` calls it after deciding."""
        self._offsets[topic] = upto

    def note_write(self, stored: Stored) -> None:
        """Note what Redis holds now; `streams.worker.checkpoint` calls it after each write."""
        self.stored = stored
        self.written_at = perf_counter()

    def is_unwritten(self, progress: LedgerProgress) -> bool:
        """Whether Redis lacks offsets, ids of topics or ledger progress, or still holds an outbox."""
        stored = self.stored
        moved = self._offsets != stored.offsets or self.logs != stored.logs
        return bool(stored.outbox) or progress != stored.progress or moved
