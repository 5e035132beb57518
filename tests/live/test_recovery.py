"""Recovery: a worker that is killed, joined by another, misconfigured, or left without Kafka or Redis."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from click.testing import CliRunner
from kafka.admin import KafkaAdminClient

from bench.filling import fill
from models.detection.alerts import encode
from streams.cli.private_files import write_private
from streams.cli.record import record
from streams.cli.replay import replay
from streams.demo.playing import PlayedRecord, records
from streams.files.records import RecordFiles
from streams.local.process import Server
from streams.local.stack import LocalStack
from streams.local.worker import FOREWARN, metric
from streams.replay.replay import Replay
from streams.settings import Settings
from tests.chaos.city import alerts_of, engine, example_day, example_indicators, for_others
from tests.site import LETTERS_KEY, ROOT, SECRET, Site, call, indicator, last_words, until
from tests.strategies import CALLS, MESSAGES

EXAMPLES = ROOT / "examples"
AT = 1_773_625_200_000


@pytest.fixture(scope="module")
def day() -> list[PlayedRecord]:
    """The example day in event time."""
    return list(records([EXAMPLES / "calls.jsonl"], [EXAMPLES / "sms.jsonl"]))


@pytest.fixture
def site(site: Site) -> Site:
    """A site whose workers use the default model and policy."""
    site.by_points = False
    return site


@pytest.fixture(scope="module")
def replayed() -> list[bytes]:
    """The alerts that the replay of the example day publishes, in order."""
    alerts: list[bytes] = []

    def refuse(line: object) -> None:
        raise AssertionError(line)

    Replay(engine(example_indicators()), 8, lambda alert: alerts.append(encode(alert))).run(
        RecordFiles([EXAMPLES / "calls.jsonl"], CALLS.read, refuse).chunks(),
        RecordFiles([EXAMPLES / "sms.jsonl"], MESSAGES.read, refuse).chunks(),
    )
    return alerts


def import_indicators(site: Site) -> None:
    """Send the examples' indicators to the site's topic."""
    with (EXAMPLES / "indicators.jsonl").open() as lines:
        site.send("indicators", *map(json.loads, lines))


def play(site: Site, day: list[PlayedRecord], rate: float = float("inf")) -> None:
    """Send ``rate`` records a second; by default, as fast as Kafka takes them."""
    began = time.monotonic()
    with site.producer() as producer:
        for index, record in enumerate(day):
            producer.send(site.settings.topic(record.role), key=record.key, value=record.value)
            if index % 50 == 0:
                time.sleep(max(0.0, began + index / rate - time.monotonic()))


def published(site: Site) -> list[bytes]:
    """All alerts on the site's topic."""
    return [record.value for record in site.read("alerts")]


def test_live_and_replay_publish_the_same_bytes(site: Site, day: list[PlayedRecord], replayed: list[bytes]) -> None:
    import_indicators(site)
    play(site, day)  # a whole day's backlog: calls and SMS arrive at very different speeds
    site.start_worker()
    until(lambda: len(published(site)) >= len(replayed))
    time.sleep(0.5)
    assert _by_subscriber(published(site)) == _by_subscriber(replayed)

    again, said = replayed_from_topics(site)
    assert _by_subscriber(again) == _by_subscriber(replayed)
    assert said["events"] == {"calls": site.count("calls"), "sms": site.count("sms")}
    assert replayed_from_topics(site, "--until", "1h")[0] == []  # nothing had arrived an hour ago

    key = site.folder / "key"
    write_private(key, LETTERS_KEY.identity.encode())
    folder = str(site.folder / "recording")
    made = CliRunner().invoke(record, ["--since", "24h", "--out", folder, "--case", "A-1"], env=site.environ)
    assert made.exit_code == 0, made.output
    assert replayed_again(site, "--recording", folder, "--identity", str(key))[0] == again


def replayed_from_topics(site: Site, *more: str) -> tuple[list[bytes], dict[str, Any]]:
    """The alerts of ``forewarn replay --from-topics`` over the last day, and its summary."""
    return replayed_again(site, "--from-topics", "--since", "24h", *more)


