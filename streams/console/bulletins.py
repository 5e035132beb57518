"""What the page of the bulletins needs beside the cases: its calendar, and the reminders, read when asked for.

The console follows no alerts: a bulletin is looked at a few times a week, and a wave of SMS brings tens of thousands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from models.base.durations import MINUTE
from models.casework.reached import Reached
from models.casework.routing import Stations
from models.policy.policy import DispatchRules
from streams.dispatch.bulletins import Calendar, calendar, reminded
from streams.settings import Settings

READ_AGAIN: Final = 10 * MINUTE
"""Milliseconds after which the reminders are read again."""

Read = Callable[[Settings, Stations, int], Coroutine[Any, Any, list[Reached]]]


class Bulletins:
    """The calendar and the reminders of one console; ``read`` reads the reminders from a moment on (epoch ms)."""

    def __init__(self, settings: Settings, read: Read = reminded) -> None:
        self._settings = settings
        self._read = read
        self._reading = asyncio.Lock()
        self._known: Sequence[Reached] = ()
        self._read_at = -READ_AGAIN

    async def calendar(self, rules: DispatchRules, now: int) -> Calendar:
        """The weeks of which there can be a bulletin at a moment (epoch ms)."""
        return await asyncio.to_thread(calendar, self._settings, rules, now)

    async def reminded(self, stations: Stations, since: int, now: int) -> Sequence[Reached]:
        """Everybody who was reminded from a moment on (epoch ms), at most `READ_AGAIN` old; others wait meanwhile.

        Read in a thread with a loop of its own, since aiokafka would hold up all other requests. Raises
        `RecentRecordsError`.
        """
        async with self._reading:
            if now - self._read_at >= READ_AGAIN:
                self._known = await asyncio.to_thread(asyncio.run, self._read(self._settings, stations, since))
                self._read_at = now
            return self._known
