"""What sessions and failed sign-ins share: a connection to Redis that gives up soon, and the names of keys.

A page that waits is worse than one that says what is the matter, so nothing is asked for a second time here.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from streams.settings import Settings


class UnavailableError(Exception):
    """Redis does not answer, so nobody comes in; one sentence with where it should be."""


class Store:
    """One connection pool; a value of another group or site is never met."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.redis: Any = redis.Redis.from_url(
            settings.redis,
            socket_timeout=5,
            socket_connect_timeout=5,
            retry=Retry(NoBackoff(), 1),  # a connection that was closed while it was idle
            **settings.redis_options(),
        )

    def key(self, kind: str, name: str) -> str:
        """The key of a kind of value under a name."""
        return f"forewarn:{self._settings.topic_prefix}{self._settings.group}:{kind}:{name}"

    async def asked(self, question: Awaitable[Any]) -> Any:
        """What Redis answers; raises `UnavailableError`."""
        try:
            return await question
        except (RedisError, OSError) as error:
            raise UnavailableError(
                f"Nobody can sign in: Redis at {self._settings.redis_shown} does not answer ({type(error).__name__}); "
                "start it, or set FOREWARN_REDIS."
            ) from None

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()
