"""A ledger on a full disk: no event is acknowledged or lost, alerts continue, and all resumes once there is space."""

from __future__ import annotations

import asyncio
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.filling import fill
from bench.records import BEGIN, fraud_numbers, made
from streams.kafka.contracts import open_admin
from streams.ledger.storage import Storage
from streams.local.worker import metric
from tests.chaos.ground import PARTITIONS
from tests.site import FRAUD, Site, applied, call, indicator, until

EVENTS = 30_000


@pytest.fixture
def small_disk(site: Site) -> Iterator[Path]:
    """A disk of 100 kB for the site's ledger."""
    if os.geteuid():
        pytest.skip("mounting a small disk needs root")
    folder = Path(site.environ["FOREWARN_LEDGER"])
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)], check=True)
    yield folder
    site.stop()
    subprocess.run(["umount", str(folder)], check=True)


def committed(site: Site) -> int:
    """How many calls and SMS are committed in Kafka."""
    group = site.settings.topic_prefix + site.settings.group
    with open_admin(site.settings) as admin:
        found = admin.list_group_offsets({group: None})[group]
    return sum(at.offset for tp, at in found.items() if not tp.topic.endswith("signals"))


def waiting_for(http: str) -> str:
    """What the worker reports to be waiting for."""
    try:
        with urllib.request.urlopen(f"http://{http}/readyz", timeout=5) as answer:
            return str(answer.read())
    except urllib.error.HTTPError as error:
        return str(error.read())


def recorded(site: Site) -> int:
    """How many offsets the ledger covers, each once."""
    storage = Storage(replace(site.settings, ledger=site.environ["FOREWARN_LEDGER"]))
    return sum(each.calls[1] - each.calls[0] + each.sms[1] - each.sms[0] for each in storage.segments())


def test_nothing_is_lost_and_people_are_warned_while_the_disk_is_full(site: Site, small_disk: Path) -> None:
    site.send("indicators", indicator())
    worker, http = site.start_worker()
    asyncio.run(fill(site.settings, made(EVENTS, fraud_numbers(10), ["x.top"]), PARTITIONS, lambda count: None))
    applied(http, EVENTS)
    until(lambda: "ledger" in waiting_for(http))
    assert committed(site) < EVENTS

    site.send("calls", call("8610000000001", BEGIN + 10_000_000, FRAUD))
    until(lambda: any(alert["subscriber"] == "8610000000001" for alert in site.alerts()))
    assert metric(http, "forewarn_ledger_waiting_rows") > 0
    said = worker.launch.log.read_text()
    assert "the ledger cannot be written" in said
    assert "Traceback" not in said

    subprocess.run(["mount", "-o", "remount,size=50m", str(small_disk)], check=True)
    until(lambda: committed(site) == EVENTS + 1)
    assert recorded(site) == EVENTS + 1
    assert '"ready": true' in waiting_for(http)


def test_a_worker_with_a_full_disk_stops_in_time_and_the_next_one_records_all(site: Site, small_disk: Path) -> None:
    worker, http = site.start_worker()
    asyncio.run(fill(site.settings, made(EVENTS, fraud_numbers(10), ["x.top"]), PARTITIONS, lambda count: None))
    applied(http, EVENTS)
    until(lambda: "ledger" in waiting_for(http))
    assert worker.stop() == 0
    assert recorded(site) < EVENTS

    subprocess.run(["mount", "-o", "remount,size=50m", str(small_disk)], check=True)
    site.start_worker()
    until(lambda: committed(site) == EVENTS)
    assert recorded(site) == EVENTS
