"""A partition's state: what this worker has decided in memory, and what Redis has of it.

Only the methods here change it, and each says who calls it and when.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import msgspec

from models.detection.alerts import Alert
from models.detection.engine import Partition
from models.detection.reminders import Reminder
from streams.ledger.progress import LedgerProgress


class Outbox(msgspec.Struct, frozen=True):
    """What is to be published because of a checkpoint."""

    alerts: Sequence[Alert] = ()
    reminders: Sequence[Reminder] = ()

    def __bool__(self) -> bool:
        return bool(self.alerts or self.reminders)


class Stored(msgspec.Struct, frozen=True):
    """What Redis has of a partition beside the subscribers' state."""

    version: int = 0
    """How often the state has been written; 0: never."""
    writer: str = ""
    """The mark of the last write."""
    offsets: dict[str, int] = {}
    """The next offset of each topic."""
    outbox: Outbox = Outbox()
    """What follows from the last write; Redis does not know yet that it has been published."""
    progress: LedgerProgress = LedgerProgress()
    """How far the ledger has got."""


class PartitionState:
    """A partition that this worker owns: its engine's state, how far it has got, and what Redis has of it."""

    def __init__(self, partition: Partition, stored: Stored | None = None) -> None:
        self.partition = partition
        self.stored = stored if stored is not None else Stored()
        self._offsets = dict(self.stored.offsets)
        self.written_at = perf_counter()
        """Monotonic time of the last write, or of loading (s)."""

    @property
    def offsets(self) -> dict[str, int]:
        """The next offset of each topic that the state in memory has reached; a copy."""
        return dict(self._offsets)

    def reached(self, topic: str, start: int) -> int:
        """The offset up to which a topic's records have had their effect; ``start``: where its reading began."""
        return self._offsets.get(topic, start)

    def advance(self, topic: str, upto: int) -> None:
        """Note that a topic's records before ``upto`` have had their effect; a step does, once they have."""
        self._offsets[topic] = upto

    def note_write(self, stored: Stored) -> None:
        """Note what Redis has now; `streams.worker.checkpoint` does, after each write."""
        self.stored = stored
        self.written_at = perf_counter()

    def is_unwritten(self, progress: LedgerProgress) -> bool:
        """Whether Redis lacks offsets, or that the outbox is published, or how far the ledger has got."""
        stored = self.stored
        return bool(stored.outbox) or progress != stored.progress or self._offsets != stored.offsets