def replayed_again(site: Site, *arguments: str) -> tuple[list[bytes], dict[str, Any]]:
    """The alerts of ``forewarn replay`` with the site's settings, and its summary."""
    out = site.folder / "replayed.jsonl"
    done = CliRunner().invoke(replay, [*arguments, "--out", str(out), "--json"], env=site.environ)
    assert done.exit_code == 0, done.output
    summary: dict[str, Any] = json.loads(done.stdout)
    return out.read_bytes().splitlines(), summary


def test_killed_in_the_middle_of_a_backlog_a_worker_publishes_the_same_bytes(site: Site) -> None:
    copies = 40  # of the day, for other people: enough to be killed midway
    import_indicators(site)
    records = [for_others(record, copy) for record in example_day() for copy in range(copies)]
    asyncio.run(fill(site.settings, records, 8, lambda count: None))
    wanted = alerts_of(lambda: iter(records), example_indicators())
    killed = 0
    while killed < 3:
        process, _ = site.start_worker(wait=False, FOREWARN_INSTANCE="one")
        before = _count(site)
        until(lambda before=before: _count(site) > before)  # type: ignore[misc]
        process.kill()
        killed += 1
    assert len(set(published(site))) < len(wanted)  # apart from repeats, the last start has work left
    site.start_worker(FOREWARN_INSTANCE="one")
    until(lambda: len(set(published(site))) >= len(wanted))
    time.sleep(0.5)
    assert set(published(site)) == set(wanted)  # repeats have the same bytes, and nothing else was published


def test_killed_while_records_come_a_worker_ends_with_the_same_alerts(
    site: Site, day: list[PlayedRecord], replayed: list[bytes]
) -> None:
    import_indicators(site)
    process, _ = site.start_worker(FOREWARN_INSTANCE="one")
    playing = threading.Thread(target=play, args=(site, day, 700))
    playing.start()
    time.sleep(1.0)
    process.kill()
    process, _ = site.start_worker(FOREWARN_INSTANCE="one")
    assert playing.is_alive()
    playing.join()
    until(lambda: _agree(site, replayed))


def test_two_workers_share_the_partitions_and_lose_nothing(
    site: Site, day: list[PlayedRecord], replayed: list[bytes]
) -> None:
    import_indicators(site)
    _, first = site.start_worker()
    part = len(day) // 2
    play(site, day[:part])
    leaving, second = site.start_worker()
    until(lambda: metric(first, "forewarn_partitions") == 4 == metric(second, "forewarn_partitions"))
    play(site, day[part:])
    leaving.stop()
    until(lambda: metric(first, "forewarn_partitions") == 8)
    until(lambda: _agree(site, replayed))


def test_emptied_redis_is_refused_until_somebody_says_rebuild(site: Site) -> None:
    site.send("indicators", indicator())
    process, _ = site.start_worker()
    site.send("calls", call("8610000000601", AT))
    until(site.alerts)
    process.stop()
    with redis.Redis.from_url(site.settings.redis) as client:
        for key in client.scan_iter(f"*{site.settings.topic_prefix}*"):
            client.delete(key)
    refusing, _ = site.start_worker(wait=False)
    words = until(lambda: _last_words(refusing))
    assert "Redis holds no state of partition" in words
    assert "FOREWARN_STATE_WHEN_MISSING=rebuild" in words
    assert "Traceback" not in refusing.launch.log.read_text()
    site.send("calls", call("8610000000602", AT))
    site.start_worker(FOREWARN_STATE_WHEN_MISSING="rebuild")
    until(lambda: published(site)[1:])
    assert sorted(each["subscriber"] for each in site.alerts()) == ["8610000000601", "8610000000602"]


def test_unequal_partitions_are_refused(site: Site) -> None:
    admin = KafkaAdminClient(bootstrap_servers=site.settings.kafka)
    admin.create_partitions({site.settings.topic("sms"): 9})
    admin.close()
    refusing, _ = site.start_worker(wait=False)
    assert "unequal partition counts" in until(lambda: _last_words(refusing))


