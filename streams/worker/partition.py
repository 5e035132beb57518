"""An assigned partition at work in this worker: what waits in it, and the consumer that feeds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from models.detection.alignment import Alignment, Portion
from models.events.event import Refusal
from streams.kafka.columns import Columns
from streams.ledger.partition_ledger import PartitionLedger
from streams.worker.partition_state import PartitionState

Ack = Callable[[], object]
Feeding = Literal["calls", "sms", "signals"]
"""The topics that feed a partition, by the names that `topics.yaml` gives them."""

FEEDING: tuple[Feeding, ...] = ("calls", "sms", "signals")

TopicPartition = tuple[str, int]
Offsets = Mapping[TopicPartition, int]


class Source(Protocol):
    """What a worker asks of the consumer that feeds its partitions."""

    def end_offset(self, topic: str, partition: int) -> int | None:
        """The offset after the last record that the broker has told of; None when it has not yet."""
        ...

    async def end_offset_now(self, topic: str, partition: int) -> int | None:
        """The same, asked of the partition's leader; None when that does not answer in time."""
        ...

    async def first_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset that the broker still has of each (topic, partition)."""
        ...

    def pause(self, topic: str, partition: int) -> None:
        """Deliver nothing more of a topic partition for now; what has been fetched is kept."""
        ...

    def resume(self, topic: str, partition: int) -> None:
        """Deliver a paused topic partition again."""
        ...

    def fail(self, error: BaseException) -> None:
        """Hear of an error after which nothing more may be applied."""
        ...


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """A batch that was read: its columns, the offsets of its good events, its refusals, and how to acknowledge it."""

    columns: Columns
    offsets: NDArray[np.int64]
    refusals: Sequence[Refusal]
    ack: Ack

    def upto(self, portion: Portion) -> int:
        """The offset that is reached once a portion of this batch is applied."""
        return self.columns.upto if portion.whole else int(self.offsets[portion.stop])


@dataclass(slots=True)
class Feed:
    """One topic of one partition: the next offset to be read, and when it last gave something or said that it will."""

    topic: str
    upto: int
    heard: float
    scored: int
    """What lies before this offset was scored before the partition was assigned: only the ledger lacks it."""
    first: int | None = None
    """The first offset that the broker had when the partition was assigned, if it said."""
    paused: bool = False
    read: bool = False
    """Whether anything has been read of it since it was assigned."""


@dataclass(slots=True)
class AssignedPartition:
    """A partition at work: its state, the events that wait in it, and the acks that wait for a checkpoint.

    Belongs to the event loop.
    """

    state: PartitionState
    ledger: PartitionLedger
    alignment: Alignment
    feeds: dict[Feeding, Feed]
    starts: Mapping[str, int]
    """The offset from which each topic was to be read when the partition was assigned."""
    source: Source
    """The consumer that feeds it."""
    signals: list[Portion] = field(default_factory=list)
    """Findings of look-backs, which wait for nothing."""
    acks: dict[str, Ack] = field(default_factory=dict)
    """By topic, the ack of the last batch that is done and waits for no segment of the ledger; it covers all before."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held from deciding to the checkpoint by the task that changes the partition."""
    task: asyncio.Task[None] | None = None
    """Applies what is due."""
    again: bool = False
    """Something has come since that task began its last look."""
    moved: float = 0.0
    """When events last began to wait, or were applied."""
    revoked: bool = False
    """Taken away, or failed: nothing more may be applied or written."""

    @property
    def number(self) -> int:
        """Its number in Kafka."""
        return self.state.partition.number

    def reached(self, topic: str) -> int:
        """The offset up to which a topic's records have had their effect."""
        return self.state.reached(topic, self.starts[topic])

    @property
    def is_unwritten(self) -> bool:
        """Whether a checkpoint has something to tell Redis."""
        return bool(self.acks) or self.state.is_unwritten(self.ledger.progress)
