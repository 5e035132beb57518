"""Rights, live: on a Kafka that refuses what no rule allows, programs run with what `forewarn topics acl` gives them.

Each has a login of its own, over TLS with SCRAM. What is not theirs is refused.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import httpx
import pytest
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from click.testing import CliRunner, Result
from kafka import KafkaProducer
from kafka.admin import ACL, ACLOperation, ACLPermissionType, KafkaAdminClient, ResourcePattern, ResourceType

from models.access.rights import user
from models.events.event import Refusal
from streams.access.users import Users
from streams.checkup import brokers
from streams.cli import cli
from streams.kafka.clients import reader
from streams.kafka.columns import Record
from streams.kafka.letters import DeadLetters, refused
from streams.kafka.login import LoginRefusedError
from streams.kafka.publishing import producer
from streams.settings import Settings
from tests.consoles import GOOD
from tests.guarded_kafka import PASSWORD, GuardedKafka, guarded_kafka
from tests.live.test_dispatch import cases
from tests.site import FRAUD, LETTERS_KEY, ROOT, SECRET, Site, call, indicator, until
from tests.valkeys import guarded

USERS = (
    *("worker", "hunter", "dispatcher", "console"),
    *("carriers", "list-import", "dispatch-platform", "analysts", "operators", "bulletins", "recorder", "redrive"),
)
COMMANDS = (
    ("operators", "topics", "diff"),
    ("operators", "state", "show"),
    ("operators", "letters", "list"),
    ("list-import", "indicators", "list"),
    ("analysts", "campaigns", "list"),
    ("recorder", "replay", "--from-topics", "--since", "1h", "--out", "-"),
)
"""Commands that only look, each with whose login it works."""
NOW = int(time.time() * 1000)
ANN = "8610000000001"


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedKafka]:
    """A Kafka with a user for each program, none of whom may do anything yet."""
    with guarded() as watch, guarded_kafka(tmp_path_factory.mktemp("kafka"), watch) as kafka:
        kafka.add_users(*(f"forewarn-{name}" for name in USERS))
        yield kafka


@pytest.fixture
def site(kafka: GuardedKafka, valkey: str, topic_prefix: str, tmp_path: Path) -> Iterator[Site]:
    """A site whose settings are the super user's, for the tests' own look at the topics."""
    settings = Settings(
        kafka=kafka.super_user,
        redis=valkey,
        topic_prefix=topic_prefix,
        users_file=tmp_path / "users.json",
        audit_log=tmp_path / "audit.jsonl",
        secret=SECRET,
    )
    site = Site(settings, tmp_path, by_points=True)
    yield site
    site.tell()
    site.stop()


def command(site: Site, login: Mapping[str, str], *words: str) -> Result:
    """The result of a command with a login; it has its own thread, since an event loop may be running in the test's."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(CliRunner().invoke, cli, words, env=site.environ | dict(login)).result()


def as_user(site: Site, kafka: GuardedKafka, name: str) -> Settings:
    """The settings of a program with its own login."""
    environ = {name: value for name, value in site.environ.items() if name.startswith("FOREWARN_")}
    return Settings.from_environ(environ | kafka.login(f"forewarn-{name}"))


def seal_a_good_call(site: Site, kafka: GuardedKafka) -> None:
    """Send a dead letter with the worker's login; its record could be read."""
    settings = replace(as_user(site, kafka, "worker"), letters_recipient=LETTERS_KEY.recipient)
    value = json.dumps(call(ANN, NOW, id="again")).encode()
    record = Record(settings.topic("calls"), 0, 1_000_000, NOW, ANN.encode(), value, ())
    (letter,) = DeadLetters(settings).of([refused(record, Refusal(0, "wrong-key", "an older worker's"))])
    with KafkaProducer(**settings.kafka_options()) as worker:
        worker.send(letter.topic, letter.value, letter.key, [*letter.headers], timestamp_ms=NOW).get(timeout=20)


