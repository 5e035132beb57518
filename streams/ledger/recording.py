"""Recording: what a worker adds to the ledger, in segments that become part of it together with a checkpoint.

Rows gather in memory. Now and then a thread sorts them and writes a file beside the ledger; the next checkpoint names
it, and only then is it moved to its place and Kafka told that its records are done. Who loads the checkpoint moves it
if that is still to be done, so no contact is missing or there twice, and nobody who has lost a partition adds any.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from time import perf_counter
from typing import Any

import numpy as np
import structlog

from models.batches import Calls, Messages
from models.contacts import Rows, rows_of_calls, rows_of_context, rows_of_messages
from models.signals import Signal
from streams import metrics
from streams.checkpoint import Held, Recorded
from streams.ledger.place import LedgerError, Place, Segment, segment_of
from streams.ledger.segments import Knowledge, NoSegmentError, SegmentFile, least, table_of, written
from streams.settings import Settings

log = structlog.get_logger(__name__)

MOST_ROWS = 1 << 17
"""Rows of a segment; so many more may gather while it is written, then the partition waits."""

WRITE_EVERY = 5.0
"""Seconds after which a segment is written however few rows it has."""

_PHASE = 0.618
"""Of that time, by how much partitions are apart: the golden section spreads any number of them."""

AT_ONCE = 2048
"""Events of which rows are made at once."""

Ack = Callable[[], object]


@dataclass(slots=True)
class _Draft:
    """A segment on its way: its rows, what they cover, and the acks that wait for it."""

    rows: list[Rows]
    known: Knowledge
    recorded: Recorded
    segment: Segment
    acks: dict[str, Ack]

    @property
    def count(self) -> int:
        """How many rows it has."""
        return sum(map(len, self.rows))


class Recorder:
    """Writes the segments of a worker's partitions. ``indicators`` tells how far they have been read."""

    def __init__(self, settings: Settings, indicators: Callable[[], Mapping[int, int]]) -> None:
        self.calls, self.sms, self._signals = (settings.topic(name) for name in ("calls", "sms", "signals"))
        self._indicators = indicators
        self.place = Place(settings) if settings.ledger else None
        self.mark = secrets.token_hex(6)
        self.one_at_a_time = asyncio.Semaphore(1)

    def known(self, held: Held) -> Knowledge:
        """What is known at this moment."""
        return Knowledge(dict(self._indicators()), held.offsets.get(self._signals, 0))

    async def open(self, held: Held, starts: Mapping[str, int]) -> Recording:
        """The recording of a partition whose checkpoint was loaded; ``starts``: where its scoring goes on.

        Enters the segment that the checkpoint names. Raises `LedgerError` when the place cannot be used.
        """
        starts = {topic: at for topic, at in starts.items() if topic != self._signals}
        if self.place is None:
            held.recorded = Recorded()  # a ledger that is turned on again begins where scoring is then
            return Recording(self, held, dict(starts), Knowledge())
        return await asyncio.to_thread(self._open, self.place, held, starts)

    def _open(self, place: Place, held: Held, starts: Mapping[str, int]) -> Recording:
        number = held.partition.number
        reached = {topic: held.recorded.offsets.get(topic, at) for topic, at in starts.items()}
        segment = segment_of(held.recorded.segment) if held.recorded.segment else None
        if segment is not None and not place.enter(held.recorded.pending, segment):
            log.error("a segment of the ledger is gone and is recorded again", segment=segment.path)
            reached |= {self.calls: segment.calls[0], self.sms: segment.sms[0]}
        place.clear_pending(number)
        known = Knowledge()
        segments = place.segments(partition=number)
        for segment in segments:
            reached[self.calls] = max(reached.get(self.calls, 0), segment.calls[1])
            reached[self.sms] = max(reached.get(self.sms, 0), segment.sms[1])
        if segments:
            try:
                with SegmentFile(place.open(max(segments, key=lambda each: each.calls[1] + each.sms[1]))) as file:
                    known = file.known
            except (NoSegmentError, FileNotFoundError):
                known = Knowledge()  # its contacts are then looked through once more than needed
        held.recorded = Recorded(dict(reached))  # the first checkpoint says so, however soon the worker is gone
        return Recording(self, held, reached, known)


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
    _rows: list[Rows] = field(default_factory=list)
    _few_calls: list[Calls] = field(default_factory=list)
    """Events of which no rows have been made yet."""
    _few_messages: list[Messages] = field(default_factory=list)
    _count: int = 0
    _known: Knowledge = field(default_factory=Knowledge)
    _since: int = 0
    """The round in which the first of the rows came."""
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
        self._starts = dict(self.reached)

    @property
    def is_on(self) -> bool:
        """Whether there is a ledger at all."""
        return self.recorder.place is not None

    def takes(self, topic: str) -> bool:
        """Whether the ledger takes in the records of a topic, so that their acks wait for it."""
        return self.is_on and topic in self.reached

    def known(self) -> Knowledge:
        """What is known at this moment, to be asked for before a step is scored."""
        return self.recorder.known(self.held)

    def add(self, topic: str, events: Any, offsets: Any, upto: int, known: Knowledge) -> None:
        """Gather calls or SMS at these offsets, which reach to before ``upto``; what the ledger has is left out.

        ``known``: what was known when they were scored.
        """
        low = self.reached.get(topic)
        if low is None or upto <= low or not self.is_on:
            return
        if len(offsets) and offsets[0] < low:
            events = events[slice(int(np.searchsorted(offsets, low)), None)]
        self.reached[topic] = upto
        if len(events):
            self._note(known)
            few: list[Any] = self._few_calls if isinstance(events, Calls) else self._few_messages
            few.append(events)
            self._count += len(events)
            if sum(map(len, few)) >= AT_ONCE:
                self._gather(few)

    def add_context(self, signals: Sequence[tuple[str, Signal]], known: Knowledge) -> None:
        """Gather context signals of events that are added."""
        rows = rows_of_context(signals) if self.is_on and signals else None
        if rows is not None:
            self._note(known)
            self._rows.append(rows)
            self._count += len(rows)

    def _gather(self, few: list[Any]) -> None:
        """Make rows of the events of several batches at once: a small batch costs nearly as much as a large one."""
        if few and isinstance(few[0], Calls):
            self._rows.append(rows_of_calls(Calls.joined(few)))
        elif few:
            self._rows += rows_of_messages(Messages.joined(few))
        few.clear()

    def _note(self, known: Knowledge) -> None:
        """Note what was known of the events that are about to be gathered."""
        if not self._count:
            self._known, self._since = known, self._round()
        elif known is self.before:  # one topic may be read again while the other is read on
            self._known = least((self._known, known))

    async def go_on(self, *, at_once: bool = False) -> bool:
        """Begin a segment if one is due; whether one is finished, which the next checkpoint should name.

        Waits only when rows gather faster than they can be written.
        """
        if not self.is_on:
            return False
        if self._draft is None and self._is_due(at_once):
            self._begin()
        if self._writing is not None and (at_once or self._count >= MOST_ROWS):
            await asyncio.wait({self._writing})
            await self.settle()
        elif self._entering is not None and self._entering.done():
            await self.settle()
        return self._is_finished and self._named is None

    @property
    def _is_finished(self) -> bool:
        task = self._writing
        return task is not None and task.done() and not task.cancelled() and task.exception() is None

    def _is_due(self, at_once: bool) -> bool:
        if (self._given_up and self._has_failed) or not (self._count or self.acks):
            return False
        return at_once or self._count >= MOST_ROWS or self._round() > self._since

    def _round(self) -> int:
        """How often it has been time to write; each partition has its own moment, so that they take turns."""
        phase = self.held.partition.number * _PHASE % 1.0
        return int(perf_counter() / WRITE_EVERY + phase)

    def _begin(self) -> None:
        place = self.recorder.place
        if place is None:
            return
        self._gather(self._few_calls)
        self._gather(self._few_messages)
        calls, sms = self.recorder.calls, self.recorder.sms
        segment = Segment(
            self.held.partition.number,
            (self._starts.get(calls, 0), self.reached.get(calls, 0)),
            (self._starts.get(sms, 0), self.reached.get(sms, 0)),
            _today(),
        )
        self._draft = _Draft(self._rows, self._known, Recorded(dict(self.reached)), segment, self.acks)
        self._rows, self._count, self.acks, self._starts = [], 0, {}, dict(self.reached)
        self._since = self._round()
        self._writing = asyncio.create_task(self._write(place, self._draft))

    async def _write(self, place: Place, draft: _Draft) -> str:
        """Write a segment's file, again and again while there is no space; its name, empty without rows."""
        if not draft.rows:
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
        """Wait until the segment that was named is in its place; raises what went wrong with it."""
        if self._entering is not None:
            await self._entering

    @property
    def rows(self) -> int:
        """How many rows are in memory."""
        return self._count + (self._draft.count if self._draft is not None else 0)

    async def give_up(self) -> None:
        """Wait for no space any more: what is not written yet is recorded by whoever comes next."""
        self._given_up = True
        if self._writing is not None and not self._writing.done() and self._has_failed:
            self._writing.cancel()
            await asyncio.wait({self._writing})


def _written(place: Place, draft: _Draft, mark: str) -> str:
    with metrics.LEDGER_SECONDS.time():
        return place.put(draft.segment, mark, written(table_of(draft.rows), draft.known))


def _today() -> date:
    return datetime.now(UTC).date()
