"""Two hunters of one site: the later one takes over, and the earlier one can no longer publish or save."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import redis.asyncio as redis

from streams.hunter.memory import Found, Memory
from streams.hunter.memory_store import MemoryStore, TakenOverError
from streams.settings import Settings
from tests.live.conftest import Servers
from tests.site import Site, indicator, until

MEMORY = Memory(found={7: Found(0, 3, [1])})


@pytest_asyncio.fixture
async def two(stack: Servers, topic_prefix: str) -> AsyncIterator[tuple[MemoryStore, MemoryStore, redis.Redis]]:
    """The memory as two hunters of one group hold it, and their Redis."""
    settings = Settings(kafka=stack.kafka, redis=stack.redis, topic_prefix=topic_prefix)
    client = redis.Redis.from_url(stack.redis)
    yield MemoryStore(settings, client), MemoryStore(settings, client), client
    await client.aclose()


async def test_the_memory_belongs_to_the_hunter_that_loaded_it_last(
    two: tuple[MemoryStore, MemoryStore, redis.Redis],
) -> None:
    one, other, _ = two
    assert await one.load() == Memory()
    await one.save(MEMORY)
    assert await other.load() == MEMORY

    with pytest.raises(TakenOverError, match="There can be only one"):
        await one.check()
    with pytest.raises(TakenOverError):
        await one.save(Memory())
    await other.check()

    assert await other.load() == MEMORY


async def test_a_memory_that_redis_has_lost_belongs_to_whoever_saves_first(
    two: tuple[MemoryStore, MemoryStore, redis.Redis],
) -> None:
    """A hunter that runs on looks back again, to the same effect."""
    one, other, client = two
    await one.load()
    for key in one._keys:
        await client.delete(key)

    await one.save(MEMORY)

    assert await other.load() == MEMORY


async def test_a_memory_that_an_earlier_version_saved_is_taken_over(
    two: tuple[MemoryStore, MemoryStore, redis.Redis],
) -> None:
    """It has no claim beside it."""
    one, other, client = two
    await one.save(MEMORY)
    await client.delete(one._keys[1])

    assert await other.load() == MEMORY


def test_a_second_hunter_takes_over_and_the_first_one_ends(site: Site) -> None:
    (site.folder / "ledger").mkdir()
    first, _ = site.start_hunter()
    second, _ = site.start_hunter()
    site.send("indicators", indicator())
    until(lambda: not first.runs)

    assert "Another hunter has taken over" in first.launch.log.read_text(encoding="utf-8")
    assert "Traceback" not in first.launch.log.read_text(encoding="utf-8")
    assert second.runs
