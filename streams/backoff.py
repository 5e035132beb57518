"""Backoff: the pauses between attempts at something that does not work at present."""

from __future__ import annotations

import asyncio
from typing import Final

LONGEST: Final = 2.0
"""Seconds that a pause lasts at most, unless the caller says otherwise."""


class Backoff:
    """Pauses in seconds: the first one as given, each further one twice as long, none longer than ``longest``."""

    def __init__(self, first: float, longest: float = LONGEST) -> None:
        self.pause = first
        """How long the next pause lasts."""
        self._longest = longest

    async def wait(self) -> None:
        """Pause before the next attempt."""
        await asyncio.sleep(self.pause)
        self.pause = min(self.pause * 2, self._longest)
