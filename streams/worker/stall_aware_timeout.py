"""Patience: a time limit for somebody else's answer that does not run out while this process itself stands still.

A process that is starved, stopped or busy finds every timer run out when it goes on, though the answer lies ready. Who
then believes that nobody answered takes its own slowness for the other's death.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from time import monotonic
from typing import TypeVar

LOOK_EVERY = 0.1
"""Seconds between two looks at whether this loop runs on time."""

T = TypeVar("T")


async def answer_within(asked: Awaitable[T], seconds: float) -> T:
    """What ``asked`` gives within so many seconds for which this event loop ran on time.

    Time in which a tenth of a second took more than two does not count. Raises `TimeoutError`, and what ``asked`` does;
    it is cancelled unless it has ended.
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
