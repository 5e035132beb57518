"""A real cluster of three Valkeys: state, counts, sessions and attempts live there, and survive that keys move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import numpy as np
import pytest
import pytest_asyncio

from models.access.rights import user
from models.detection.episodes import Subject
from models.indicators.matching import Indicators
from models.lookback.campaigns import Campaign
from models.lookback.recipients import Sending
from models.policy.policy import CampaignRules
from streams.access.accounts import UserAccount
from streams.access.attempts import Attempts, Limits, TooManyAttemptsError
from streams.access.sessions import Sessions
from streams.access.store import Store
from streams.checkup import redis_servers
from streams.hunter.pivoting import RedisRecipients
from streams.hunter.sightings import Sightings
from streams.hunter.spreading import Spreading
from streams.ledger.progress import LedgerProgress
from streams.redis.answers import RedisRefusedError, answered
from streams.redis.client import Redis
from streams.settings import Settings
from streams.worker.checkpoint import Checkpoints, StaleCheckpointError
from tests.strategies import ANN, BO
from tests.valkeys import Valkey, ValkeyCluster, guarded, id_of

AT = 1_773_626_400_000
"""The start of an hour."""
RULES = CampaignRules(recipients=100, resembling=20, fresh_hours=48, well_known=[])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyCluster]:
    """Three primaries without replicas."""
    with guarded() as watch:
        cluster = ValkeyCluster(tmp_path_factory.mktemp("cluster"), watch)
        yield cluster
        cluster.stop()


@pytest.fixture
def settings(cluster: ValkeyCluster, topic_prefix: str) -> Settings:
    """A site on the cluster; its URL names only one of the servers."""
    return Settings(redis=f"redis://{cluster.valkeys[0].address}/0", topic_prefix=topic_prefix)


@pytest_asyncio.fixture
async def checkpoints(settings: Settings) -> AsyncIterator[Checkpoints]:
    """The checkpoints of a worker."""
    checkpoints = Checkpoints(settings)
    yield checkpoints
    await checkpoints.close()


async def test_each_partition_comes_back_from_the_server_that_it_lies_on(
    cluster: ValkeyCluster, settings: Settings, checkpoints: Checkpoints
) -> None:
    for number in range(16):
        held = await checkpoints.load(number)
        held.partition.subjects[ANN] = Subject()
        held.advance("calls", 100 + number)
        await checkpoints.write(held, LedgerProgress(), [ANN])
    late = await checkpoints.load(3)
    held = await checkpoints.load(3)
    held.advance("calls", 200)
    await checkpoints.write(held, LedgerProgress(), [ANN])

    found = [await checkpoints.load(number) for number in range(16)]
    assert [each.offsets["calls"] for each in found] == [200 if number == 3 else 100 + number for number in range(16)]
    assert all(set(each.partition.subjects) == {ANN} for each in found)
    assert len({cluster.primary_of(checkpoints._keys(number)[0]) for number in range(16)}) == 3
    with pytest.raises(StaleCheckpointError, match="version 2 stored, 1 expected"):
        await checkpoints.write(late, LedgerProgress())


async def test_a_partition_is_written_while_its_keys_move_to_a_new_server(
    cluster: ValkeyCluster, checkpoints: Checkpoints
) -> None:
    meta, subjects = checkpoints._keys(0)
    held = await checkpoints.load(0)
    held.partition.subjects |= {ANN: Subject(), BO: Subject()}
    held.advance("calls", 10)
    await checkpoints.write(held, LedgerProgress(), [ANN, BO])
    source = cluster.primary_of(meta)
    assert source is not None
    target = cluster.add()
    slot = source.ask("CLUSTER KEYSLOT", meta)
    target.ask("CLUSTER SETSLOT", slot, "IMPORTING", id_of(source))
    source.ask("CLUSTER SETSLOT", slot, "MIGRATING", id_of(target))

    _move(source, target, meta)
    held.advance("calls", 20)
    writing = asyncio.create_task(checkpoints.write(held, LedgerProgress()))
    await asyncio.sleep(0.5)
    assert not writing.done(), "one key is here and the other there: the cluster says TRYAGAIN"
    _move(source, target, subjects)
    await asyncio.wait_for(writing, 10)
    assert (await checkpoints.load(0)).offsets == {"calls": 20}
    for valkey in (target, source, *cluster.valkeys):
        valkey.ask("CLUSTER SETSLOT", slot, "NODE", id_of(target))
    held.advance("calls", 30)
    await checkpoints.write(held, LedgerProgress())

    found = await checkpoints.load(0)
    assert (found.offsets, set(found.partition.subjects), found.stored.version) == ({"calls": 30}, {ANN, BO}, 3)
    assert cluster.primary_of(meta) is target


def _move(source: Valkey, target: Valkey, key: str) -> None:
    source.ask("MIGRATE", "127.0.0.1", target.port, key, 0, 5000)


def brought(value: str, begin: int, end: int) -> Sightings:
    """An SMS with a domain to each of these people, one every ten seconds."""
    people = np.arange(begin, end)
    times = AT + people * 10_000
    return Sightings("domain", value, people, people, times, [f"m{at}" for at in people], np.full(len(people), 7))


async def campaigns(settings: Settings, seen: Sequence[Sightings]) -> list[Campaign]:
    """The campaigns that a hunter would publish after two parts of what was seen."""
    client = Redis(settings)
    spreading = Spreading(settings, client, Indicators([]))
    told = []
    for some in (seen[:1], seen[1:], seen):
        told += await spreading.take(some, RULES, {})
        await spreading.remember()
    await client.aclose()
    return told


async def test_a_hunter_counts_on_a_cluster_as_on_one_server(settings: Settings, valkey: str) -> None:
    seen = [brought(f"loan-{number}.top", 0, 150 + 40 * number) for number in range(5)]
    alone = Settings(redis=valkey, topic_prefix=settings.topic_prefix)

    told = await campaigns(settings, seen)
    assert told
    assert told == await campaigns(alone, seen)


async def test_people_reached_by_a_number_are_counted_on_a_cluster(settings: Settings) -> None:
    client = Redis(settings)
    counting = RedisRecipients(settings, client)
    sendings = [Sending(f"evil-{number}.top", 7, person, 0) for number in range(20) for person in range(number + 1)]

    assert sorted((await counting.add(sendings)).values()) == list(range(1, 21))
    await client.aclose()


async def test_sessions_and_failed_attempts_live_on_a_cluster(settings: Settings) -> None:
    store = Store(settings)
    sessions, attempts = Sessions(store, settings), Attempts(store, Limits(of_name=2))
    account = UserAccount(user("li.wei", "officer", "ps-0101"), "hash", "stamp")

    tokens = [await sessions.begin(account) for _ in range(8)]
    assert [found.name for found in [await sessions.find(token) for token in tokens] if found] == ["li.wei"] * 8
    await sessions.end(tokens[0])
    assert await sessions.end_all("li.wei") == 7
    assert [await sessions.find(token) for token in tokens] == [None] * 8
    for _ in range(2):
        await attempts.take("li.wei", "10.1.2.3")
    with pytest.raises(TooManyAttemptsError):
        await attempts.take("li.wei", "10.1.2.3")
    await store.close()


async def test_a_database_other_than_0_is_refused_in_one_sentence(cluster: ValkeyCluster) -> None:
    settings = Settings(redis=f"redis://{cluster.valkeys[0].address}/3")
    client = Redis(settings)
    with pytest.raises(RedisRefusedError, match="is a cluster, which has only the database 0: end FOREWARN_REDIS"):
        await answered(client.ping, settings)


def test_doctor_says_what_redis_is(settings: Settings) -> None:
    (finding,) = redis_servers.redis(settings)
    assert finding.state == "good"
    assert "a cluster of" in finding.says
