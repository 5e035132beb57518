"""Recording: what a worker adds to the ledger, in segments that become part of it together with a checkpoint.

Rows gather in memory. Now and then a thread sorts them and writes a file beside the ledger; the next checkpoint names
it, and only then is it moved to its place and Kafka told that its records are done. Who loads the checkpoint moves it
if that is still to be done, so no contact is missing or there twice, and nobody who has lost a partition adds any.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from time import perf_counter
from typing import Any

import numpy as np
import structlog

from models.detection.signals import Signal
from streams import metrics
from streams.ledger.gathering import Gathering
from streams.ledger.place import LedgerError, Place, Segment, segment_of
from streams.ledger.segments import Knowledge, NoSegmentError, SegmentFile, table_of, written
from streams.settings import Settings
from streams.worker.checkpoint import Held, Recorded

log = structlog.get_logger(__name__)

MOST_ROWS = 1 << 17
"""Rows of a segment; so many more may gather while it is written, then the partition waits."""

WRITE_EVERY = 5.0
"""Seconds after which a segment is written however few rows it has."""

_PHASE = 0.618
"""Of that time, by how much partitions are apart: the golden section spreads any number of them."""

Ack = Callable[[], object]


@dataclass(slots=True)
class _Draft:
    """A segment on its way: its rows, what they cover, and the acks that wait for it."""

    gathering: Gathering
    recorded: Recorded
    segment: Segment
    acks: dict[str, Ack]
    count: int
    """How many rows it has; before it is written, without those of links."""


class Recorder:
    """Writes the segments of a worker's partitions. ``indicators`` tells how far they have been read."""

    def __init__(self, settings: Settings, indicators: Callable[[], Mapping[int, int]]) -> None:
        self.calls, self.sms, self.signals = (settings.topic(name) for name in ("calls", "sms", "signals"))
        self.indicators = indicators
        self.place = Place(settings) if settings.ledger else None
        self.mark = secrets.token_hex(6)
        self.one_at_a_time = asyncio.Semaphore(1)
        self.maker = ThreadPoolExecutor(1, "ledger-rows")

    async def open(self, taken: Sequence[tuple[Held, Mapping[str, int]]]) -> list[Recording]:
        """The recordings of partitions whose checkpoints were loaded, each with where its scoring goes on.

        Enters the segments that the checkpoints name. Raises `LedgerError` when the place cannot be used.
        """
        starts = [{topic: at for topic, at in start.items() if topic != self.signals} for _, start in taken]
        pairs = [*zip([held for held, _ in taken], starts, strict=True)]
        if self.place is None:
            for held, _ in pairs:
                held.recorded = Recorded()  # a ledger that is turned on again begins where scoring is then
            return [Recording(self, held, start, Knowledge()) for held, start in pairs]
        return await asyncio.to_thread(self._open, self.place, pairs)

    def _open(self, place: Place, taken: Sequence[tuple[Held, dict[str, int]]]) -> list[Recording]:
        reached = [self._entered(place, held, start) for held, start in taken]
        segments = place.segments()  # once for all of them: an object store takes its time
        recordings = []
        for (held, _), at in zip(taken, reached, strict=True):
            mine = [segment for segment in segments if segment.partition == held.partition.number]
            for segment in mine:
                at[self.calls] = max(at[self.calls], segment.calls[1])
                at[self.sms] = max(at[self.sms], segment.sms[1])
            held.recorded = Recorded(dict(at))  # the first checkpoint says so, however soon the worker is gone
            recordings.append(Recording(self, held, at, _known_before(place, mine)))
        return recordings

    def _entered(self, place: Place, held: Held, start: Mapping[str, int]) -> dict[str, int]:
        """Enter the segment that a checkpoint names; how far the ledger has got then, by the checkpoint alone."""
        recorded = held.recorded
        reached = {topic: recorded.offsets.get(topic, at) for topic, at in start.items()}
        segment = segment_of(recorded.segment) if recorded.segment else None
        if segment is not None and not place.enter(recorded.pending, segment):
            log.error("a segment of the ledger is gone and is recorded again", segment=segment.path)
            reached |= {self.calls: segment.calls[0], self.sms: segment.sms[0]}
        place.clear_pending(held.partition.number)
        return reached


