"""Calls in progress: up to when each call with a known number is known, and when it has to be judged again.

"Still on the phone after seven minutes" needs a time up to which an end record would have arrived. Two clocks give it.
The call clock of the partition follows the records (`models.detection.watermarks`). The broker's clock goes on without
records; a heartbeat carries it. How late a call's start record was says how late its end record may be. See
``docs/decisions/0018-the-brokers-clock.md``.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from models.detection.episodes import Arrival, Subject
from models.detection.kinds import CALL_BEGINS
from models.detection.signals import Signal
from models.detection.watermarks import Watermark
from models.events.batches import Calls
from models.events.event import LATEST
from models.policy.policy import Policy

IN_ORDER = Arrival(0)
"""The arrival of a record that was in order and whose append time is not known."""

IsOnThePhone = Callable[[str, int], bool]
"""Whether a subscriber has a call with a known number that has not ended by an event time."""


def arrival_of(calls: Calls, row: int, clock: int) -> Arrival | None:
    """How a start record arrived, with the call clock after it; None if it was in order and no append time is known."""
    behind = max(0, clock - int(calls.times[row]))
    appended = 0 if calls.arrivals is None else max(0, int(calls.arrivals.appended[row]))
    return Arrival(behind, appended) if behind or appended else None


def known_until(subject: Subject, clock: Watermark, policy: Policy) -> dict[str, int]:
    """By call, the event time up to which its records are known, for the calls whose start's arrival was noted.

    The end record of a call is taken to be as late as its start record was, and is awaited for the policy's wait.
    Without further records, the call goes on with the broker's clock from the arrival of its start record.
    """
    known: dict[str, int] = {}
    for signal in subject.signals if subject.arrivals else ():
        arrival = subject.arrivals.get(signal.event)
        if arrival is not None and signal.kind in CALL_BEGINS:
            known[signal.event] = clock.at - arrival.behind
            if arrival.appended:
                by_broker = signal.at + clock.heard - arrival.appended
                known[signal.event] = max(known[signal.event], by_broker) - policy.clock.wait_ms
    return known


Wake = tuple[int, int, str, tuple[int, ...]]
"""When a call has to be judged again, the time from which its milestones are counted on that clock, its subscriber, and
all its milestones (ms after that time)."""


@dataclass(slots=True)
class Wakes:
    """When the subscribers of a partition have to be judged again because a call goes on.

    Both are heaps, with the next milestone of each call.
    """

    by_records: list[Wake] = field(default_factory=list)
    """By event time on the call clock."""
    by_broker: list[Wake] = field(default_factory=list)
    """By the broker's time, if no records bring the call clock there before."""

    def schedule(
        self, subscriber: str, subject: Subject, signals: Iterable[Signal], clock: Watermark, policy: Policy
    ) -> None:
        """Wake the subscriber at those milestones of the calls among the signals that lie ahead of the clocks."""
        wait, watched = policy.clock.wait_ms, policy.windows.watched_ms
        for signal in signals:
            if signal.kind in CALL_BEGINS:
                arrival = subject.arrivals.get(signal.event, IN_ORDER)
                begin = signal.at + arrival.behind + (wait if arrival.appended else 0)
                _push(self.by_records, clock.at, begin, subscriber, watched)
                if arrival.appended:
                    _push(self.by_broker, clock.heard, arrival.appended + wait, subscriber, watched)

    def passed(self, clock: Watermark, is_on_the_phone: IsOnThePhone) -> Iterator[str]:
        """The subscribers on the phone with a milestone that the clocks have passed since the last time."""
        while self.by_records and self.by_records[0][0] <= clock.at:
            due, subscriber = _advance(self.by_records)
            if is_on_the_phone(subscriber, due):
                yield subscriber
        while self.by_broker and self.by_broker[0][0] <= clock.heard:
            _, subscriber = _advance(self.by_broker)
            if is_on_the_phone(subscriber, LATEST):
                yield subscriber

    def next_by_broker(self, is_on_the_phone: IsOnThePhone) -> int | None:
        """The broker's time (epoch ms) at which the next milestone is due; None if nobody is on the phone.

        The wakes of calls that have ended are dropped.
        """
        heap = self.by_broker
        while heap and not is_on_the_phone(heap[0][2], LATEST):
            _advance(heap)
        return heap[0][0] if heap else None


def _push(heap: list[Wake], now: int, begin: int, subscriber: str, watched: tuple[int, ...]) -> None:
    """Add a call's first milestone after ``now``, if there is one."""
    index = bisect_right(watched, now - begin)
    if index < len(watched):
        heapq.heappush(heap, (begin + watched[index], begin, subscriber, watched))


def _advance(heap: list[Wake]) -> tuple[int, str]:
    """Take the first wake, and add the same call's next one; returns when it was due, and its subscriber."""
    due, begin, subscriber, watched = heapq.heappop(heap)
    _push(heap, due, begin, subscriber, watched)
    return due, subscriber
