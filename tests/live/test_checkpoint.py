"""A partition's checkpoint in a real Valkey: it changes as a whole, and only if its writer read or wrote it last."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from redis.exceptions import ConnectionError

from models.detection.episodes import Subject
from streams.ledger.progress import LedgerProgress
from streams.settings import Settings
from streams.worker.checkpoint import CheckpointError, Checkpoints, MissingStateError, StaleCheckpointError
from streams.worker.checkpoint_format import FORMAT
from streams.worker.partition_state import Handover, PartitionState
from streams.worker.repeats import Repeats
from tests.live.conftest import Servers
from tests.strategies import ANN, BO


@pytest_asyncio.fixture
async def two(stack: Servers, topic_prefix: str) -> AsyncIterator[tuple[Checkpoints, Checkpoints]]:
    """The checkpoints of two workers of one group."""
    settings = Settings(kafka=stack.kafka, redis=stack.redis, topic_prefix=topic_prefix)
    one, other = Checkpoints(settings), Checkpoints(settings)
    yield one, other
    await one.close()
    await other.close()


async def write(checkpoints: Checkpoints, held: PartitionState, offset: int, *changed: str) -> None:
    """Store that the calls are read up to an offset, with the state of these subscribers."""
    held.advance("calls", offset)
    for subscriber in changed:
        held.partition.subjects[subscriber] = Subject()
    await checkpoints.write(held, LedgerProgress(), changed)


async def test_state_and_offsets_come_back_together(two: tuple[Checkpoints, Checkpoints]) -> None:
    one, other = two
    held = await one.load(3)
    await write(one, held, 10, ANN, BO)
    del held.partition.subjects[BO]
    held.advance("calls", 20)
    await one.write(held, LedgerProgress(), (), [BO])
    found = await other.load(3)
    assert (found.stored.version, found.offsets, set(found.partition.subjects)) == (2, {"calls": 20}, {ANN})
    assert (await other.load(4)).offsets == {}


async def test_what_the_next_owner_has_to_know_comes_back_too(two: tuple[Checkpoints, Checkpoints]) -> None:
    one, other = two
    held = await one.load(3)
    held.repeats = Repeats({"calls": 20}, {0: 7})
    held.advance("calls", 10)
    await one.write(held, LedgerProgress(), indicators={0: 4, 3: 9})
    found = await other.load(3)

    assert found.stored.handover == held.stored.handover == Handover({0: 4, 3: 9}, held.repeats)
    assert found.repeats == held.repeats


async def test_who_has_read_before_another_has_written_is_refused(two: tuple[Checkpoints, Checkpoints]) -> None:
    one, other = two
    held, late = await one.load(0), await other.load(0)
    await write(one, held, 10)
    with pytest.raises(StaleCheckpointError, match="version 1 stored, 0 expected"):
        await write(other, late, 10)


async def test_a_redis_that_went_back_and_was_written_by_another_up_to_the_same_version_refuses(
    two: tuple[Checkpoints, Checkpoints],
) -> None:
    one, other = two
    held = await one.load(0)
    await write(one, held, 100, ANN)
    await write(one, held, 200, BO)
    meta, subjects = one._keys(0)
    await one._redis.delete(meta, subjects)
    new_owner = await other.load(0)
    await write(other, new_owner, 10)
    await write(other, new_owner, 20)
    assert new_owner.stored.version == held.stored.version
    with pytest.raises(StaleCheckpointError, match="version 2 stored by another"):
        await write(one, held, 300)
    assert (await other.load(0)).offsets == {"calls": 20}


async def test_an_offset_beyond_the_first_of_the_step_is_refused(two: tuple[Checkpoints, Checkpoints]) -> None:
    one, _ = two
    held = await one.load(0)
    await write(one, held, 10)
    await one._redis.hset(one._keys(0)[0], "offset:calls", "50")
    with pytest.raises(StaleCheckpointError, match="offset 50 of calls stored, not 10"):
        await write(one, held, 60)


async def test_a_write_whose_answer_was_lost_is_not_applied_twice(
    two: tuple[Checkpoints, Checkpoints], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    held = await one.load(0)
    apply, times = one._apply, itertools.count()

    async def losing_the_first_answer(**arguments: Any) -> Any:
        answer = await apply(**arguments)
        if next(times) == 0:
            raise ConnectionError
        return answer

    monkeypatch.setattr(one, "_apply", losing_the_first_answer)
    await write(one, held, 10, ANN)
    assert (next(times), held.stored.version) == (2, 1)
    await write(one, held, 20)
    assert (await other.load(0)).stored.version == 2


async def test_the_ids_of_the_topics_come_back_with_the_offsets(two: tuple[Checkpoints, Checkpoints]) -> None:
    one, other = two
    held = await one.load(0)
    held.follow({"calls": "id-of-calls", "sms": "id-of-sms"})
    await write(one, held, 10, ANN)
    stored = (await other.load(0)).stored

    assert (stored.logs, stored.subjects, stored.format) == ({"calls": "id-of-calls"}, 1, FORMAT)


async def test_state_that_is_gone_in_part_is_refused_when_it_is_written_and_when_it_is_loaded(
    two: tuple[Checkpoints, Checkpoints],
) -> None:
    one, other = two
    held = await one.load(3)
    await write(one, held, 10, ANN, BO)
    await one._redis.hdel(one._keys(3)[1], ANN)
    with pytest.raises(MissingStateError, match="Redis holds 1 of the 2 subjects of partition 3"):
        await write(one, held, 20)
    with pytest.raises(MissingStateError, match="forewarn state drop --partition 3"):
        await other.load(3)


async def test_subjects_that_have_outlived_their_offsets_are_not_taken_for_state(
    two: tuple[Checkpoints, Checkpoints],
) -> None:
    one, other = two
    held = await one.load(0)
    await write(one, held, 10, ANN)
    await one._redis.delete(one._keys(0)[0])
    await write(other, await other.load(0), 5, BO)

    assert set((await one.load(0)).partition.subjects) == {BO}


async def test_state_of_a_newer_version_is_refused_and_left_as_it_is(two: tuple[Checkpoints, Checkpoints]) -> None:
    one, other = two
    held = await one.load(0)
    await write(one, held, 10, ANN)
    await one._redis.hset(one._keys(0)[0], "format", FORMAT + 1)

    with pytest.raises(CheckpointError, match="written by a newer version of Forewarn"):
        await other.load(0)


async def test_state_of_the_first_format_goes_on_in_the_newest(two: tuple[Checkpoints, Checkpoints]) -> None:
    one, other = two
    held = await one.load(0)
    await write(one, held, 10, ANN, BO)
    await one._redis.hdel(one._keys(0)[0], "format", "subjects", "log:calls")
    held = await other.load(0)
    before = (held.stored.format, held.stored.subjects)
    await write(other, held, 20)
    stored = (await one.load(0)).stored

    assert before == (1, None)
    assert (stored.format, stored.subjects, stored.logs) == (FORMAT, 2, {"calls": ""})
