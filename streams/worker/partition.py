"""Partition: a partition that this worker owns, with its waiting events and the consumer that feeds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from models.detection.alignment import Alignment, Portion
from models.detection.watermarks import Watermark
from models.events.event import Refusal
from streams.kafka.columns import Columns
from streams.ledger.partition_ledger import PartitionLedger
from streams.worker.partition_state import PartitionState
from streams.worker.repeats import PublishedBefore

Ack = Callable[[], object]
Feeding = Literal["calls", "sms", "signals"]
"""The topics that feed a partition, by the names that `topics.yaml` gives them."""

FEEDING: tuple[Feeding, ...] = ("calls", "sms", "signals")

TopicPartition = tuple[str, int]
Offsets = Mapping[TopicPartition, int]


class Source(Protocol):
    """What a worker needs from the consumer that feeds its partitions."""

    def end_offset(self, topic: str, partition: int) -> int | None:
        """The offset up to which records can be read, as the broker last reported it; None when it has not yet.

        That is the last stable offset: beyond it are only records of open transactions, and records after those.
        """
        ...

    async def end_offset_now(self, topic: str, partition: int) -> int | None:
        """The same, requested from the partition's leader; None when the leader does not answer in time."""
        ...

    def unstable_records(self, topic: str, partition: int) -> int:
        """How many offsets cannot be read yet, because a transaction before them is open, as the broker last said."""
        ...

    async def first_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset that the broker still keeps of each (topic, partition)."""
        ...

    def pause(self, topic: str, partition: int) -> None:
        """Stop the delivery of a topic partition until `resume`; records that were fetched are kept."""
        ...

    def resume(self, topic: str, partition: int) -> None:
        """Deliver a paused topic partition again."""
        ...

    def fail(self, error: BaseException) -> None:
        """Report an error after which nothing more may be applied."""
        ...


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """A batch that was read: its columns, the offsets of its good events, its refusals, and its ack."""

    columns: Columns
    offsets: NDArray[np.int64]
    refusals: Sequence[Refusal]
    ack: Ack

    def upto(self, portion: Portion) -> int:
        """The offset up to which this batch is applied once a portion of it is."""
        return self.columns.upto if portion.whole else int(self.offsets[portion.stop])

    def appended(self, portion: Portion) -> int:
        """When Kafka appended the first record of a portion (epoch ms), or `models.events.arrivals.UNKNOWN`."""
        row = np.searchsorted(self.columns.offsets, self.offsets[portion.start])
        return int(self.columns.appended[row])


@dataclass(slots=True)
class Feed:
    """One topic of one partition: ``upto`` is the next offset to be read.

    ``heard`` is the monotonic time (s) of its last batch, of its leader's last answer, or of its last pause or resume.
    """

    topic: str
    upto: int
    heard: float
    scored: int
    """Records before this offset were scored before the partition was assigned; only the ledger may lack them."""
    first: int | None = None
    """The first offset that the broker kept when the partition was assigned; None when it did not say."""
    paused: bool = False
    read: bool = False
    """Whether a batch of it has been read since the partition was assigned."""


@dataclass(slots=True)
class AssignedPartition:
    """A partition that this worker owns: its state, its waiting events, and the acks that wait for a checkpoint.

    Belongs to the event loop.
    """

    state: PartitionState
    ledger: PartitionLedger
    alignment: Alignment
    feeds: dict[Feeding, Feed]
    starts: Mapping[str, int]
    """The offset of each topic at which scoring started when the partition was assigned."""
    source: Source
    """The consumer that feeds it."""
    published_before: PublishedBefore | None = None
    """The alerts that must not be published again, while there are records that may have been decided before."""
    signals: list[Portion] = field(default_factory=list)
    """Signals from look-backs; they do not wait for other events."""
    acks: dict[str, Ack] = field(default_factory=dict)
    """By topic, the ack of the last applied batch that waits for no ledger segment; it covers all batches before it."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """The task that changes the partition holds it from the decision to the checkpoint."""
    task: asyncio.Task[None] | None = None
    """The task that applies the events that are due."""
    again: bool = False
    """Whether something has arrived since that task last looked."""
    moved: float = 0.0
    """Monotonic time (s) when events last began to wait or were applied."""
    revoked: bool = False
    """Whether the partition was revoked, or failed: nothing more may be applied or written."""

    @property
    def number(self) -> int:
        """The number of the partition in Kafka."""
        return self.state.partition.number

    def reached(self, topic: str) -> int:
        """The offset up to which a topic's records are applied."""
        return self.state.reached(topic, self.starts[topic])

    @property
    def clocks(self) -> dict[str, Watermark]:
        """The clocks of the applied calls and SMS, by topic."""
        partition = self.state.partition
        return {self.feeds["calls"].topic: partition.call_clock, self.feeds["sms"].topic: partition.sms_clock}

    @property
    def is_unwritten(self) -> bool:
        """Whether a checkpoint would have anything to write or to acknowledge."""
        return bool(self.acks) or self.state.is_unwritten(self.ledger.progress)
