"""Scenario: primaries of a Valkey cluster are killed, and replicas that lack their newest writes take over."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial

from bench.pipeline import meta_key
from tests.chaos.ground import PARTITIONS, Ground
from tests.chaos.servers import moments
from tests.chaos.trial import LOOK_EVERY, PATIENCE, Finding, Trial
from tests.valkeys import Valkey, ValkeyCluster, follows

Offsets = Mapping[tuple[str, int], int]


def failovers(ground: Ground, times: int) -> Finding:
    """A replica is away while its primary confirms checkpoints, and takes over when the primary is killed."""
    chance = random.Random(7)
    cluster = ValkeyCluster(ground.folder / "cluster", ground.stack.watch, replicas=1)
    try:
        with replace(ground, redis=cluster.url).trial("failovers") as trial, trial.slowed(0.02) as slowed:
            trial.start()
            forgotten = 0
            for moment in moments(trial, times, seed=7):
                slowed.update(trial.kept)
                while trial.progress() < moment or not trial.begun:
                    trial.reach(trial.progress() + 1)
                key = meta_key(trial.site.settings, chance.randrange(PARTITIONS))
                primary = cluster.primary_of(key)
                assert primary is not None
                replica = cluster.replica_of(primary)
                replica.server.kill()
                held = _held_by(cluster, primary, trial)
                _pass(trial, held, trial.covered())
                before = trial.covered()
                primary.server.kill()
                replica.server.start()
                cluster.wait_for(partial(cluster.serves, replica, key))
                after = _covered_after(cluster, trial, before)
                forgotten += sum(before[place] - after.get(place, 0) for place in before if place[1] in held)
                slowed.clear()
                began = time.monotonic()
                _pass(trial, held, before)
                trial.recovered.append(time.monotonic() - began)
                primary.server.start()
                cluster.wait()
                cluster.wait_for(partial(follows, primary))
            return trial.finding(
                "Valkey cluster: a replica behind its primary takes over",
                times,
                f"checkpoints of {forgotten:,} records were forgotten",
                f"the worker was refused and started again {trial.restarts} times",
            )
    finally:
        cluster.stop()


def _held_by(cluster: ValkeyCluster, primary: Valkey, trial: Trial) -> set[int]:
    """The partitions whose state a server has."""
    keys = {number: meta_key(trial.site.settings, number) for number in range(PARTITIONS)}
    return {number for number, key in keys.items() if cluster.primary_of(key) is primary}


def _covered_after(cluster: ValkeyCluster, trial: Trial, before: Offsets) -> Offsets:
    """What the checkpoints cover once the cluster answers for all of them again."""
    cluster.wait_for(lambda: trial.covered() != before)
    return trial.covered()


def _pass(trial: Trial, partitions: Collection[int], offsets: Offsets) -> None:
    """Wait until the checkpoint of each of these partitions covers more than these offsets."""
    behind, deadline = set(partitions), time.monotonic() + PATIENCE
    while behind:
        assert time.monotonic() < deadline, f"no newer checkpoints of the partitions {behind}"
        at = trial.covered()
        behind -= {number for (topic, number), offset in at.items() if offset > offsets.get((topic, number), 0)}
        trial.supervise()
        time.sleep(LOOK_EVERY)
