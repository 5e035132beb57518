"""Partition ledger: rows gather in memory, become segments, and those become part of the ledger.

A segment goes through the states of `streams.ledger.pending_segment.SegmentState`. A thread sorts the rows and writes
a file beside the ledger. The next checkpoint names it. Only then is the file moved into the ledger and are its
records acknowledged to Kafka. If the owner of a partition ends in between, the next owner moves the segment that the
checkpoint names. So no contact is missing or there twice, and a worker that has lost the partition adds none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from time import perf_counter
from typing import Any

import numpy as np
import structlog

from models.detection.signals import Signal
from streams import metrics
from streams.backoff import Backoff
from streams.ledger.gathering import Gathering, RowMaker
from streams.ledger.pending_segment import Ack, PendingSegment, SegmentState, make_file
from streams.ledger.progress import LedgerProgress
from streams.ledger.segments import Knowledge
from streams.ledger.storage import LedgerError, Segment, Storage

log = structlog.get_logger(__name__)

MOST_ROWS = 1 << 17
"""Rows at which a segment is started. As many may gather again while it is written; then the partition waits."""

WRITE_EVERY = 5.0
"""Seconds after which a segment is started, however few rows it has."""

_PHASE = 0.618
"""Share of `WRITE_EVERY` between one partition and the next: the golden ratio spreads any number of them evenly."""

_LONGEST_PAUSE = 5.0
"""Longest pause (s) between two attempts to write a segment."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What the ledgers of all partitions of one worker share.

    Shared between threads: other threads use ``storage`` and ``mark``, because they write and move the files; `Storage`
    may be used from several threads. No field is ever replaced, and only the event loop uses ``indicators``,
    ``one_at_a_time`` and ``maker``.
    """

    calls: str
    sms: str
    """The names of the two topics whose records the ledger takes."""
    indicators: Mapping[int, int]
    """The offset before which each partition of the indicators has been read; it changes while they are read."""
    storage: Storage | None
    """The storage of the segments; None: there is no ledger."""
    mark: str
    """The prefix of this worker's file names until the files are committed."""
    one_at_a_time: asyncio.Semaphore
    """Held while a segment is written, so that one is written at a time."""
    maker: RowMaker


