"""Watermarks: how far one topic of a partition is known, in event time and by the broker's clock.

Call milestones and the dropping of old state follow it. A record that is far ahead of the event-time clock moves it
only when other subscribers' records agree, see ``docs/decisions/0003-watermark-by-agreement.md``. The broker's clock
goes on while no records come, see ``docs/decisions/0018-the-brokers-clock.md``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.base.number_keys import number_of
from models.events.batches import Events

JUMP_MS = 600_000
"""How far a single record may move the clock: ten minutes, longer than a busy partition is ever quiet."""

WITNESSES = 3
"""How many subscribers must agree on a longer jump."""


class Watermark(Struct, array_like=True):
    """The greatest trusted event time; ``pending`` holds times that are too far ahead, by subscriber.

    A record that moves the clock in the ordinary way contradicts the witnesses before it. They are dropped, so that a
    few wrong clocks in a month never add up to an agreement. The clock depends only on the records and their order, not
    on how they are batched.
    """

    at: int = 0
    pending: dict[str, int] = {}
    appended: int = 0
    """When the broker wrote the newest record that this clock listens to (epoch ms); 0: not known."""
    heard: int = 0
    """The broker's time (epoch ms) up to which the topic's records are known: the newest append time or heartbeat."""

    def take(self, events: Events[Any]) -> NDArray[np.int64]:
        """Take in one batch of the topic; returns what `observe` returns."""
        reached = self.observe(events.trusted_times, events.subscribers)
        arrivals = events.arrivals
        if arrivals is not None and len(events):
            self.hear(int(arrivals.appended.max()))
            trusted = arrivals.appended if arrivals.ahead is None else arrivals.appended[~arrivals.ahead]
            self.appended = max(self.appended, int(trusted.max(initial=0)))
        return reached

    def hear(self, broker: int) -> None:
        """Note that the topic's records are known up to this time of the broker's clock (epoch ms)."""
        self.heard = max(self.heard, broker)

    def carried_on(self, broker: int) -> int:
        """The event time that it is on this topic at the broker's time ``broker``; 0 while the clock does not run.

        A topic that is silent at its end goes on with the broker's clock from its newest record.

        >>> Watermark(at=1_000, appended=5_000).carried_on(7_500)
        3500
        """
        return self.at + max(0, broker - self.appended) if self.at and self.appended else self.at

    def observe(self, times: NDArray[np.int64], subscribers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Take in the event times of one batch, in order, with the number key of each subscriber.

        Returns the greatest time of the batch up to each record, with a jump only once it is trusted. Late records at
        the beginning of the batch lie behind the clock, which never goes back.

        >>> clock = Watermark(at=1_000_000)
        >>> from models.base.number_keys import key_of
        >>> clock.observe(np.array([1_000_500, 99_000_000]), np.array([key_of("8611"), key_of("8612")])).tolist()
        [1000500, 1000500]
        >>> clock.observe(np.array([2_000_000, 2_000_300]), np.array([key_of("8613"), key_of("8614")])).tolist()
        [1000500, 2000300]
        """
        reached = times
        row = self._advance(times)
        if row < len(times):
            reached = times.copy()
        while row < len(times):
            self._take(int(times[row]), number_of(int(subscribers[row])))
            reached[row] = self.at
            row += 1 + self._advance(times[row + 1 :])
        return np.maximum.accumulate(reached)

    def _advance(self, times: NDArray[np.int64]) -> int:
        """Take in the times before the first jump, which need no agreement; returns how many there are."""
        if self.pending or not len(times):
            return 0
        steady = len(times)
        if int(times.max()) > self.at + JUMP_MS:
            before = np.maximum.accumulate(np.concatenate(([self.at], times[:-1])))
            jumps = np.flatnonzero(times > before + JUMP_MS)
            steady = int(jumps[0]) if len(jumps) else steady
        if steady:
            self.at = max(self.at, int(times[:steady].max()))
        return steady

    def _take(self, at: int, subscriber: str) -> None:
        if at <= self.at + JUMP_MS:
            if at > self.at:
                self.at = at
                self._settle()
                self.pending.clear()
            return
        earlier = self.pending.get(subscriber)
        self.pending[subscriber] = at if earlier is None else min(earlier, at)
        if len(self.pending) >= WITNESSES:
            self.at = min(self.pending.values())
            self._settle()

    def _settle(self) -> None:
        """Move the clock on by the witnesses that are now within reach, and drop these witnesses."""
        while self.pending:
            near = {who: at for who, at in self.pending.items() if at <= self.at + JUMP_MS}
            if not near:
                return
            self.at = max(self.at, max(near.values()))
            for who in near:
                del self.pending[who]
