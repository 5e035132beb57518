"""The stall-aware timeout: a time limit that does not run out while this process stands still."""

from __future__ import annotations

import asyncio
import time

import pytest

from streams.worker.stall_aware_timeout import LOOK_EVERY, answer_within


async def test_an_answer_comes_through() -> None:
    async def answer() -> int:
        await asyncio.sleep(0.01)
        return 7

    assert await answer_within(answer(), 1.0) == 7


async def test_silence_ends_and_the_question_is_dropped() -> None:
    asked = asyncio.ensure_future(asyncio.Event().wait())
    with pytest.raises(TimeoutError):
        await answer_within(asked, 2 * LOOK_EVERY)
    with pytest.raises(asyncio.CancelledError):
        await asked


async def test_an_error_is_the_askers() -> None:
    async def fail() -> int:
        raise ConnectionError("refused")

    with pytest.raises(ConnectionError, match="refused"):
        await answer_within(fail(), 1.0)


def stand_still() -> None:
    """Block the process, as if it were stopped, starved or busy with other work."""
    time.sleep(3 * LOOK_EVERY)


async def test_standing_still_is_not_the_others_silence() -> None:
    stalls = 6

    async def answer() -> int:
        for _ in range(stalls):
            stand_still()
            await asyncio.sleep(0)
            await asyncio.sleep(LOOK_EVERY / 2)
        return 7

    assert await answer_within(answer(), stalls * LOOK_EVERY) == 7