class PartitionLedger:
    """The ledger of one partition: how far the ledger has its records, and the segments on their way there.

    Belongs to the event loop. Only `make_file`, `Storage.enter` and the making of this object run in other threads. At
    most two segments are on their way: one is written while the one before it is named and committed.
    """

    def __init__(
        self,
        shared: Shared,
        partition: int,
        reached: dict[str, int],
        progress: LedgerProgress,
        before: Knowledge | None = None,
        log: str = "",
    ) -> None:
        self._shared = shared
        self._partition = partition
        self._log = log
        """The mark of the logs that are read (`streams.ledger.progress.log_mark`)."""
        self.reached = reached
        """The offset of each topic up to which rows have been gathered."""
        self.progress = progress
        """How far the ledger has the records; every checkpoint stores it."""
        self.before = before if before is not None else Knowledge()
        """What was known at least when earlier owners scored their records."""
        self.acks: dict[str, Ack] = {}
        """By topic, the ack of the last batch that was gathered; it covers all batches before it."""
        self._gathering = Gathering(shared.maker)
        self._since: float | None = None
        """Monotonic time (s) since which the rows being gathered have been in memory; None: there are none."""
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
        """Whether this site has a ledger."""
        return self._shared.storage is not None

    @property
    def rows(self) -> int:
        """The number of rows in memory."""
        return len(self._gathering) + (self._newest.rows if self._newest is not None else 0)

    @property
    def waiting_since(self) -> float | None:
        """Monotonic time (s) since which the oldest row has waited to become part of the ledger; None: none waits."""
        times = (self._since, *(each.since for each in (self._newest, self._named) if each is not None))
        return min((since for since in times if since is not None), default=None)

    def takes(self, topic: str) -> bool:
        """Whether the ledger takes the records of a topic, so that their acks wait for it."""
        return self.is_on and topic in self.reached

    def knowledge(self, signals: int) -> Knowledge:
        """What is known now; call it before a step is scored.

        ``signals`` is the offset up to which the partition's own signals are applied. The same object is returned while
        nothing new is known, because a new one for every step would cost too much.
        """
        last = self._gathering.known
        indicators = self._shared.indicators
        if signals == last.signals and indicators == last.indicators:
            return last
        return Knowledge(dict(indicators), signals)

    def add(self, topic: str, events: Any, offsets: Any, upto: int, known: Knowledge) -> None:
        """Gather calls or SMS at these offsets, which end before ``upto``; records that the ledger has are left out.

        ``known`` is what was known when they were scored.
        """
        if not self.takes(topic) or upto <= self.reached[topic]:
            return
        low, self.reached[topic] = self.reached[topic], upto
        if len(offsets) and offsets[0] < low:
            events = events[slice(int(np.searchsorted(offsets, low)), None)]
        if len(events):
            self._since = perf_counter() if self._since is None else self._since
            self._gathering.add(events, known)

    def add_context(self, signals: Sequence[tuple[str, Signal]], known: Knowledge) -> None:
        """Gather the context signals of the events that are added."""
        if self.is_on and signals:
            self._gathering.add_context(signals, known)

    async def wait_for_room(self) -> None:
        """Wait while too many rows are in memory, because writing is too slow or fails.

        Raises what `wait_until_committed` raises.
        """
        while len(self._gathering) >= MOST_ROWS and self._writing is not None and not self._writing.done():
            await asyncio.wait({self._writing})
        if len(self._gathering) >= MOST_ROWS:
            await self.wait_until_committed()

    def advance(self) -> bool:
        """Start a segment if one is due; whether a written segment waits for the next checkpoint to name it.

        Raises `LedgerError` when the last named segment could not be committed, and any other error of these tasks.
        """
        if self._committing is not None and self._committing.done():
            self._committing.result()  # raises: only a task that failed is still here
        if self._writing is not None and self._writing.done() and not self._given_up:
            self._writing.result()
        if self._newest is None and self._is_due():
            self._start_segment()
        return self._is_written and self._named is None

    async def flush(self) -> bool:
        """Write the gathered rows now; whether a written segment waits for the next checkpoint to name it.

        Call it again after each checkpoint until it returns False.
        """
        await self.wait_until_committed()
        if self._newest is None and self._is_worth_writing:
            self._start_segment()
        if self._writing is not None:
            await asyncio.wait({self._writing})
        return self._is_written

    def name_in_checkpoint(self) -> None:
        """Name the written segment in the checkpoint that is about to be written.

        Does nothing until the segment named before is committed: a checkpoint names only one, and the next owner moves
        only one.
        """
        newest = self._newest
        if newest is not None and newest.state is SegmentState.WRITTEN and self._named is None:
            path = newest.segment.path if newest.file else ""
            self.progress = LedgerProgress(newest.progress.offsets, path, newest.file, self.progress.fork)
            newest.state = SegmentState.NAMED
            self._named, self._newest, self._writing = newest, None, None

    def commit_segment(self) -> None:
        """Start to move the segment that the checkpoint names into the ledger; its acks are called after that."""
        named, storage = self._named, self._shared.storage
        if named is not None and named.state is SegmentState.NAMED and storage is not None:
            named.state = SegmentState.COMMITTING
            self._committing = asyncio.create_task(self._commit(storage, named))

    async def wait_until_committed(self) -> None:
        """Wait until the segment that a checkpoint has named is in the ledger; raises the error if that fails."""
        if self._committing is not None:
            await self._committing

    async def give_up(self) -> None:
        """Stop waiting for space: the next owner of the partition records the rows that are not written yet."""
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
        """The number of the present round of writing; each partition's rounds are shifted, so that they take turns."""
        phase = self._partition * _PHASE % 1.0
        return int(perf_counter() / WRITE_EVERY + phase)

    def _start_segment(self) -> None:
        storage = self._shared.storage
        if storage is None:
            return
        calls, sms = ((self._starts[topic], self.reached[topic]) for topic in (self._shared.calls, self._shared.sms))
        segment = Segment(self._partition, calls, sms, _today(), self._log)
        gathering, self._gathering = self._gathering, Gathering(self._shared.maker)
        gathering.close()
        progress = LedgerProgress(dict(self.reached))
        self._newest = PendingSegment(gathering, progress, segment, self.acks, len(gathering), since=self._since)
        self._since = None
        self.acks, self._starts = {}, dict(self.reached)
        self._round = self._present_round()
        self._writing = asyncio.create_task(self._write(storage, self._newest))

    async def _write(self, storage: Storage, pending: PendingSegment) -> None:
        """Write a segment's file, repeatedly while there is no space; a segment without rows has no file."""
        backoff = Backoff(0.2, _LONGEST_PAUSE)
        while pending.rows and not pending.file:
            try:
                async with self._shared.one_at_a_time:
                    pending.file = await asyncio.to_thread(make_file, storage, pending, self._shared.mark)
            except (OSError, LedgerError) as error:
                self._has_failed = True
                if self._given_up:
                    raise
                metrics.READY.labels("ledger").set(0)
                metrics.RETRIES.labels("ledger", type(error).__name__).inc()
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
            self.progress = LedgerProgress(self.progress.offsets, fork=self.progress.fork)
        for ack in named.acks.values():
            ack()
        named.state = SegmentState.COMMITTED
        self._named = self._committing = None


def _today() -> date:
    return datetime.now(UTC).date()
