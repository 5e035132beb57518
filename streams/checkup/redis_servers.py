"""Redis servers: whether they answer, keep what they are told, and agree on the time and on the site secret."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from time import time
from typing import Any, Final

from redis.exceptions import ResponseError

from models.access.site_secret import fingerprint
from streams.checkup.finding import Finding
from streams.overview.worries import REDIS_SHARE
from streams.redis.answers import FAILURES
from streams.redis.client import Redis
from streams.redis.site_secret import difference, recorded
from streams.setting_fields import SettingsError
from streams.settings import Settings
from streams.worker.eviction import eviction

WRITTEN: Final = ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")
"""What INFO says about the last time that a file was written, each ``ok`` or ``err``."""

SKEW_S: Final = 2.0
"""Seconds by which two clocks may differ. Machines that follow a time server differ by some milliseconds."""


def redis(settings: Settings) -> Iterator[Finding]:
    """Check that Redis answers, keeps its data over a restart, and refuses writes when full instead of evicting."""
    try:
        shape, sections = asyncio.run(_asked_of_redis(settings, "memory", "persistence"))
    except FAILURES as error:
        says = f"does not answer at {settings.redis_shown} ({error}): start it or correct FOREWARN_REDIS"
        yield Finding("redis", "bad", says)
        return
    if sections is None:
        says = f"answers at {settings.redis_shown}, but does not say whether it drops state: allow its user INFO"
        yield Finding("redis", "look", says)
        return
    found = [*keeping(sections)]
    yield from found
    if not found:
        yield Finding("redis", "good", f"answers at {settings.redis_shown} ({shape}) and keeps its data")


def keeping(sections: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Why these servers would lose state; one finding for each kind of fault.

    ``sections`` has the sections ``memory`` and ``persistence`` of INFO of each server that takes writes.
    """
    if evicts := next(filter(None, map(eviction, sections)), ""):
        yield Finding("redis", "bad", f"{evicts}; workers refuse to start until then")
    if any(said.get(status, "ok") != "ok" for said in sections for status in WRITTEN):
        says = (
            "could not write its file the last time (see its log): make room on its disk, or everything since is lost"
        )
        yield Finding("redis", "bad", says)
    if not all(said.get("aof_enabled") for said in sections):
        says = (
            "loses at a restart what came after its last snapshot, or everything if it makes none: set appendonly yes, "
            "otherwise state must be read again"
        )
        yield Finding("redis", "look", says)
    limited = [said for said in sections if said.get("maxmemory") and not eviction(said)]
    fullest = max((said["used_memory"] / said["maxmemory"] for said in limited), default=0.0)
    if fullest > REDIS_SHARE:
        says = f"uses {fullest:.0%} of its memory, and refuses checkpoints when it is full: raise maxmemory"
        yield Finding("redis", "look", says)


def clocks(settings: Settings) -> Iterator[Finding]:
    """Check that Redis's machines and this one have the same time."""
    before = time()
    try:
        _, sections = asyncio.run(_asked_of_redis(settings, "server"))
    except FAILURES:  # an earlier finding says what is wrong
        return
    after = time()
    times = [int(said["server_time_usec"]) / 1e6 for said in sections or () if "server_time_usec" in said]
    yield from apart(before, times, after)


def apart(before: float, times: Sequence[float], after: float) -> Iterator[Finding]:
    """Say by how much the clocks of servers, asked between two moments of this machine's clock, differ from it (s)."""
    if not times:
        return
    furthest = max((min(each - before, 0.0) + max(each - after, 0.0) for each in times), key=abs)
    if abs(furthest) > SKEW_S:
        way = "ahead of" if furthest > 0 else "behind"
        says = (
            f"Redis's clock is {abs(furthest):,.0f} s {way} this machine's: see which one is wrong (chronyc tracking), "
            "and look at the brokers' too, as their time bounds event time"
        )
        yield Finding("clocks", "look", says)
    else:
        yield Finding("clocks", "good", "this machine and Redis have the same time; see to the brokers'")


async def _asked_of_redis(settings: Settings, *asked: str) -> tuple[str, list[dict[str, Any]] | None]:
    """What Redis is, and what each of its servers that take writes says of itself; None when it may not say."""
    client = Redis(settings, timeout=3)
    try:
        await client.ping()
        shape = await client.shape()
        try:
            return shape, await client.infos(*asked)
        except ResponseError:  # an ACL may forbid INFO
            return shape, None
    finally:
        await client.aclose()


def secret(settings: Settings) -> Iterator[Finding]:
    """Check that there is a site secret, and that it is the one that the site's programs have used."""
    try:
        mine = fingerprint(settings.site_secret())
    except SettingsError as error:
        yield Finding("secret", "bad", str(error))
        return
    try:
        theirs = asyncio.run(_recorded(settings))
    except FAILURES:  # an earlier finding says what is wrong
        return
    if not theirs:
        yield Finding("secret", "good", f"has the fingerprint {mine}, and no program has used one yet")
    elif theirs != mine:
        yield Finding("secret", "bad", difference(mine, theirs, settings))
    else:
        yield Finding("secret", "good", f"has the fingerprint {mine}, as in all programs of the site")


async def _recorded(settings: Settings) -> str:
    client = Redis(settings, timeout=3)
    try:
        return await recorded(client, settings)
    finally:
        await client.aclose()