def _known_before(place: Place, segments: Sequence[Segment]) -> Knowledge:
    """What the last of a partition's segments knew; what followed it was scored with that at least."""
    if segments:
        try:
            with SegmentFile(place.open(max(segments, key=lambda each: each.calls[1] + each.sms[1]))) as file:
                return file.known
        except (NoSegmentError, FileNotFoundError):
            pass  # what follows is then looked through once more than needed
    return Knowledge()


@dataclass(slots=True)
class Recording:
    """What of a partition is in the ledger, and what is on its way there."""

    recorder: Recorder
    held: Held
    reached: dict[str, int]
    """The offset of each topic up to which rows have been gathered."""
    before: Knowledge
    """What was known, at least, when the records were scored that another worker has scored."""
    acks: dict[str, Ack] = field(default_factory=dict)
    """By topic, the ack of the last batch that is gathered; it covers all before."""
    _gathering: Gathering = field(init=False)
    _round: int = 0
    """The round in which the last segment was begun."""
    _starts: dict[str, int] = field(default_factory=dict)
    _draft: _Draft | None = None
    """The segment that is being written."""
    _writing: asyncio.Task[str] | None = None
    _named: _Draft | None = None
    """The segment that a checkpoint names, or is about to, until it is in its place."""
    _entering: asyncio.Task[None] | None = None
    _has_failed: bool = False
    _given_up: bool = False

    def __post_init__(self) -> None:
        """What is gathered from now on begins where the ledger ends."""
        self._starts, self._round = dict(self.reached), self._present_round()
        self._gathering = Gathering(self.recorder.maker)

    @property
    def is_on(self) -> bool:
        """Whether there is a ledger at all."""
        return self.recorder.place is not None

    def takes(self, topic: str) -> bool:
        """Whether the ledger takes in the records of a topic, so that their acks wait for it."""
        return self.is_on and topic in self.reached

    def known(self) -> Knowledge:
        """What is known at this moment, to be asked for before a step is scored; the same object while it is the same.

        Dearly made, it would weigh on every step.
        """
        signals, last = self.held.offsets.get(self.recorder.signals, 0), self._gathering.known
        indicators = self.recorder.indicators()
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

    async def room(self) -> None:
        """Wait while rows gather faster than they can be written, or cannot be written at all."""
        while len(self._gathering) >= MOST_ROWS and self._writing is not None and not self._writing.done():
            await asyncio.wait({self._writing})
        if len(self._gathering) >= MOST_ROWS:
            await self.settle()

    def go_on(self) -> bool:
        """Begin a segment if one is due; whether one is finished, which the next checkpoint should name.

        Raises `LedgerError` when the one that was named last could not be moved to its place, and what else went wrong.
        """
        if self._entering is not None and self._entering.done():
            self._entering.result()  # it has failed: what is in its place is named no longer
        if self._writing is not None and self._writing.done() and not self._given_up:
            self._writing.result()
        if self._draft is None and self._is_due():
            self._begin()
        return self._is_finished and self._named is None

    async def finish(self) -> bool:
        """Write what has gathered, now; whether a segment is finished, which the next checkpoint should name.

        To be called again, with a checkpoint in between, until there is none.
        """
        await self.settle()
        if self._draft is None and self._is_worth_writing:
            self._begin()
        if self._writing is not None:
            await asyncio.wait({self._writing})
        return self._is_finished

    @property
    def _is_finished(self) -> bool:
        task = self._writing
        return task is not None and task.done() and not task.cancelled() and task.exception() is None

    @property
    def _is_worth_writing(self) -> bool:
        return self.is_on and bool(len(self._gathering) or self.acks) and not (self._given_up and self._has_failed)

    def _is_due(self) -> bool:
        late = len(self._gathering) >= MOST_ROWS or self._present_round() > self._round
        return late and self._is_worth_writing

    def _present_round(self) -> int:
        """How often it has been time to write; each partition has its own moment, so that they take turns."""
        phase = self.held.partition.number * _PHASE % 1.0
        return int(perf_counter() / WRITE_EVERY + phase)

    def _begin(self) -> None:
        place = self.recorder.place
        if place is None:
            return
        calls, sms = ((self._starts[topic], self.reached[topic]) for topic in (self.recorder.calls, self.recorder.sms))
        segment = Segment(self.held.partition.number, calls, sms, _today())
        gathering, self._gathering = self._gathering, Gathering(self.recorder.maker)
        gathering.close()
        self._draft = _Draft(gathering, Recorded(dict(self.reached)), segment, self.acks, len(gathering))
        self.acks, self._starts = {}, dict(self.reached)
        self._round = self._present_round()
        self._writing = asyncio.create_task(self._write(place, self._draft))

    async def _write(self, place: Place, draft: _Draft) -> str:
        """Write a segment's file, again and again while there is no space; its name, empty without rows."""
        if not draft.count:
            return ""
        wait = 0.2
        while True:
            try:
                async with self.recorder.one_at_a_time:
                    name = await asyncio.to_thread(_written, place, draft, self.recorder.mark)
            except (OSError, LedgerError) as error:
                self._has_failed = True
                if self._given_up:
                    raise
                metrics.READY.labels("ledger").set(0)
                metrics.RETRIES.labels("ledger").inc()
                log.warning(
                    "the ledger cannot be written; nothing is acknowledged until it can",
                    ledger=place.shown,
                    error=str(error) or type(error).__name__,
                )
                await asyncio.sleep(wait)
                wait = min(wait * 2, 5.0)
            else:
                self._has_failed = False
                metrics.READY.labels("ledger").set(1)
                return name

    def name(self) -> None:
        """Have the checkpoint that is about to be written name the segment that is finished.

        Not before the one that was named last is in its place: a checkpoint names one, and whoever loads it moves one.
        """
        if self._draft is not None and self._writing is not None and self._is_finished and self._named is None:
            name = self._writing.result()
            segment = self._draft.segment.path if name else ""
            self.held.recorded = Recorded(self._draft.recorded.offsets, segment, name)
            self._named, self._draft, self._writing = self._draft, None, None

    def enter(self) -> None:
        """Begin to make the segment that the checkpoint names part of the ledger; its records are acknowledged then."""
        if self._named is not None and self._entering is None and self.recorder.place is not None:
            self._entering = asyncio.create_task(self._enter(self.recorder.place, self._named))

    async def _enter(self, place: Place, named: _Draft) -> None:
        recorded = self.held.recorded
        if recorded.pending:
            if not await asyncio.to_thread(place.enter, recorded.pending, named.segment):
                raise LedgerError(
                    f"A segment that was to become part of the ledger is gone from {place.shown}: {recorded.pending}. "
                    "Start the worker again: it records anew what Kafka still keeps."
                )
            metrics.LEDGER_ROWS.inc(named.count)
            self.held.recorded = Recorded(recorded.offsets)
        for ack in named.acks.values():
            ack()
        self._named = self._entering = None

    async def settle(self) -> None:
        """Wait until the segment that a checkpoint has named is in its place; raises what went wrong with it."""
        if self._entering is not None:
            await self._entering

    @property
    def rows(self) -> int:
        """How many rows are in memory."""
        return len(self._gathering) + (self._draft.count if self._draft is not None else 0)

    async def give_up(self) -> None:
        """Wait for no space any more: what is not written yet is recorded by whoever comes next."""
        self._given_up = True
        if self._writing is not None and not self._writing.done() and self._has_failed:
            self._writing.cancel()
            await asyncio.wait({self._writing})


def _written(place: Place, draft: _Draft, mark: str) -> str:
    rows = draft.gathering.rows()
    with metrics.LEDGER_SECONDS.time():
        table = table_of(rows)
        draft.count = len(table)
        return place.put(draft.segment, mark, written(table, draft.gathering.known))


def _today() -> date:
    return datetime.now(UTC).date()
