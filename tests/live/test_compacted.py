"""Compacted topics on the real Kafka: grown by hand, with a poisoned record, and made anew; and `alerts` that grows."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import redis
from kafka.admin import KafkaAdminClient

from models.detection.alerts import encode
from streams.kafka.compacted import CompactedReader
from streams.kafka.indicator_topic import TOPIC as INDICATORS
from streams.kafka.indicator_topic import read as read_indicators
from streams.kafka.partitioning import partition_of
from streams.local.process import Server
from streams.local.worker import metric
from streams.settings import Settings
from tests.casework import alert, feedback
from tests.live.conftest import Servers
from tests.site import FRAUD, Record, Site, call, indicator, until

PEOPLE = range(1, 25)
AT = 1_773_625_200_000
NOW = int(time.time() * 1000)
"""An alert about long ago would send nobody."""


def told(number: int) -> Record:
    """The record of an alert about the person and the episode with this number."""
    found: Record = json.loads(encode(alert(episode=f"e{number}", subscriber=f"86100000{number:05d}", at=NOW)))
    return found


def said(kind: str, number: int, **more: Any) -> Record:
    """A feedback record of an action that happens now."""
    at = int(time.time() * 1000)
    record: Record = msgspec.to_builtins(feedback(kind, at, id=f"{kind}{number}", case=f"e{number}", **more))
    return {name: value for name, value in record.items() if value not in (None, "")}


def grow(site: Site, topic: str, partitions: int) -> None:
    """Give a topic more partitions, as an operator may do by hand, and wait until they are there."""
    admin = KafkaAdminClient(bootstrap_servers=site.settings.kafka)
    try:
        admin.create_partitions({site.settings.topic(topic): partitions})
        until(lambda: len(admin.describe_topics([site.settings.topic(topic)])[0]["partitions"]) == partitions)
    finally:
        admin.close()


async def newest(settings: Settings, topic: str) -> dict[str, bytes]:
    """The newest word of each key, as every program of Forewarn reads it."""
    reader = await CompactedReader.open(settings, settings.topic(topic))
    try:
        return {record.key.decode(): record.value for record in await reader.contents()}
    finally:
        await reader.close()


@pytest.fixture
def desk(stack: Servers, topic_prefix: str, tmp_path: Any) -> Iterator[Site]:
    """A site with its topics, for one test."""
    site = Site(Settings(kafka=stack.kafka, redis=stack.redis, topic_prefix=topic_prefix), tmp_path)
    site.apply_topics()
    yield site
    site.tell()
    site.stop()


async def test_closed_cases_stay_closed_in_a_topic_of_cases_that_has_grown(desk: Site) -> None:
    first, http = desk.start_dispatcher()
    desk.send("alerts", *map(told, PEOPLE))
    until(lambda: metric(http, "forewarn_open_cases") == len(PEOPLE))
    first.stop()
    grow(desk, "dispatch", 7)
    second, http = desk.start_dispatcher()
    for kind, more in (("attempt", {"means": "call", "reached": True}), ("outcome", {"outcome": "dissuaded"})):
        desk.send("dispatch-feedback", *[said(kind, number, unit="sb-01", **more) for number in PEOPLE])
    until(lambda: metric(http, "forewarn_open_cases") == 0)
    second.stop()
    _, http = desk.start_dispatcher()
    cases = {name: json.loads(value) for name, value in (await newest(desk.settings, "dispatch")).items()}

    assert metric(http, "forewarn_open_cases") == 0
    assert {case["status"] for case in cases.values()} == {"closed"}
    assert len(cases) == len(PEOPLE)


@pytest.mark.parametrize("runs", [True, False], ids=["running", "away"])
def test_everybody_gets_a_case_when_the_alerts_have_grown_while_the_dispatcher_is(desk: Site, runs: bool) -> None:
    dispatcher, http = desk.start_dispatcher()
    desk.send("alerts", told(1))
    until(lambda: metric(http, "forewarn_open_cases") == 1)
    if not runs:
        dispatcher.stop()
    grow(desk, "alerts", 13)
    desk.send("alerts", *map(told, PEOPLE))
    if not runs:
        _, http = desk.start_dispatcher()
    until(lambda: metric(http, "forewarn_open_cases") == len(PEOPLE))


def test_a_poisoned_case_is_refused_and_the_tombstone_that_the_refusal_advises_mends_it(desk: Site) -> None:
    first, http = desk.start_dispatcher()
    desk.send("alerts", told(1), told(2))
    until(lambda: metric(http, "forewarn_open_cases") == 2)
    first.stop()
    send(desk, "dispatch", b"e1", b"{")
    refusing, _ = desk.start_dispatcher(wait=False)
    until(lambda: not refusing.runs)
    assert "publish a tombstone for its key" in log_of(refusing)
    assert "Traceback" not in log_of(refusing)

    send(desk, "dispatch", b"e1", None)
    _, http = desk.start_dispatcher()

    assert metric(http, "forewarn_open_cases") == 1


async def test_a_revoked_number_does_not_come_back_from_a_topic_of_indicators_that_has_grown(site: Site) -> None:
    numbers = [f"9990012{number:04d}" for number in range(20)]
    site.send("indicators", *map(indicator, numbers))
    _, http = site.start_worker()
    until(lambda: metric(http, "forewarn_indicators") == len(numbers))
    grow(site, "indicators", 7)
    site.send("indicators", *[indicator(number, revoked=True) for number in numbers[:10]], indicator("99900129999"))
    moved = [number for number in numbers[:10] if partition_of(b"number:%s" % number.encode(), 7) >= 4]
    assert moved, "no key is in a new partition"
    until(lambda: metric(http, "forewarn_indicators") == 11)  # a running worker reads the new partitions
    _, late = site.start_worker()
    contents = await read_indicators(site.settings)

    assert metric(late, "forewarn_indicators") == 11
    assert sum(not json.loads(record).get("revoked", False) for record in contents.records.values()) == 11
    assert len(contents.records) == len(numbers) + 1
    assert site.settings.topic(INDICATORS) in log_of(site.workers[0])


def test_an_alert_stands_when_its_partition_goes_to_a_worker_that_reads_its_indicator_slowly(site: Site) -> None:
    """It takes longer over it than a worker waits for the newest indicators."""
    first, http = site.start_worker()
    site.command = (sys.executable, "-m", "tests.live.slow_indicators_worker")
    site.start_worker(SLOW_NUMBER=FRAUD, SLOW_SECONDS="9")
    until(lambda: metric(http, "forewarn_partitions") == 4)
    site.send("indicators", indicator())
    until(lambda: metric(http, "forewarn_indicators") == 1)
    people = [f"86100000006{number:02d}" for number in range(20)]
    site.send("calls", *[call(each, AT, id=each) for each in people])
    raised = until(lambda: [each["subscriber"] for each in site.alerts()])  # the slow worker does not know it yet
    first.stop()
    site.send("calls", *[call(each, AT + 60_000, id=f"{each}-2") for each in raised])
    second = site.http[site.workers[1]]
    until(lambda: metric(second, "forewarn_partitions") == 8 and not metric(second, "forewarn_lag_records"))

    assert {each["status"] for each in site.alerts()} == {"raised"}


def test_a_rebuilt_state_publishes_only_what_is_new(site: Site) -> None:
    site.send("indicators", indicator())
    first, _ = site.start_worker()
    site.send("calls", *[call(f"86100000006{number:02d}", AT, id=f"c{number}") for number in range(10)])
    until(lambda: site.count("alerts") == 10)
    first.stop()
    forget(site)
    site.send("calls", call("8610000000699", AT))
    site.start_worker(FOREWARN_STATE_WHEN_MISSING="rebuild")
    until(lambda: site.count("alerts") > 10)
    site.send("calls", call("8610000000698", AT))
    until(lambda: site.count("alerts") > 11)

    assert [each["subscriber"] for each in site.alerts() if each["subscriber"] > "8610000000650"]
    assert len({each["id"] for each in site.alerts()}) == site.count("alerts") == 12


def test_a_new_group_publishes_only_what_is_new(site: Site) -> None:
    site.send("indicators", indicator())
    first, _ = site.start_worker()
    site.send("calls", call("8610000000601", AT))
    until(lambda: site.count("alerts") == 1)
    first.stop()
    site.send("calls", call("8610000000602", AT))
    site.start_worker(FOREWARN_GROUP="another", FOREWARN_LEDGER="")
    until(lambda: site.count("alerts") > 1)

    assert sorted(each["subscriber"] for each in site.alerts()) == ["8610000000601", "8610000000602"]


def send(site: Site, topic: str, key: bytes, value: bytes | None) -> None:
    """Send any bytes, as an operator's tool does."""
    with site.producer() as producer:
        producer.send(site.settings.topic(topic), key=key, value=value)


def log_of(process: Server) -> str:
    """What a program has logged."""
    return process.launch.log.read_text(encoding="utf-8")


def forget(site: Site) -> None:
    """Delete everything that Redis holds of a site."""
    with redis.Redis.from_url(site.settings.redis) as client:
        for key in client.scan_iter(f"*{site.settings.topic_prefix}*"):
            client.delete(key)
