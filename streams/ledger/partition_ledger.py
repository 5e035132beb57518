"""A partition's ledger: rows gather in memory, become segments, and those become part of the ledger.

A segment goes through the states of `SegmentState`: a thread sorts the rows and writes a file beside the ledger, the
next checkpoint names it, and only then is it moved to its place and Kafka told that its records are done. The next
owner of the partition moves a segment that its checkpoint names and that is not in its place yet. So no contact is
missing or there twice, and a worker that has lost the partition adds none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum, auto
from time import perf_counter
from typing import Any

import numpy as np
import structlog

from models.detection.signals import Signal
from streams import metrics
from streams.backoff import Backoff
from streams.ledger.gathering import Gathering, RowMaker
from streams.ledger.progress import LedgerProgress
from streams.ledger.segments import Knowledge, table_of, written
from streams.ledger.storage import LedgerError, Segment, Storage

log = structlog.get_logger(__name__)

MOST_ROWS = 1 << 17
"""Rows of a segment; so many more may gather while it is written, then the partition waits."""

WRITE_EVERY = 5.0
"""Seconds after which a segment is started however few rows it has."""

_PHASE = 0.618
"""The share of that time by which partitions are apart: the golden section spreads any number of them."""

_LONGEST_PAUSE = 5.0
"""Seconds between two attempts to write a segment, at most."""

Ack = Callable[[], object]


class SegmentState(Enum):
    """How far a segment has got on its way into the ledger."""

    WRITING = auto()
    """A thread is writing its file beside the ledger, again and again while there is no space."""
    WRITTEN = auto()
    """Its file is complete; the next checkpoint is to name it."""
    NAMED = auto()
    """A checkpoint that names it is being written."""
    COMMITTING = auto()
    """The checkpoint is written, and the file is being moved to its place; if that fails, it stays so."""
    COMMITTED = auto()
    """It is part of the ledger, and its records are acknowledged."""


@dataclass(slots=True)
class PendingSegment:
    """A segment on its way: its rows, what they cover, and the acks that wait for it."""

    gathering: Gathering
    progress: LedgerProgress
    segment: Segment
    acks: dict[str, Ack]
    rows: int
    """How many rows it has; before it is written, without those of links."""
    state: SegmentState = SegmentState.WRITING
    file: str = ""
    """The name of its file beside the ledger; empty before it is written, and for a segment without rows."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What the ledgers of all partitions of one worker share."""

    calls: str
    sms: str
    """The names of the two topics whose records the ledger takes."""
    indicators: Mapping[int, int]
    """How far each partition of the indicators has been read; it changes as they are."""
    storage: Storage | None
    """Where the segments lie; None: there is no ledger."""
    mark: str
    """How the names of this worker's files begin, until they are committed."""
    one_at_a_time: asyncio.Semaphore
    """Held while a segment is written."""
    maker: RowMaker


