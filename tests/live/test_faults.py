"""Faults: the scenarios of ``make chaos`` in short form; whatever happens, no alert is lost and none is wrong.

What has live tests of its own is not repeated here: a killed worker and an emptied Redis (`test_recovery`), another
primary (`test_redis_failover`, `test_redis_cluster`), a killed console (`test_console`), carriers' transactions, wrong
clocks, and state that is gone in part or belongs to another log.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.local.stack import LocalStack
from tests.chaos import (
    changes,
    cuts,
    dispatching,
    growing,
    load,
    poison,
    publishing,
    servers,
    workers,
)
from tests.chaos.city import City
from tests.chaos.ground import Ground
from tests.chaos.trial import SAME_MEMBER, Finding
from tests.site import Site, call, indicator, last_words, until

SLOW = 0.25
"""Seconds of rest after each hundredth of a second of work, so that a short backlog lasts."""


@pytest.fixture(scope="module")
def ground(own_stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """A short backlog on servers that may be broken; every test leaves them running."""
    ground = Ground(own_stack, City(400_000, 20), tmp_path_factory.mktemp("trials"))
    ground.prepare()
    return ground


def holds(finding: Finding) -> Finding:
    """Assert that nothing is lost and nothing is wrong."""
    assert finding.expected
    assert (finding.lost, finding.wrong, finding.letters_lost) == (0, 0, 0), finding
    return finding


def test_a_worker_that_is_told_to_stop(ground: Ground) -> None:
    holds(workers.orderly_stops(ground, 2))


def test_a_zombie(ground: Ground) -> None:
    holds(workers.zombies(ground, 1, SLOW))


@pytest.fixture(scope="module")
def checkpoint_awaits(ground: Ground) -> list[str]:
    """Where the scorer waits while it publishes and writes the checkpoint."""
    return [place for place in cuts.awaits(ground) if "apply.checkpoint." in place]


def test_a_power_cut_around_the_checkpoint_and_around_publishing(ground: Ground, checkpoint_awaits: list[str]) -> None:
    assert holds(cuts.cuts(ground, checkpoint_awaits)).times == 4


def test_valkey_killed_and_its_last_second_lost(ground: Ground) -> None:
    holds(servers.valkey_kills(ground, 1))


def test_topics_that_are_given_more_partitions(ground: Ground) -> None:
    assert holds(growing.topics_grown(ground, 2, 50)).times == 2


def test_a_killed_dispatcher(ground: Ground) -> None:
    assert holds(dispatching.dispatcher_kills(ground, 3, 300)).repeated == 0


def test_valkey_frozen(ground: Ground) -> None:
    holds(servers.valkey_pauses(ground, 1, 3.0))


def test_the_broker_killed(ground: Ground) -> None:
    holds(servers.broker_kills(ground, 1))


def test_the_broker_unreachable(ground: Ground) -> None:
    holds(servers.broker_pauses(ground, 1, 6.0))


def test_alerts_refused(ground: Ground) -> None:
    holds(publishing.refused(ground, 1))


def test_the_topic_of_the_alerts_gone(ground: Ground) -> None:
    holds(publishing.topic_gone(ground, 1))


def test_indicators_that_change(ground: Ground) -> None:
    holds(changes.changing_indicators(ground, 1))


def test_poison(ground: Ground) -> None:
    holds(poison.poison(ground, 5000))


def test_a_backlog_of_one_partition(ground: Ground) -> None:
    holds(load.backlog(ground, 100_000, 1000))


def test_a_start_with_open_episodes(ground: Ground) -> None:
    holds(load.recovery(ground, 2000, 1))


@pytest.fixture
def cut_site(ground: Ground, tmp_path: Path) -> Iterator[Site]:
    """A separate site with empty topics, whose workers can be cut off at a chosen place."""
    site = Site(ground.beside(f"{tmp_path.name}.").settings, tmp_path, watch=ground.stack.watch)
    site.command = cuts.COMMAND
    yield site
    site.stop()


def test_an_alert_that_was_just_published_is_withdrawn_though_its_indicator_was_gone_at_the_next_start(
    cut_site: Site, checkpoint_awaits: list[str]
) -> None:
    publishing_place = next(place for place in checkpoint_awaits if "apply.checkpoint.publish" in place)
    cut_site.send("indicators", indicator())
    worker, _ = cut_site.start_worker(True, CHAOS_CUT=f"{publishing_place} after 1", **SAME_MEMBER)
    cut_site.send("calls", call("8610000000001", 1_773_625_200_000))
    until(lambda: not worker.runs)
    assert [alert["status"] for alert in cut_site.alerts()] == ["raised"]
    cut_site.send("indicators", indicator(revoked=True))
    cut_site.start_worker(False, CHAOS_CUT="nowhere after 1", **SAME_MEMBER)
    words = until(lambda: [word for word in last_words(cut_site.alerts()).values() if word["status"] == "withdrawn"])
    assert len(words) == 1, json.dumps(words)
