"""Scenarios: the stored state does not fit. A part of it is gone, or it belongs to topics that were made anew."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import redis
from kafka.admin import KafkaAdminClient

from bench.filling import fill
from bench.pipeline import ends
from streams.kafka.indicator_topic import publish
from streams.local.process import Server
from streams.local.worker import FOREWARN
from tests.chaos.city import City
from tests.chaos.ground import PARTITIONS, Ground
from tests.chaos.trial import SAME_MEMBER, Finding, Trial
from tests.site import until

LOST = 3
"""Each so-manieth subject of every partition is lost."""

ENDS_WITHIN_S = 60.0


def half_restored(ground: Ground) -> Finding:
    """Subjects are missing in Redis: a running worker is refused, and the state is dropped as the message advises."""
    with ground.trial("half-restored") as trial:
        worker = trial.start(SAME_MEMBER, wait=True)
        trial.reach(trial.events // 4)
        lost = _lose_subjects(trial)
        _refused(trial, worker, "a part of the state is gone")
        _refused(trial, trial.start(SAME_MEMBER), "forewarn state drop")
        began = time.monotonic()
        _forewarn(trial, "state", "drop", "--partition", "all", "--yes")
        trial.start(SAME_MEMBER)
        trial.reach(1)
        trial.recovered.append(time.monotonic() - began)
        return trial.finding(
            "Redis restored in part",
            1,
            f"{lost:,} subjects were gone; the worker was refused twice, and `forewarn state drop` was the way on",
        )


def made_anew(ground: Ground, events: int) -> Finding:
    """`calls` and `sms` are deleted and made anew under a running worker, with more records than it had read."""
    here = replace(ground.beside("anew."), city=City(events, min(events // 20_000, 60)))
    records = here.city.records()
    asyncio.run(publish(here.settings, here.city.indicators()))
    asyncio.run(fill(here.settings, islice(records, events // 3), PARTITIONS, lambda count: None))
    here.ends = ends(here.settings)
    here.expected, here.refused = frozenset(here.city.alerts()), frozenset(here.city.broken())
    with here.trial("made-anew") as trial:
        worker = trial.start(SAME_MEMBER, wait=True)
        trial.finish()
        _make_anew(here, ("calls", "sms"))
        asyncio.run(fill(here.settings, records, PARTITIONS, lambda count: None))
        _ended(trial, worker)  # perhaps with the sentence that the topics were missing at that moment
        _refused(trial, trial.start(SAME_MEMBER), "forewarn state rewind")
        trial.ends = ends(here.settings)
        began = time.monotonic()
        _forewarn(trial, "state", "rewind", "--yes")
        trial.start(SAME_MEMBER)
        trial.reach(1)
        trial.recovered.append(time.monotonic() - began)
        return trial.finding(
            "`calls` and `sms` deleted and made anew",
            1,
            "the running worker ended with a clear message, and `forewarn state rewind` was the way on",
        )


def _lose_subjects(trial: Trial) -> int:
    settings, lost = trial.site.settings, 0
    with redis.Redis.from_url(settings.redis) as client:
        for key in client.scan_iter(f"{{forewarn:{settings.topic_prefix}{settings.group}:*}}:subjects"):
            some = client.hkeys(key)[::LOST]
            lost += int(client.hdel(key, *some)) if some else 0
    assert lost, "nothing was stored yet"
    return lost


def _refused(trial: Trial, worker: Server, said: str) -> None:
    """Wait until a worker has ended with this sentence."""
    words = _ended(trial, worker)
    assert said in words, words[-500:]


def _ended(trial: Trial, worker: Server) -> str:
    """The log of a worker, once it has ended; there is no traceback in it."""
    trial.let_go(worker)
    until(lambda: not worker.runs, ENDS_WITHIN_S)
    words = worker.launch.log.read_text(errors="replace")
    assert "Traceback" not in words
    return words


def _make_anew(ground: Ground, topics: Sequence[str]) -> None:
    names = [ground.settings.topic(topic) for topic in topics]
    with KafkaAdminClient(bootstrap_servers=ground.settings.kafka) as admin:
        admin.delete_topics(names)
        until(lambda: not set(names) & set(admin.list_topics()))
    ground.create_topics()


def _forewarn(trial: Trial, *arguments: str) -> None:
    """Run one of the commands on the trial's site, as the worker's message advises."""
    done = subprocess.run(
        [*FOREWARN, *arguments], env=os.environ | trial.site.environ, capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr
