"""Backoff: the pauses between repeated attempts at something that fails for now."""

from __future__ import annotations

import asyncio
from typing import Final

LONGEST: Final = 2.0
"""The longest pause (s), unless the caller gives another."""


class Backoff:
    """Pauses in seconds: the first as given, each later one twice as long, and none longer than ``longest``."""

    def __init__(self, first: float, longest: float = LONGEST) -> None:
        self.pause = first
        """The length of the next pause (s)."""
        self._longest = longest

    async def wait(self) -> None:
        """Pause before the next attempt."""
        await asyncio.sleep(self.pause)
        self.pause = min(self.pause * 2, self._longest)
