"""Alignment: keeps a partition's calls and SMS side by side in event time, however far apart their topics are read.

After an outage, a worker may read a day of one topic before it reads a minute of the other. Deciding in that order
would raise alerts that the other topic then corrects. So the events of each topic wait here until the other topic has
been read as far, or has no more records. When both topics are read live, nothing waits. The live worker and the replay
share this module.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.detection.watermarks import Watermark
from models.events.batches import Calls, Messages

E = TypeVar("E", Calls, Messages)


class Portion(NamedTuple):
    """The events of one batch that are due, from ``start`` to ``stop``; ``whole`` if the batch ends with them."""

    events: Any
    source: Any
    start: int
    stop: int
    whole: bool


class _WaitingBatch:
    """A waiting batch: its events, how far along each of them is, and how many have been given out."""

    __slots__ = ("events", "given", "last", "reached", "source")

    def __init__(self, events: Any, reached: NDArray[np.int64], last: int, source: Any) -> None:
        self.events = events
        self.reached = reached
        self.last = last
        self.source = source
        self.given = 0

    def first_beyond(self, until: float) -> int:
        """The index of the first event that is further along than ``until`` and not given out yet."""
        return max(self.given, int(np.searchsorted(self.reached, until, side="right")))


class Lane(Generic[E]):
    """The waiting events of one topic of a partition, in the order of the log.

    An event is as far along as its topic's watermark after it. So a late event does not wait, and a wrong clock delays
    nothing.
    """

    def __init__(self, clock: Watermark) -> None:
        self.clock = Watermark(clock.at, dict(clock.pending))
        self._waiting: deque[_WaitingBatch] = deque()

    def __len__(self) -> int:
        """How many batches wait."""
        return len(self._waiting)

    def put(self, events: E, source: Any = None) -> None:
        """Add the next batch of the log; ``source`` comes back with its portions."""
        reached = self.clock.take(events)
        self._waiting.append(_WaitingBatch(events, reached, self.clock.at, source))

    def take(self, until: float) -> list[Portion]:
        """The events that are at most as far along as ``until`` (event time), in the order of the log."""
        portions: list[Portion] = []
        while self._waiting:
            batch = self._waiting[0]
            count = len(batch.events)
            stop = count
            if batch.last > until:
                stop = batch.first_beyond(until)
            if stop > batch.given or stop == count:
                events = batch.events if stop - batch.given == count else batch.events[batch.given : stop]
                portions.append(Portion(events, batch.source, batch.given, stop, stop == count))
            if stop < count:
                batch.given = stop
                return portions
            self._waiting.popleft()
        return portions


class Alignment:
    """The lanes of one partition's calls and SMS."""

    def __init__(self, call_clock: Watermark, sms_clock: Watermark) -> None:
        self.calls: Lane[Calls] = Lane(call_clock)
        self.sms: Lane[Messages] = Lane(sms_clock)

    def __len__(self) -> int:
        """How many batches wait."""
        return len(self.calls) + len(self.sms)

    @property
    def waits(self) -> bool:
        """Whether any event waits."""
        return len(self) > 0

    def horizons(self, at_end: Mapping[str, bool]) -> dict[str, float]:
        """The event time up to which each of the topics ``calls`` and ``sms`` is known.

        ``at_end`` says which topics have no more records to read now. While more records are to come, the last
        millisecond is left out, because the next record may have the same time.
        """
        return {
            name: float("inf") if at_end[name] else lane.clock.at - 1
            for name, lane in (("calls", self.calls), ("sms", self.sms))
        }

    def due(self, at_end: Mapping[str, bool]) -> tuple[list[Portion], list[Portion]]:
        """The portions of calls and of SMS that are due, because both topics have been read far enough."""
        until = min(self.horizons(at_end).values())
        return self.calls.take(until), self.sms.take(until)
