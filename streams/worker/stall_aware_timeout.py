"""Stall-aware timeout: a time limit for a remote answer that does not count time in which this process itself stalls.

When a process was starved, stopped or busy, all its timers have expired by the time it continues, although the answer
has already arrived. An ordinary timeout would then mistake the process's own stall for a dead peer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from time import monotonic
from typing import TypeVar

LOOK_EVERY = 0.1
"""Seconds between two checks of whether the event loop runs on time."""

T = TypeVar("T")


async def answer_within(asked: Awaitable[T], seconds: float) -> T:
    """Wait for the result of ``asked``, for so many seconds during which this event loop ran on time.

    An interval of a tenth of a second that took two tenths or more does not count. Raises `TimeoutError`, or the error
    of ``asked``. ``asked`` is cancelled unless it has ended.
    """
    task = asyncio.ensure_future(asked)
    try:
        left = max(1, round(seconds / LOOK_EVERY))
        while left and not task.done():
            began = monotonic()
            await asyncio.wait({task}, timeout=LOOK_EVERY)
            left -= monotonic() - began < 2 * LOOK_EVERY
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        task.cancel()