class PartitionLedger:
    """What of one partition is in the ledger, and what is on its way there.

    Belongs to the event loop; only `_make_file` runs in another thread. Two segments at most are on their way: one is
    being written while the one before is named and committed.
    """

    def __init__(
        self,
        shared: Shared,
        partition: int,
        reached: dict[str, int],
        progress: LedgerProgress,
        before: Knowledge | None = None,
    ) -> None:
        self._shared = shared
        self._partition = partition
        self.reached = reached
        """The offset of each topic up to which rows have been gathered."""
        self.progress = progress
        """How far the ledger has got; every checkpoint carries it."""
        self.before = before if before is not None else Knowledge()
        """What was known, at least, when the records were scored that another worker has scored."""
        self.acks: dict[str, Ack] = {}
        """By topic, the ack of the last batch that is gathered; it covers all before."""
        self._gathering = Gathering(shared.maker)
        self._starts = dict(reached)
        self._round = self._present_round()
        """The round in which the last segment was started."""
        self._newest: PendingSegment | None = None
        """The segment that is `WRITING` or `WRITTEN`."""
        self._writing: asyncio.Task[None] | None = None
        self._named: PendingSegment | None = None
        """The segment that is `NAMED` or `COMMITTING`."""
        self._committing: asyncio.Task[None] | None = None
        self._has_failed = False
        self._given_up = False

    @property
    def is_on(self) -> bool:
        """Whether there is a ledger at all."""
        return self._shared.storage is not None

    @property
    def rows(self) -> int:
        """How many rows are in memory."""
        return len(self._gathering) + (self._newest.rows if self._newest is not None else 0)

    def takes(self, topic: str) -> bool:
        """Whether the ledger takes in the records of a topic, so that their acks wait for it."""
        return self.is_on and topic in self.reached

    def knowledge(self, signals: int) -> Knowledge:
        """What is known at this moment, to be asked for before a step is scored.

        ``signals``: the offset up to which the partition's own signals have had their effect. The same object comes
        back while nothing new is known: making one for every step would cost too much.
        """
        last = self._gathering.known
        indicators = self._shared.indicators
        if signals == last.signals and indicators == last.indicators:
            return last
        return Knowledge(dict(indicators), signals)

    def add(self, topic: str, events: Any, offsets: Any, upto: int, known: Knowledge) -> None:
        """Gather calls or SMS at these offsets, which reach to before ``upto``; what the ledger has is left out.

        ``known``: what was known when they were scored.
        """
        if not self.takes(topic) or upto <= self.reached[topic]:
            return
        low, self.reached[topic] = self.reached[topic], upto
        if len(offsets) and offsets[0] < low:
            events = events[slice(int(np.searchsorted(offsets, low)), None)]
        if len(events):
            self._gathering.add(events, known)

    def add_context(self, signals: Sequence[tuple[str, Signal]], known: Knowledge) -> None:
        """Gather context signals of events that are added."""
        if self.is_on and signals:
            self._gathering.add_context(signals, known)

    async def wait_for_room(self) -> None:
        """Wait while rows gather faster than they can be written, or cannot be written at all."""
        while len(self._gathering) >= MOST_ROWS and self._writing is not None and not self._writing.done():
            await asyncio.wait({self._writing})
        if len(self._gathering) >= MOST_ROWS:
            await self.wait_until_committed()

    def advance(self) -> bool:
        """Start a segment if one is due; whether one is written that the next checkpoint should name.

        Raises `LedgerError` when the segment that was named last could not be committed, and what else went wrong.
        """
        if self._committing is not None and self._committing.done():
            self._committing.result()  # raises: a segment that was committed is kept here no longer
        if self._writing is not None and self._writing.done() and not self._given_up:
            self._writing.result()
        if self._newest is None and self._is_due():
            self._start_segment()
        return self._is_written and self._named is None

    async def flush(self) -> bool:
        """Write what has gathered, now; whether a segment is written that the next checkpoint should name.

        To be called again, with a checkpoint in between, until there is none.
        """
        await self.wait_until_committed()
        if self._newest is None and self._is_worth_writing:
            self._start_segment()
        if self._writing is not None:
            await asyncio.wait({self._writing})
        return self._is_written

    def name_in_checkpoint(self) -> None:
        """Have the checkpoint that is about to be written name the segment that is written.

        Not before the one that was named last is committed: a checkpoint names one, and the next owner moves one.
        """
        newest = self._newest
        if newest is not None and newest.state is SegmentState.WRITTEN and self._named is None:
            path = newest.segment.path if newest.file else ""
            self.progress = LedgerProgress(newest.progress.offsets, path, newest.file)
            newest.state = SegmentState.NAMED
            self._named, self._newest, self._writing = newest, None, None

    def commit_segment(self) -> None:
        """Begin to move the segment that the checkpoint names to its place; its records are acknowledged then."""
        named, storage = self._named, self._shared.storage
        if named is not None and named.state is SegmentState.NAMED and storage is not None:
            named.state = SegmentState.COMMITTING
            self._committing = asyncio.create_task(self._commit(storage, named))

    async def wait_until_committed(self) -> None:
        """Wait until the segment that a checkpoint has named is in its place; raises what went wrong with it."""
        if self._committing is not None:
            await self._committing

    async def give_up(self) -> None:
        """Wait for no space any more: the next owner of the partition records what is not written yet."""
        self._given_up = True
        if self._writing is not None and not self._writing.done() and self._has_failed:
            self._writing.cancel()
            await asyncio.wait({self._writing})

    @property
    def _is_written(self) -> bool:
        return self._newest is not None and self._newest.state is SegmentState.WRITTEN

    @property
    def _is_worth_writing(self) -> bool:
        return self.is_on and bool(len(self._gathering) or self.acks) and not (self._given_up and self._has_failed)

    def _is_due(self) -> bool:
        late = len(self._gathering) >= MOST_ROWS or self._present_round() > self._round
        return late and self._is_worth_writing

    def _present_round(self) -> int:
        """How often it has been time to write; each partition has its own moment, so that they take turns."""
        phase = self._partition * _PHASE % 1.0
        return int(perf_counter() / WRITE_EVERY + phase)

    def _start_segment(self) -> None:
        storage = self._shared.storage
        if storage is None:
            return
        calls, sms = ((self._starts[topic], self.reached[topic]) for topic in (self._shared.calls, self._shared.sms))
        segment = Segment(self._partition, calls, sms, _today())
        gathering, self._gathering = self._gathering, Gathering(self._shared.maker)
        gathering.close()
        progress = LedgerProgress(dict(self.reached))
        self._newest = PendingSegment(gathering, progress, segment, self.acks, len(gathering))
        self.acks, self._starts = {}, dict(self.reached)
        self._round = self._present_round()
        self._writing = asyncio.create_task(self._write(storage, self._newest))

    async def _write(self, storage: Storage, pending: PendingSegment) -> None:
        """Write a segment's file, again and again while there is no space; nothing without rows."""
        backoff = Backoff(0.2, _LONGEST_PAUSE)
        while pending.rows and not pending.file:
            try:
                async with self._shared.one_at_a_time:
                    pending.file = await asyncio.to_thread(_make_file, storage, pending, self._shared.mark)
            except (OSError, LedgerError) as error:
                self._has_failed = True
                if self._given_up:
                    raise
                metrics.READY.labels("ledger").set(0)
                metrics.RETRIES.labels("ledger").inc()
                log.warning(
                    "the ledger cannot be written; nothing is acknowledged until it can",
                    ledger=storage.shown,
                    error=str(error) or type(error).__name__,
                )
                await backoff.wait()
            else:
                self._has_failed = False
                metrics.READY.labels("ledger").set(1)
        pending.state = SegmentState.WRITTEN

    async def _commit(self, storage: Storage, named: PendingSegment) -> None:
        if named.file:
            if not await asyncio.to_thread(storage.enter, named.file, named.segment):
                raise LedgerError(
                    f"A segment that was to become part of the ledger is gone from {storage.shown}: {named.file}. "
                    "Start the worker again: it records again what Kafka still keeps."
                )
            metrics.LEDGER_ROWS.inc(named.rows)
            self.progress = LedgerProgress(self.progress.offsets)
        for ack in named.acks.values():
            ack()
        named.state = SegmentState.COMMITTED
        self._named = self._committing = None


def _make_file(storage: Storage, pending: PendingSegment, mark: str) -> str:
    """Sort the rows and write them beside the ledger; the file's name there. Runs in a thread of its own."""
    rows = pending.gathering.rows()
    with metrics.LEDGER_SECONDS.time():
        table = table_of(rows)
        pending.rows = len(table)
        return storage.put(pending.segment, mark, written(table, pending.gathering.known))


def _today() -> date:
    return datetime.now(UTC).date()
