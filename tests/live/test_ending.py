"""Ending: a worker that failed or was told to stop is gone within seconds, whatever hangs in it."""

from __future__ import annotations

import sys

import redis

from streams.local.process import Server
from tests.site import Site, applied, call, until

AT = 1_773_625_200_000


def working(site: Site) -> Server:
    """A worker that will not end by itself, and has applied a record."""
    site.command = (sys.executable, "-m", "tests.live.hanging_worker")
    worker, http = site.start_worker()
    site.send("calls", call("8610000000001", AT))
    applied(http, 1)
    return worker


def test_a_worker_that_was_refused_is_gone_though_its_consumer_hangs(site: Site) -> None:
    worker = working(site)
    with redis.Redis.from_url(site.settings.redis) as client:
        keys = f"*{site.settings.topic_prefix}{site.settings.group}:*"
        client.delete(*until(lambda: [*client.scan_iter(keys)]))  # the worker writes after counting the record
    site.send("calls", call("8610000000001", AT + 60_000, id="c2"))
    until(lambda: not worker.runs, 15)
    said = worker.launch.log.read_text()
    assert "Redis refused the checkpoint" in said
    assert "ended by force" in said
    assert "8610000000001" not in said


def test_a_worker_that_is_told_to_stop_is_gone_though_its_consumer_hangs(site: Site) -> None:
    worker = working(site)
    worker.ask_to_stop()
    until(lambda: not worker.runs, 15)
    assert "it was told to stop" in worker.launch.log.read_text()
