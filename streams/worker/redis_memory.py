"""Redis memory: shows operators how full the fullest Redis is, before it refuses to write."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress

from streams import metrics
from streams.redis.answers import FAILURES
from streams.worker.checkpoint import Checkpoints

LOOK_EVERY = 30.0
"""Seconds between two questions."""


async def watch(checkpoints: Checkpoints) -> None:
    """Ask repeatedly and export what the servers say; it ends only by cancellation.

    While Redis is away, or does not let this login ask, the last values stay.
    """
    while True:
        with suppress(*FAILURES):
            show(await checkpoints.memory())
        await asyncio.sleep(LOOK_EVERY)


def show(sections: Iterable[Mapping[str, object]]) -> None:
    """Export the fullest server; each section is the section ``memory`` of a server's INFO."""
    servers = [(_number(each, "used_memory"), _number(each, "maxmemory")) for each in sections]
    if servers:
        used, limit = max(servers, key=lambda server: (server[0] / server[1] if server[1] else 0.0, server[0]))
        metrics.REDIS_USED.set(used)
        metrics.REDIS_LIMIT.set(limit)


def _number(memory: Mapping[str, object], field: str) -> int:
    return int(str(memory.get(field, 0)))
