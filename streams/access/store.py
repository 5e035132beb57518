"""The store: the Redis connection and the key names that sessions and failed sign-ins share.

It gives up soon and does not retry a request: a page that reports the problem is better than a page that waits.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from streams.redis.answers import FAILURES
from streams.redis.client import Redis
from streams.settings import Settings


class UnavailableError(Exception):
    """Redis does not answer, so nobody can sign in; the message says in one sentence where it should be."""


class Store:
    """One client of Redis; its keys never collide with those of another group or site."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.redis = Redis(settings, retries=1)  # for a connection that was closed while it was idle

    def key(self, kind: str, name: str) -> str:
        """The Redis key for a kind of value and a name."""
        return f"forewarn:{self._settings.topic_prefix}{self._settings.group}:{kind}:{name}"

    async def asked(self, question: Awaitable[Any]) -> Any:
        """Redis's answer. Raises `UnavailableError` when there is none."""
        try:
            return await question
        except FAILURES as error:
            raise UnavailableError(
                f"Nobody can sign in: Redis at {self._settings.redis_shown} does not answer ({type(error).__name__}); "
                "start it, or set FOREWARN_REDIS."
            ) from None

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()
