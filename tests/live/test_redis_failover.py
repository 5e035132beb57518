"""A real Valkey whose replica takes over, and every way to refuse that Redis has: nothing that was written is lost."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from models.detection.episodes import Subject
from streams.ledger.progress import LedgerProgress
from streams.local.ports import LOOPBACK, any_free_port
from streams.local.process import Launch, ProcessId, Server
from streams.local.valkey import answers, find_valkey
from streams.redis.answers import FAILURES, RedisRefusedError, answered, code_of
from streams.redis.client import Redis
from streams.settings import Settings
from streams.worker.checkpoint import Checkpoints
from tests.strategies import ANN, BO
from tests.valkeys import Valkey, ValkeyCluster, follows, guarded

Watch = Callable[[ProcessId], None]
PASSWORD = secrets.token_hex(8)


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    """What ends the servers together with the tests."""
    with guarded() as watch:
        yield watch


@pytest.fixture
def pair(watch: Watch, tmp_path: Path) -> Iterator[tuple[Valkey, Valkey]]:
    """A primary and its replica."""
    primary, replica = Valkey.at(tmp_path, watch), Valkey.at(tmp_path, watch)
    follow(replica, primary)
    yield primary, replica
    primary.server.kill()
    replica.server.kill()


@pytest.fixture
def alone(watch: Watch, tmp_path: Path) -> Iterator[Valkey]:
    """One server that a test may break."""
    valkey = Valkey.at(tmp_path, watch)
    yield valkey
    valkey.server.kill()


def follow(replica: Valkey, primary: Valkey) -> None:
    """Make a server the replica of another, and wait until it has everything."""
    replica.ask("REPLICAOF", LOOPBACK, primary.port)
    ValkeyCluster.wait_for(partial(follows, replica))


@pytest_asyncio.fixture
async def of() -> AsyncIterator[Callable[[str], Checkpoints]]:
    """The checkpoints of a worker at a URL."""
    made: list[Checkpoints] = []

    def checkpoints(url: str) -> Checkpoints:
        made.append(Checkpoints(Settings(redis=url)))
        return made[-1]

    yield checkpoints
    for each in made:
        await each.close()


async def write(checkpoints: Checkpoints, held: Any, offset: int) -> None:
    """Write the next checkpoint of a partition."""
    held.partition.subjects |= {ANN: Subject(), BO: Subject()}
    held.advance("calls", offset)
    await asyncio.wait_for(checkpoints.write(held, LedgerProgress(), [ANN, BO]), 20)


async def test_the_worker_goes_over_to_a_promoted_replica_and_back(
    pair: tuple[Valkey, Valkey], of: Callable[[str], Checkpoints]
) -> None:
    checkpoints = of(f"redis://{pair[0].address},{pair[1].address}/0")
    held = await checkpoints.load(0)
    offset = 0
    for primary, replica in (pair, pair[::-1]):
        for _ in range(3):
            offset += 10
            await write(checkpoints, held, offset)
        assert primary.ask("WAIT", 1, 5000) == 1
        replica.ask("REPLICAOF", "NO", "ONE")
        primary.ask("REPLICAOF", LOOPBACK, replica.port)

        offset += 10
        await write(checkpoints, held, offset)
        found = await checkpoints.load(0)
        assert (found.offsets, found.stored.version) == ({"calls": offset}, held.stored.version)
        ValkeyCluster.wait_for(partial(follows, primary))


async def test_a_replica_is_neither_read_nor_written(
    pair: tuple[Valkey, Valkey], of: Callable[[str], Checkpoints]
) -> None:
    """Its state may be an old one."""
    replica = pair[1]
    checkpoints = of(f"redis://{replica.address}/0")
    loading = asyncio.create_task(checkpoints.load(0))
    await asyncio.sleep(0.5)
    assert not loading.done()

    replica.ask("REPLICAOF", "NO", "ONE")
    assert (await asyncio.wait_for(loading, 10)).offsets == {}


@pytest.fixture
def sentinel(watch: Watch, pair: tuple[Valkey, Valkey], tmp_path: Path) -> Iterator[Valkey]:
    """A Sentinel, without a password, that watches the pair, with a password, under the name city."""
    primary, replica = pair
    for each in pair:
        each.ask("CONFIG SET", "primaryauth", PASSWORD, "requirepass", PASSWORD)
    port = any_free_port()
    (tmp_path / "sentinel.conf").write_text(
        f"port {port}\nbind {LOOPBACK}\nsentinel monitor city {LOOPBACK} {primary.port} 1\n"
        f"sentinel auth-pass city {PASSWORD}\nsentinel down-after-milliseconds city 500\n"
        "sentinel failover-timeout city 3000\n"
    )
    command = (str(find_valkey()), "sentinel.conf", "--sentinel")
    launch = Launch("Sentinel", command, tmp_path, tmp_path / "sentinel.log", partial(answers, port))
    sentinel = Valkey(port, Server(launch, watch))
    sentinel.server.start()
    sentinel.server.wait()
    ValkeyCluster.wait_for(lambda: str(replica.port) in str(sentinel.ask("SENTINEL REPLICAS", "city")))
    yield sentinel
    sentinel.server.kill()


async def test_sentinel_leads_the_worker_to_the_new_primary(
    pair: tuple[Valkey, Valkey], sentinel: Valkey, of: Callable[[str], Checkpoints]
) -> None:
    checkpoints = of(f"redis+sentinel://:{PASSWORD}@{sentinel.address}/city")
    held = await checkpoints.load(0)
    await write(checkpoints, held, 10)
    await asyncio.sleep(0.2)  # for the replica

    pair[0].server.kill()
    await write(checkpoints, held, 20)
    found = await checkpoints.load(0)
    assert (found.offsets, set(found.partition.subjects)) == ({"calls": 20}, {ANN, BO})


async def test_a_sentinel_without_the_name_of_a_primary_is_refused_in_one_sentence(sentinel: Valkey) -> None:
    settings = Settings(redis=f"redis://{sentinel.address}/0")
    client = Redis(settings)
    with pytest.raises(RedisRefusedError, match=r"is a Sentinel: write FOREWARN_REDIS as redis\+sentinel://"):
        await answered(client.ping, settings)


def full(valkey: Valkey) -> None:
    """Leave no memory for writes."""
    valkey.ask("CONFIG SET", "maxmemory", 1)


def empty_again(valkey: Valkey) -> None:
    """Give the memory back."""
    valkey.ask("CONFIG SET", "maxmemory", 0)


def without_replicas(valkey: Valkey) -> None:
    """Refuse writes that no replica would get."""
    valkey.ask("CONFIG SET", "min-replicas-to-write", 1)


def content(valkey: Valkey) -> None:
    """Take writes without a replica."""
    valkey.ask("CONFIG SET", "min-replicas-to-write", 0)


@pytest.mark.parametrize(("breaks", "mends"), [(full, empty_again), (without_replicas, content)])
async def test_a_write_waits_until_somebody_mends_redis(
    alone: Valkey, of: Callable[[str], Checkpoints], breaks: Callable[[Valkey], None], mends: Callable[[Valkey], None]
) -> None:
    checkpoints = of(f"redis://{alone.address}/0")
    held = await checkpoints.load(0)
    await write(checkpoints, held, 10)
    breaks(alone)
    writing = asyncio.create_task(write(checkpoints, held, 20))
    await asyncio.sleep(0.5)
    assert not writing.done()

    mends(alone)
    await writing
    assert (await checkpoints.load(0)).offsets == {"calls": 20}


async def test_a_write_waits_for_the_end_of_a_script_that_runs_long(
    alone: Valkey, of: Callable[[str], Checkpoints]
) -> None:
    checkpoints = of(f"redis://{alone.address}/0")
    held = await checkpoints.load(0)
    alone.ask("CONFIG SET", "busy-reply-threshold", 50)
    script = asyncio.create_task(asyncio.to_thread(alone.ask, "EVAL", "for i = 1, 3e8 do end return 1", 0))
    await asyncio.sleep(0.3)
    assert await refusal(alone) == "BUSY"

    await write(checkpoints, held, 10)
    assert await script == 1
    assert (await checkpoints.load(0)).offsets == {"calls": 10}


async def refusal(valkey: Valkey) -> str:
    """The first word by which a server refuses a command now."""
    client = Redis(Settings(redis=f"redis://{valkey.address}/0"))
    try:
        await client.get("x")
    except FAILURES as error:
        return code_of(error)
    finally:
        await client.aclose()
    return ""


@pytest.mark.parametrize(
    ("rules", "password", "says"),
    [
        (("on", ">right", "allkeys", "allcommands"), "wrong", "refuses the login"),
        (("on", ">right", "allkeys", "+@connection", "+@read"), "right", "does not let the user"),
    ],
)
async def test_what_waiting_cannot_mend_is_refused_in_one_sentence(
    alone: Valkey, of: Callable[[str], Checkpoints], rules: tuple[str, ...], password: str, says: str
) -> None:
    alone.ask("ACL SETUSER", "forewarn", *rules)
    checkpoints = of(f"redis://forewarn:{password}@{alone.address}/0")
    with pytest.raises(RedisRefusedError, match=says) as refused:
        await write(checkpoints, await checkpoints.load(0), 10)
    assert password not in str(refused.value)


async def test_a_state_is_whole_though_the_server_restarts_while_it_is_read(
    alone: Valkey, of: Callable[[str], Checkpoints], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cursor means another place to a server that has restarted or was a replica."""
    checkpoints = of(f"redis://{alone.address}/0")
    held = await checkpoints.load(0)
    people = [f"86100{number:08}" for number in range(20_000)]
    held.partition.subjects |= dict.fromkeys(people, Subject())
    held.advance("calls", 10)
    await checkpoints.write(held, LedgerProgress(), people)
    hscan, pages = checkpoints._redis.hscan, itertools.count()

    async def restarting(*arguments: Any, **options: Any) -> Any:
        if next(pages) == 2:
            await asyncio.to_thread(alone.server.restart)
        return await hscan(*arguments, **options)

    monkeypatch.setattr(checkpoints._redis, "hscan", restarting)

    assert set((await checkpoints.load(0)).partition.subjects) == set(people)
