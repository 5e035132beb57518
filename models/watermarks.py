"""The event-time clock of a partition, which one wrong clock cannot turn forward.

Open-call marks and the forgetting of old state follow it. A record that is far ahead of the clock moves it only when
other subscribers' records agree; see ``docs/decisions/0003-watermark-by-agreement.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

JUMP_MS = 600_000
"""How far a single record may move the clock: ten minutes, more than a busy partition is ever quiet."""

WITNESSES = 3
"""How many subscribers must agree on a longer jump."""


class Watermark(Struct, array_like=True):
    """The greatest event time that is believed; ``pending`` holds times that are too far ahead, by subscriber.

    A record that moves the clock on in the ordinary way contradicts the witnesses before it: they are let go, so that
    a few wrong clocks in a month never add up to an agreement. A function of the records in their order alone,
    however they are batched.
    """

    at: int = 0
    pending: dict[str, int] = {}

    def observe(self, times: Sequence[int], subscribers: Sequence[str]) -> None:
        """Take in the event times of one batch, in order, with the subscriber of each.

        >>> clock = Watermark(at=1_000_000)
        >>> clock.observe([1_000_500, 99_000_000], ["a", "b"])
        >>> clock.at
        1000500
        >>> clock.observe([2_000_000, 2_000_300], ["c", "d"])
        >>> clock.at
        2000300
        """
        if self.advance(times):
            return
        for at, subscriber in zip(times, subscribers, strict=True):
            if at <= self.at + JUMP_MS:
                if at > self.at:
                    self.at = at
                    self._settle()
                    self.pending.clear()
            else:
                earlier = self.pending.get(subscriber)
                self.pending[subscriber] = at if earlier is None else min(earlier, at)
                if len(self.pending) >= WITNESSES:
                    self.at = min(self.pending.values())
                    self._settle()

    def advance(self, times: Sequence[int]) -> bool:
        """Take in times without a jump, whose order then does not matter; False, and nothing is done, with one."""
        if not times:
            return True
        latest = max(times)
        if self.pending or latest > self.at + JUMP_MS:
            return False
        self.at = max(self.at, latest)
        return True

    def _settle(self) -> None:
        """Let go of the witnesses that the clock has caught up with, moving it on by those now within reach."""
        while self.pending:
            near = {who: at for who, at in self.pending.items() if at <= self.at + JUMP_MS}
            if not near:
                return
            self.at = max(self.at, max(near.values()))
            for who in near:
                del self.pending[who]
