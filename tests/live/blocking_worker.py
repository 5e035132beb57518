"""A worker whose first batch blocks it once: ``BLOCK`` says whether it blocks the whole loop or only the applying."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from streams.cli import main
from streams.worker.scoring import Scorer

BLOCK = "TEST_BLOCK"
"""The environment variable that selects what blocks: ``loop`` or ``offsets``."""

SECONDS = 5.0


def run() -> None:
    """Run the worker."""
    take, blocked = Scorer.take, False

    async def take_late(self: Scorer, *arguments: Any) -> None:
        nonlocal blocked
        if not blocked:
            blocked = True
            if os.environ[BLOCK] == "loop":
                time.sleep(SECONDS)  # noqa: ASYNC251 - exactly what must never happen
            else:
                await asyncio.sleep(SECONDS)
        await take(self, *arguments)

    setattr(Scorer, "take", take_late)  # noqa: B010
    main(["worker"])


if __name__ == "__main__":
    run()