@contextmanager
def platform(site: Site, kafka: GuardedKafka) -> Iterator[IO[str]]:
    """What the example of a dispatch platform shows; it runs during the block and acknowledges open orders."""
    options = ["--kafka", kafka.kafka, "--ca", str(kafka.ca), "--prefix", site.settings.topic_prefix]
    options += ["--handled", str(site.folder / "handled.sqlite"), "--acknowledge", "000042"]
    command = [sys.executable, "examples/centre_consumer.py", *options]
    environ = os.environ | {"KAFKA_PASSWORD": PASSWORD}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout
        finally:
            process.kill()


def test_every_program_does_its_work_with_its_own_rights_and_nothing_else(site: Site, kafka: GuardedKafka) -> None:
    """From a call to a look-back, an alert, an order that the platform acknowledges, and a report of the station."""
    before = command(site, {}, "topics", "acl", "--diff")
    granted = command(site, {}, "topics", "acl", "--apply", "--json")
    assert (before.exit_code, granted.exit_code) == (3, 0), granted.stderr
    assert command(site, {}, "topics", "acl", "--diff").exit_code == 0
    applied = command(site, kafka.login("forewarn-operators"), "topics", "apply")
    assert applied.exit_code == 0, applied.stderr
    Users.of(site.settings).add(user("zhou", "centre", "centre"), GOOD, by="os:root")
    token = Users.of(site.settings).add_token("zhou", "tests", by="os:root")

    for start in (site.start_worker, site.start_hunter, site.start_dispatcher):
        start(wait=False, **kafka.login(f"forewarn-{start.__name__.removeprefix('start_')}"))
    _, _, api = site.start_console(wait=False, **kafka.login("forewarn-console"))
    for program in site.workers:
        program.wait()
    with KafkaProducer(**as_user(site, kafka, "carriers").kafka_options()) as carrier:
        for record in (call(ANN, NOW - 900_000), call(ANN, NOW - 10_000, phase="end", duration_s=890)):
            carrier.send(site.settings.topic("calls"), key=ANN.encode(), value=json.dumps(record).encode())
        carrier.send(site.settings.topic("calls"), key=ANN.encode(), value=b"no record").get(timeout=20)
    until(lambda: [*(site.folder / "ledger").rglob("*.parquet")])
    listed = site.folder / "listed.jsonl"
    listed.write_text(json.dumps(indicator(FRAUD, valid_from=NOW - 86_400_000)) + "\n", encoding="utf-8")
    imported = command(site, kafka.login("forewarn-list-import"), "indicators", "import", str(listed))
    assert imported.exit_code == 0, imported.stderr
    case = until(lambda: next(iter(cases(site).values()), {}))
    path = f"/api/v1/cases/{case['case']}"
    with httpx.Client(base_url=f"http://{api}", timeout=20) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        with platform(site, kafka) as said:
            shown = said.readline()
            until(lambda: client.get(path).json()["status"] == "acknowledged")
        answer = client.post(f"{path}/attempt", json={"means": "call", "reached": False})
        counted = client.get("/bulletin", params={"unit": "centre"})

    assert shown.startswith(f"{case['case']} at {case['unit']}: {case['severity']} open, *****01")
    assert (answer.status_code, answer.json()["status"]) == (200, "in-progress")
    assert counted.status_code == 200, counted.text
    assert site.count("dead-letters") == 1
    for name, *words in COMMANDS:
        result = command(site, kafka.login(f"forewarn-{name}"), *words)
        assert result.exit_code == 0, f"{words}: {result.stderr}"
    seal_a_good_call(site, kafka)
    key = site.folder / "letters.key"
    key.write_text(LETTERS_KEY.identity)
    key.chmod(0o600)
    redrive = "letters", "redrive", "--identity", str(key), "--reason", "wrong-key", "--case", "A", "--yes"
    barred = command(site, kafka.login("forewarn-operators"), *redrive)
    back = command(site, kafka.login("forewarn-redrive"), *redrive)
    discard = "letters", "discard", "--reason", "not-json", "--case", "A", "--note", "no record", "--yes"
    aside = command(site, kafka.login("forewarn-operators"), *discard)
    assert (back.exit_code, aside.exit_code) == (0, 0), back.stderr + aside.stderr
    assert (barred.exit_code, barred.stderr.count("\n")) == (2, 2), barred.stderr
    assert ("1 records sent back" in back.stderr, "1 letters set aside" in aside.stderr) == (True, True)
    weekly = command(site, kafka.login("forewarn-bulletins"), "bulletin", "--unit", "centre")
    assert weekly.exit_code == 0 or "has no order or reminder of the week" in weekly.stderr, weekly.stderr


