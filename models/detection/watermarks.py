"""Watermarks: the event-time clock of a partition, which a single wrong clock cannot move forward.

Call milestones and the dropping of old state follow it. A record that is far ahead of the clock moves it only when
other subscribers' records agree; see ``docs/decisions/0003-watermark-by-agreement.md``.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.base.number_keys import number_of

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

    def observe(self, times: NDArray[np.int64], subscribers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Take in the event times of one batch, in order, with the number key of each subscriber.

        Returns the clock after each record: the greatest time so far, with a jump only once it is trusted.

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
