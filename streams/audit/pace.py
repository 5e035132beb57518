"""Pace: whether one user opens cases, sees numbers or looks people up more often within an hour than is usual.

It hinders nobody: an officer in a wave of fraud may have a reason. It becomes known by a metric without names and by a
line of the audit log.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

from models.base.durations import HOUR
from streams.audit.log import Deed

USUAL: Final[Mapping[Deed, int]] = {"shown-case": 120, "shown-number": 30, "look-up": 20}
"""The most in an hour that need no explanation: a case every half minute, a call every two minutes, a look-up every
three. They are estimates; no site has measured its own yet."""


class Pace:
    """What the users of one console did in the last hour. Not shared between threads."""

    def __init__(self, usual: Mapping[Deed, int] = USUAL) -> None:
        self._usual = usual
        self._times: dict[tuple[str, Deed], deque[int]] = {}
        self._told: set[tuple[str, Deed]] = set()

    def is_unusual(self, who: str, did: Deed, now: int) -> bool:
        """Count an action at ``now`` (epoch ms); true for the first beyond the usual, until it is usual again."""
        most = self._usual.get(did)
        if most is None:
            return False
        times = self._times.setdefault((who, did), deque(maxlen=most + 1))
        times.append(now)
        while times[0] <= now - HOUR:
            times.popleft()
        if len(times) <= most:
            self._told.discard((who, did))
            return False
        is_first = (who, did) not in self._told
        self._told.add((who, did))
        return is_first