async def test_what_is_not_a_programs_own_is_refused(site: Site, kafka: GuardedKafka) -> None:
    """A carrier reads no alert, a platform invents no call, and the worker's login is told what it may not see."""
    assert command(site, {}, "topics", "acl", "--apply").exit_code == 0
    site.apply_topics()
    calls, alerts = site.settings.topic("calls"), site.settings.topic("alerts")
    with pytest.raises(KafkaError, match=r"alerts does not exist, or this login may not see it"):
        await reader(as_user(site, kafka, "carriers"), alerts)
    writing = producer(as_user(site, kafka, "dispatch-platform"))
    await writing.start()
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            await writing.send_and_wait(calls, b"{}", key=ANN.encode())
    finally:
        await writing.stop()
    carrier = command(site, kafka.login("forewarn-carriers"), "topics", "apply")
    meddling = command(site, kafka.login("forewarn-operators"), "topics", "acl", "--diff")
    worker, operators = as_user(site, kafka, "worker"), as_user(site, kafka, "operators")
    wrong = kafka.login("forewarn-operators") | {"FOREWARN_KAFKA_SASL_PASSWORD": "another"}
    refused = [command(site, wrong, *words) for words in (("indicators", "list"), ("topics", "diff"))]
    with pytest.raises(LoginRefusedError, match="refuses the login of forewarn-hunter"):
        await reader(replace(as_user(site, kafka, "hunter"), kafka_sasl_password="another"), alerts)
    found = [[(each.part, each.state) for each in brokers.kafka(login)] for login in (worker, operators)]

    for each in refused:
        assert (each.exit_code, each.stderr.count("\n")) == (1, 1), each.stderr
        assert "refuses the login of forewarn-operators" in each.stderr
    assert (carrier.exit_code, carrier.stderr.count("\n")) == (1, 1)
    assert "does not allow this to the user forewarn-carriers" in carrier.stderr
    assert "log in as one of the broker's super.users" in meddling.stderr
    assert found == [[("kafka", "good"), ("topics", "look")], [("kafka", "good"), ("topics", "good")]]
    assert [each.state for each in brokers.transactions(worker)] == ["good"]
    assert [each.state for each in brokers.transactions(operators)] == ["look"]


def test_rules_beyond_the_contract_are_shown_and_withdrawn_only_when_asked(site: Site, kafka: GuardedKafka) -> None:
    """A station that somebody let read the alerts is withdrawn; a rule for everything is shown and stays."""
    assert command(site, {}, "topics", "acl", "--apply").exit_code == 0
    alerts = ResourcePattern(ResourceType.TOPIC, site.settings.topic("alerts"))
    everything = ResourcePattern(ResourceType.TOPIC, "*")
    may_read = ACLOperation.READ, ACLPermissionType.ALLOW
    with KafkaAdminClient(bootstrap_servers=kafka.super_user) as admin:
        admin.create_acls([ACL("User:ps-0101", "*", *may_read, alerts), ACL("User:backup", "*", *may_read, everything)])
    shown = command(site, {}, "topics", "acl", "--diff")
    kept = command(site, {}, "topics", "acl", "--apply", "--json")
    pruned = command(site, {}, "topics", "acl", "--apply", "--prune")
    left = command(site, {}, "topics", "acl", "--diff", "--json")

    assert (shown.exit_code, shown.stdout.count("\n")) == (3, 2)
    assert f"! User:ps-0101 may Read topic {alerts.resource_name}" in shown.stdout
    assert [len(some) for some in json.loads(kept.stdout).values()] == [0, 0, 2]
    assert f"- User:ps-0101 may Read topic {alerts.resource_name}" in pruned.stdout
    assert [right["principal"] for right in json.loads(left.stdout)["beyond"]] == ["User:backup"]
