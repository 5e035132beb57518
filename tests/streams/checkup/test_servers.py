"""Servers: what Kafka, Redis, the disks and the programs say of themselves, judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streams.checkup.brokers import in_sync
from streams.checkup.machine import room
from streams.checkup.programs import agreeing
from streams.checkup.redis_servers import apart, keeping
from streams.overview.scrape import Scrape
from streams.overview.summing import overview
from streams.setting_values import Address, Target
from tests.overviews import demo_day, saying

KEPT: dict[str, Any] = {"maxmemory": 0, "used_memory": 10, "aof_enabled": 1, "aof_last_write_status": "ok"}


def partition(leader: int = 1, replicas: int = 3, in_sync: int = 3) -> dict[str, Any]:
    """A partition as Kafka describes it."""
    return {
        "partition_index": 4,
        "leader_id": leader,
        "replica_nodes": [*range(replicas)],
        "isr_nodes": [*range(in_sync)],
    }


@pytest.mark.parametrize(
    ("parts", "brokers", "state", "words"),
    [
        (
            [partition(), partition()],
            3,
            "good",
            "each partition (2) has a leader, and 3 or more replicas, all in sync",
        ),
        ([partition(replicas=1, in_sync=1)], 1, "good", "each partition (1)"),
        ([partition(), partition(replicas=1, in_sync=1)], 3, "look", "one of 3 brokers only"),
        ([partition(), partition(in_sync=2)], 3, "look", "a replica of calls 4 is not in sync"),
        ([partition(in_sync=2), partition(in_sync=1)], 3, "look", "calls 4 and 1 more"),
        ([partition(leader=-1, in_sync=0), partition(in_sync=2)], 3, "bad", "no broker leads calls 4"),
    ],
)
def test_replicas_are_judged_by_the_worst(parts: list[dict[str, Any]], brokers: int, state: str, words: str) -> None:
    """On one broker there cannot be more than one replica."""
    (found,) = in_sync([{"name": "calls", "partitions": parts}], brokers)

    assert (found.state, words in found.says) == (state, True)


@pytest.mark.parametrize(
    ("said", "states", "words"),
    [
        ({}, [], ""),
        ({"aof_enabled": 0}, ["look"], "set appendonly yes"),
        ({"aof_last_write_status": "err"}, ["bad"], "make room on its disk"),
        ({"aof_enabled": 0, "rdb_last_bgsave_status": "err"}, ["bad", "look"], "make room"),
        ({"maxmemory": 11, "maxmemory_policy": "noeviction"}, ["look"], "uses 91% of its memory"),
        ({"maxmemory": 11, "maxmemory_policy": "allkeys-lru"}, ["bad"], "drops keys"),
    ],
)
def test_what_redis_would_lose_is_told(said: dict[str, Any], states: list[str], words: str) -> None:
    """Also when only one of several servers would lose it."""
    found = [*keeping([KEPT, KEPT | said])]

    assert [each.state for each in found] == states
    assert words in "".join(each.says for each in found)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([100.4], "have the same time"),
        ([100.4, 105.0], "4 s ahead of this machine's"),
        ([90.0, 101.0], "10 s behind this machine's"),
    ],
)
def test_clocks_are_compared_by_the_furthest(times: list[float], words: str) -> None:
    """The servers were asked between the times 100 and 101 of this machine."""
    (found,) = apart(100.0, times, 101.0)

    assert words in found.says


@pytest.mark.parametrize(("free", "state"), [(0.5, "good"), (0.09, "look"), (0.01, "bad")])
def test_a_disk_is_told_before_it_is_full(free: float, state: str) -> None:
    """The fullest disk counts."""
    (found,) = room({Path("/ledger"): 0.9, Path("/audit"): free})

    assert found.state == state
    assert ("/audit" in found.says) == (state != "good")


def test_programs_of_one_version_are_well() -> None:
    """Those that are away are not spoken of."""
    _, (worker, hunter, *_) = demo_day()
    found = [*agreeing(overview((), (worker, Scrape(hunter.target, hunter.at, away="connection refused"))))]

    assert [(each.part, each.state) for each in found] == [("versions", "good"), ("feeds", "good")]
    assert found[0].says.startswith("all that answer (1) run Forewarn 0.1.0, policy ")


def test_other_versions_and_silent_feeds_are_told_with_their_places() -> None:
    """Whoever reads it knows where to go."""
    _, (worker, *_) = demo_day()
    quiet = f'forewarn_source_time_seconds{{topic="calls",source="(none)"}} {worker.at - 900}\n'
    lines = 'forewarn_build_info{version="0.2.0"} 1\n' + quiet
    worker = saying(worker, quiet)
    other = replace(saying(worker, lines), target=Target("worker", Address("10.0.0.2", 8890)))
    found = [*agreeing(overview((), (worker, other)))]

    assert [(each.part, each.state) for each in found] == [("versions", "look"), ("feeds", "look")]
    assert "0.1.0: worker at 127.0.0.1:8890; 0.2.0: worker at 10.0.0.2:8890" in found[0].says
    assert "no record of calls has come from (none) for 15 min" in found[1].says


def test_nothing_is_said_of_programs_when_none_answers() -> None:
    _, (worker, *_) = demo_day()

    assert [*agreeing(overview((), (Scrape(worker.target, worker.at, away="connection refused"),)))] == []