def test_a_wrong_setting_is_refused_by_name(site: Site) -> None:
    refusing, _ = site.start_worker(wait=False, FOREWARN_STALL_SECONDS="soon")
    assert "FOREWARN_STALL_SECONDS takes a number of seconds" in until(lambda: _last_words(refusing))


def test_a_model_that_is_none_is_refused_by_name_though_kafka_does_not_answer(site: Site) -> None:
    (site.folder / "risk.skops").write_text("no model")
    refusing, _ = site.start_worker(
        wait=False, FOREWARN_MODEL=str(site.folder / "risk.skops"), FOREWARN_KAFKA="127.0.0.1:1"
    )
    assert "risk.skops is not a model" in until(lambda: _last_words(refusing))


@pytest.fixture
def fragile(own_stack: LocalStack, topic_prefix: str, tmp_path: Path) -> Iterator[Site]:
    """A site on servers that a test may stop."""
    site = Site(Settings(kafka=own_stack.kafka, redis=own_stack.redis, topic_prefix=topic_prefix), tmp_path)
    site.apply_topics()
    yield site
    site.stop()


def test_a_worker_waits_for_redis_and_kafka_and_loses_nothing(own_stack: LocalStack, fragile: Site) -> None:
    fragile.send("indicators", indicator())
    process, http = fragile.start_worker()
    own_stack.valkey.stop()
    fragile.send("calls", call("8610000000701", AT))
    until(lambda: "redis" in _waiting_for(http))
    own_stack.valkey.start()
    until(lambda: not _waiting_for(http))
    until(lambda: [each for each in fragile.alerts() if each["subscriber"] == "8610000000701"])
    own_stack.broker.restart()
    fragile.send("calls", call("8610000000702", AT))
    until(lambda: [each for each in fragile.alerts() if each["subscriber"] == "8610000000702"])
    assert process.runs
    assert len({alert["id"] for alert in fragile.alerts()}) == 2


def _waiting_for(http: str) -> list[str]:
    try:
        with urllib.request.urlopen(f"http://{http}/readyz", timeout=2) as answer:
            said = json.load(answer)
    except urllib.error.HTTPError as error:
        said = json.load(error)
    waiting: list[str] = said["waiting_for"]
    return waiting


def _last_words(process: Server) -> str:
    """The log of a worker that has ended; empty while the worker runs."""
    return "" if process.runs else process.launch.log.read_text()


def _agree(site: Site, replayed: list[bytes]) -> bool:
    """Whether the last record of each alert is the one of the replay.

    Playing a day in seconds gets calls and SMS out of step: an alert may have been published on one of the two alone,
    and must be withdrawn then.
    """
    wanted = last_words([json.loads(alert) for alert in replayed])
    found = last_words(site.alerts())
    others = found.keys() - wanted.keys()
    return all(found.get(name) == alert for name, alert in wanted.items()) and all(
        found[name]["status"] == "withdrawn" for name in others
    )


def _count(site: Site) -> int:
    """How many alerts the topic has."""
    return site.count("alerts")


def _by_subscriber(alerts: list[bytes]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for alert in alerts:
        found.setdefault(json.loads(alert)["subscriber"], []).append(alert)
    return found


def test_the_replay_command_writes_what_the_engine_decides(replayed: list[bytes], tmp_path: Path) -> None:
    out = tmp_path / "alerts.jsonl"
    done = subprocess.run(
        [
            *(*FOREWARN, "replay", "--calls", "examples/calls.jsonl", "--sms", "examples/sms.jsonl"),
            *("--indicators", "examples/indicators.jsonl", "--out", str(out), "--json"),
        ],
        cwd=ROOT,
        env=os.environ | {"FOREWARN_SECRET": SECRET},
        capture_output=True,
        check=True,
    )
    assert out.read_bytes().splitlines() == replayed
    summary = json.loads(done.stdout)
    assert sum(by["raised"] + by["withdrawn"] for by in summary["alerts"].values()) == len(replayed)
