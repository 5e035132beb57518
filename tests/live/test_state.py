"""Stored state: topics that were made anew, state that is gone in part, snapshots, and the commands that we advise."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kafka.admin import KafkaAdminClient

from models.base.number_keys import number_of
from models.lookback.keys import keys_of
from streams.kafka.partitioning import partition_of
from streams.ledger.lookup import find
from streams.ledger.people import contacts_of
from streams.ledger.storage import Storage
from streams.local.process import Server
from streams.local.stack import LocalStack
from streams.local.worker import FOREWARN, metric
from streams.settings import Settings
from tests.site import FRAUD, LETTERS_KEY, Record, Site, call, indicator, until

AT = 1_773_625_200_000
PEOPLE = [f"8610000{number:06}" for number in range(120)]
ONES = [who for who in PEOPLE if partition_of(who.encode(), 8) == 3]
"""People of one partition."""


def forewarn(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of the commands on a site."""
    return subprocess.run(
        [*FOREWARN, *arguments],
        env=os.environ | site.environ,
        cwd=site.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def last_words(process: Server) -> str:
    """The log of a worker, once it has ended."""
    return until(lambda: "" if process.runs else process.launch.log.read_text())


def refusal(site: Site, process: Server) -> str:
    """The log of a worker that has ended, or of the next one if the first met the moment when the topic was missing."""
    words = last_words(process)
    return last_words(site.start_worker(wait=False)[0]) if "has no topic" in words else words


def fraud_calls(*people: str, id: str = "c1") -> list[Record]:
    """A call from the fraud number to each of these people."""
    return [call(who, AT, id=f"{id}-{who}") for who in people]


def alerted(site: Site) -> set[str]:
    """The people with an alert."""
    return {alert["subscriber"] for alert in site.alerts()}


def make_anew(site: Site, topic: str) -> None:
    """Delete a topic and create it again."""
    name = site.settings.topic(topic)
    admin = KafkaAdminClient(bootstrap_servers=site.settings.kafka)
    try:
        admin.delete_topics([name])
        until(lambda: name not in admin.list_topics())
    finally:
        admin.close()
    site.apply_topics()


def states_of(site: Site) -> dict[int, dict[str, object]]:
    """What ``forewarn state show`` says, by partition."""
    shown = forewarn(site, "state", "show", "--json")
    return {each["partition"]: each for each in map(json.loads, shown.stdout.splitlines())}


def test_a_topic_made_anew_is_refused_and_our_advice_goes_on_with_all_of_it(site: Site) -> None:
    """More was written to the new topic than had been read of the old one: the offset alone would fit."""
    before, after = ONES[:2], ONES[2:5]
    site.send("indicators", indicator())
    process, _ = site.start_worker()
    site.send("calls", *fraud_calls(*before))
    until(lambda: alerted(site) == set(before))
    process.stop()
    make_anew(site, "calls")
    site.send("calls", *fraud_calls(*after))
    refusing, _ = site.start_worker(wait=False)
    words = last_words(refusing)
    shown = forewarn(site, "state", "show")
    done = forewarn(site, "state", "rewind", "--yes")
    site.start_worker()
    until(lambda: alerted(site) == {*before, *after})

    assert "was deleted and made anew since" in words
    assert "forewarn state rewind" in words
    assert "Traceback" not in words
    assert (shown.returncode, done.returncode) == (1, 0), done.stderr
    assert "run forewarn state rewind" in shown.stderr
    assert not set(before) & {alert["subscriber"] for alert in site.alerts() if alert["status"] == "withdrawn"}
    assert states_of(site)[3]["subjects"] == 5  # the open episodes of the old topic are still there


def test_a_topic_made_anew_under_a_running_worker_is_noticed(site: Site) -> None:
    """The worker ends by itself, and nothing of the new topic is missed in the end."""
    before, after = ONES[:2], ONES[2:6]
    site.send("indicators", indicator())
    process, http = site.start_worker()
    site.send("calls", *fraud_calls(*before))
    until(lambda: alerted(site) == set(before))
    until(lambda: not metric(http, "forewarn_ledger_waiting_rows"))
    make_anew(site, "calls")
    site.send("calls", *fraud_calls(*after))
    words = refusal(site, process)
    done = forewarn(site, "state", "rewind", "--yes")
    assert done.returncode == 0, done.stderr
    site.start_worker()
    until(lambda: alerted(site) == {*before, *after})
    ledger = Storage(Settings.from_environ(site.environ))
    until(lambda: len({segment.series for segment in ledger.segments() if segment.partition == 3}) == 2)
    tables = [*find(ledger, ledger.segments(), keys_of([f"number:{FRAUD}"]))]

    assert "forewarn state rewind" in words
    assert "Traceback" not in words
    # People of the old topic and of the new one, although the offsets of both are the same.
    found = {number_of(contact.subscriber) for table in tables for contact in contacts_of(table)}
    assert found == {*before, *after}


@pytest.mark.parametrize("topic", ["sms", "signals"])
def test_the_other_topics_are_compared_as_well(site: Site, topic: str) -> None:
    """All three offsets of a checkpoint belong to logs."""
    site.send("indicators", indicator())
    process, _ = site.start_worker()
    sms = [call(who, AT, id=f"m-{who}") for who in ONES[:2]]
    for each in sms:
        del each["phase"]
    records = [each | {"text": "hello"} for each in sms]
    if topic == "signals":
        records = [
            {"id": f"s-{who}", "subscriber": who, "code": "fraud-number-call", "at": AT, "event": f"e-{who}"}
            for who in ONES[:2]
        ]
    site.send(topic, *records)
    name = site.settings.topic(topic)
    until(lambda: states_of(site)[3]["topics"][name]["offset"] == 2)  # type: ignore[index]
    process.stop()
    make_anew(site, topic)
    refusing, _ = site.start_worker(wait=False)
    words = last_words(refusing)
    done = forewarn(site, "state", "rewind", "--yes")
    site.start_worker()

    assert f"Partition 3 of {name} was read up to offset 2" in words
    assert done.returncode == 0, done.stderr


def test_a_topic_that_is_gone_is_named(site: Site) -> None:
    """A worker without one of its topics says which, and what to do."""
    process, _ = site.start_worker()
    admin = KafkaAdminClient(bootstrap_servers=site.settings.kafka)
    admin.delete_topics([site.settings.topic("sms")])
    admin.close()
    words = last_words(process)

    assert f"{site.settings.topic('sms')}" in words
    assert "forewarn topics apply" in words
    assert "Traceback" not in words


def lose_a_part(site: Site) -> None:
    """Delete one subject of partition 3 from Redis."""
    with redis.Redis.from_url(site.settings.redis) as client:
        assert client.hdel(f"{{forewarn:{site.settings.topic_prefix}forewarn:3}}:subjects", ONES[0]) == 1


def test_state_that_is_gone_in_part_is_refused_and_can_be_restored_or_dropped(site: Site) -> None:
    """A worker that has the partition is refused its next write, and one that loads it says what to do."""
    site.send("indicators", indicator())
    process, _ = site.start_worker()
    site.send("calls", *fraud_calls(*ONES[:2]))
    until(lambda: alerted(site) == set(ONES[:2]))
    saved = forewarn(site, "state", "save", "kept.zip")
    lose_a_part(site)
    site.send("calls", *fraud_calls(ONES[2]))
    running = last_words(process)
    loading = last_words(site.start_worker(wait=False)[0])
    shown = forewarn(site, "state", "show")
    refused = forewarn(site, "state", "restore", "kept.zip", "--partition", "3", "--yes")
    (site.folder / "letters.key").write_text(LETTERS_KEY.identity)
    (site.folder / "letters.key").chmod(0o600)
    opened = "--identity", "letters.key"
    restored = forewarn(site, "state", "restore", "kept.zip", "--partition", "3", "--yes", *opened)
    process, _ = site.start_worker()
    until(lambda: alerted(site) == set(ONES[:3]))
    process.stop()
    ids = {alert["id"] for alert in site.alerts()}
    lose_a_part(site)
    dropped = forewarn(site, "state", "drop", "--partition", "3", "--yes")
    count = site.count("alerts")
    site.start_worker()
    site.send("calls", *fraud_calls(ONES[3]))
    until(lambda: ONES[3] in alerted(site))  # which is read after the calls of before

    assert "Redis holds 1 of the 2 subjects of partition 3" in running
    assert "forewarn state drop --partition 3" in loading
    assert "Traceback" not in running + loading
    assert [each.returncode for each in (saved, shown, restored, dropped)] == [0, 1, 0, 0], restored.stderr
    assert refused.returncode == 2
    assert "kept.zip is sealed: give the file of the private key" in refused.stderr.splitlines()[-1]
    assert (site.folder / "kept.zip").stat().st_mode & 0o777 == 0o600
    assert {alert["id"] for alert in site.alerts() if alert["subscriber"] != ONES[3]} == ids
    assert site.count("alerts") == count + 1, "what was published before was published again"
    assert {alert["status"] for alert in site.alerts()} == {"raised"}


def test_a_restore_under_a_running_worker_is_harmless(site: Site) -> None:
    """The worker is refused its next write before it publishes; after its restart nobody is missing."""
    site.send("indicators", indicator())
    process, _ = site.start_worker()
    site.send("calls", *fraud_calls(ONES[0]))
    until(lambda: alerted(site) == {ONES[0]})
    forewarn(site, "state", "save", "kept.zip", "--plain")
    site.send("calls", *fraud_calls(ONES[1]))
    until(lambda: alerted(site) == {*ONES[:2]})
    done = forewarn(site, "state", "restore", "kept.zip", "--partition", "all", "--yes")
    count = site.count("alerts")
    site.send("calls", *fraud_calls(ONES[2]))
    words = last_words(process)
    silent = site.count("alerts") == count
    site.start_worker()
    until(lambda: alerted(site) == {*ONES[:3]})

    assert done.returncode == 0, done.stderr
    assert "Redis refused the checkpoint of partition 3" in words
    assert silent
    assert {alert["status"] for alert in site.alerts()} == {"raised"}


def test_show_counts_and_names_nobody_and_nothing_is_changed_without_an_answer(site: Site) -> None:
    """What an operator sees; and a command that nobody confirms changes nothing."""
    site.send("indicators", indicator())
    process, _ = site.start_worker()
    site.send("calls", *fraud_calls(*ONES[:2]))
    until(lambda: alerted(site) == set(ONES[:2]))
    process.stop()
    site.send("calls", *fraud_calls(ONES[2]))
    table, shown = forewarn(site, "state", "show", "--partition", "3"), states_of(site)
    asked = forewarn(site, "state", "drop", "--partition", "3")
    unknown = forewarn(site, "state", "show", "--partition", "3,8")
    calls = site.settings.topic("calls")

    assert table.stdout.splitlines()[1].split("\t")[:2] == ["3", "2 (1 behind)"]
    assert shown[3]["topics"][calls]["lag"] == 1  # type: ignore[index]
    assert (shown[3]["subjects"], shown[3]["format"], shown[3]["lost_subjects"]) == (2, 2, 0)
    assert sum(shown[3]["episodes"].values()) == 2  # type: ignore[attr-defined]
    assert not [who for who in PEOPLE if who in table.stdout + json.dumps(shown) + asked.stderr]
    assert asked.returncode == 1
    assert "2 subjects, 2 open episodes" in asked.stderr
    assert states_of(site) == shown
    assert (unknown.returncode, "There is no partition 8" in unknown.stderr) == (2, True)


@pytest.fixture
def evicting(own_stack: LocalStack, topic_prefix: str, tmp_path: Path) -> Iterator[Site]:
    """A site whose Redis drops keys when its memory is full."""
    site = Site(Settings(kafka=own_stack.kafka, redis=own_stack.redis, topic_prefix=topic_prefix), tmp_path)
    site.apply_topics()
    with redis.Redis.from_url(own_stack.redis) as client:
        client.config_set("maxmemory", "200mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
        yield site
        site.stop()
        client.config_set("maxmemory", "0")
        client.config_set("maxmemory-policy", "noeviction")


def test_a_redis_that_evicts_is_refused(evicting: Site) -> None:
    """State must never disappear by itself."""
    words = last_words(evicting.start_worker(wait=False)[0])
    doctor = forewarn(evicting, "doctor")
    with redis.Redis.from_url(evicting.settings.redis) as client:
        client.config_set("maxmemory-policy", "noeviction")
    evicting.start_worker()

    assert "set maxmemory-policy noeviction" in words
    assert "Traceback" not in words
    assert "drops keys when its memory is full" in doctor.stdout
