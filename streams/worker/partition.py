"""An assignment: one partition at work in this worker, with what waits in it, and the consumer that feeds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from models.detection.alignment import Alignment, Portion
from models.events.event import Refusal
from streams.ledger.recording import Recording
from streams.worker.checkpoint import Held
from streams.worker.columns import Columns

Ack = Callable[[], object]
Role = Literal["calls", "sms", "signals"]


class Source(Protocol):
    """What scoring asks of the consumer that feeds it."""

    def end_offset(self, topic: str, partition: int) -> int | None:
        """The offset after the last record that the broker has told of; None when it has not yet."""
        ...

    async def end_offset_now(self, topic: str, partition: int) -> int | None:
        """The same, asked of the partition's leader; None when that does not answer in time."""
        ...

    async def first_offsets(self, places: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The first offset that the broker still has of each (topic, partition)."""
        ...

    def hold_back(self, topic: str, partition: int, held: bool) -> None:
        """Deliver nothing more of a topic partition for now, or do so again."""
        ...

    def fail(self, error: BaseException) -> None:
        """Hear of an error after which nothing more may be applied."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
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
    held_back: bool = False
    read: bool = False
    """Whether anything has been read of it since it was assigned."""


@dataclass(slots=True)
class Assigned:
    """A partition at work: its state, the events that wait in it, and the acks that wait for a checkpoint."""

    held: Held
    recording: Recording
    alignment: Alignment
    feeds: dict[Role, Feed]
    starts: Mapping[str, int]
    """From where each topic was to be read when the partition was assigned."""
    signals: list[Portion] = field(default_factory=list)
    """Hits of the reverse look-up, which wait for nothing."""
    acks: dict[str, Ack] = field(default_factory=dict)
    """By topic, the ack of the last batch that is done and waits for no segment of the ledger; it covers all before."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Whoever changes the partition holds this from deciding to the checkpoint."""
    task: asyncio.Task[None] | None = None
    """Applies what is due."""
    again: bool = False
    """Something has come since that task began its last look."""
    moved: float = 0.0
    """When events last began to wait, or were applied."""
    gone: bool = False
    """Taken away: nothing more may be applied or written."""

    def reached(self, topic: str) -> int:
        """The offset up to which a topic's records have had their effect."""
        return self.held.offsets.get(topic, self.starts[topic])

    @property
    def is_unwritten(self) -> bool:
        """Whether Redis has yet to hear of something: offsets, or that what it names is published and recorded."""
        held = self.held
        named = bool(held.due) or held.recorded != held.stored_recorded
        return bool(self.acks) or named or held.offsets != held.stored
