"""The local stack: real servers that start, die, come back with their data, and end with their program."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from streams.local import LocalStackError, broker, valkey
from streams.local.login import login_of
from streams.local.ports import any_free_port
from streams.local.process import ProcessId, is_alive
from streams.local.stack import LocalStack
from streams.local.state import StackState, read_state
from streams.local.worker import HEALTH, is_ready
from streams.overview.overview import Overview
from streams.overview.scraping import look
from streams.overview.summing import overview
from streams.sealing import Identities
from streams.settings import Settings
from tests.conftest import Servers
from tests.prometheus import Prometheus, is_installed, prometheus
from tests.site import until

ROOT = Path(__file__).parents[2]
HOLDER = """
import json, sys, time
from pathlib import Path
from streams.local.stack import LocalStack
with LocalStack(Path(sys.argv[1]), 0, 0) as stack:
    servers = (stack.broker.process, stack.valkey.process)
    print(json.dumps([(process.pid, process.started) for process in servers]), flush=True)
    time.sleep(600)
"""


@contextmanager
def admin_of(kafka: str, **login: Any) -> Iterator[KafkaAdminClient]:
    """An admin client for this Kafka."""
    client = KafkaAdminClient(bootstrap_servers=kafka, **login)
    try:
        yield client
    finally:
        client.close()


def create_topic(kafka: str, topic: str) -> None:
    """Create a topic of one partition."""
    with admin_of(kafka) as admin:
        admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])


def write(kafka: str, topic: str, *values: bytes) -> None:
    """Write these records and wait until the broker has confirmed them."""
    producer = KafkaProducer(bootstrap_servers=kafka, acks="all", max_request_size=2_000_000)
    try:
        for confirmation in [producer.send(topic, value) for value in values]:
            confirmation.get(30)
    finally:
        producer.close()


def read(kafka: str, topic: str, count: int) -> list[bytes]:
    """The first ``count`` records of a topic, or those that arrived within 20 seconds."""
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=kafka,
        auto_offset_reset="earliest",
        consumer_timeout_ms=20_000,
        group_id=None,
    )
    try:
        return [record.value for record in islice(consumer, count)]
    finally:
        consumer.close()


def port_of(address: str) -> int:
    """The port in ``host:port`` or in a Redis URL."""
    return int(address.removeprefix("redis://").removesuffix("/0").rpartition(":")[2])


def wait_until_gone(processes: list[ProcessId]) -> bool:
    """Wait until all of these processes have ended; false if one still runs after 30 seconds."""
    deadline = time.monotonic() + 30
    while any(map(is_alive, processes)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not any(map(is_alive, processes))


def test_records_and_keys_come_back_as_they_were_written(stack: Servers, topic_prefix: str) -> None:
    """The session's servers are real: records come back unchanged, including a record of a megabyte."""
    topic, large = f"{topic_prefix}calls", b"x" * 1_000_000
    create_topic(stack.kafka, topic)
    write(stack.kafka, topic, b"one", large)
    with redis.Redis.from_url(stack.redis) as client:
        client.set(f"{topic_prefix}key", "value")
        value = client.getdel(f"{topic_prefix}key")

    assert read(stack.kafka, topic, 2) == [b"one", large]
    assert value == b"value"


def test_a_topic_does_not_appear_by_a_typing_error(own_stack: LocalStack, topic_prefix: str) -> None:
    """Topics are contracts: naming a topic does not create it."""
    with admin_of(own_stack.kafka) as admin:
        admin.describe_topics([f"{topic_prefix}clals"])
        topics = admin.list_topics()

    assert f"{topic_prefix}clals" not in topics


def test_valkey_evicts_nothing(own_stack: LocalStack) -> None:
    """State that was written is never dropped for lack of memory."""
    with redis.Redis.from_url(own_stack.redis, decode_responses=True) as client:
        settings = client.config_get("maxmemory-policy", "appendonly", "appendfsync")

    assert settings == {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "everysec"}


def test_data_survive_when_both_servers_are_killed(own_stack: LocalStack, topic_prefix: str) -> None:
    """After SIGKILL, a start over the same data keeps the addresses and loses nothing that was confirmed."""
    topic, addresses = f"{topic_prefix}calls", (own_stack.kafka, own_stack.redis)
    create_topic(own_stack.kafka, topic)
    write(own_stack.kafka, topic, b"one", b"two")
    with redis.Redis.from_url(own_stack.redis) as client:
        client.set("survives", "yes")
    for server in (own_stack.broker, own_stack.valkey):
        server.kill()
    for server in (own_stack.broker, own_stack.valkey):
        server.restart()

    assert (own_stack.kafka, own_stack.redis) == addresses
    assert read(own_stack.kafka, topic, 2) == [b"one", b"two"]
    with redis.Redis.from_url(own_stack.redis) as client:
        assert client.get("survives") == b"yes"


def test_a_frozen_server_answers_again_when_it_is_resumed(own_stack: LocalStack) -> None:
    """A paused server keeps its port open but does not answer; resume brings it back."""
    port = port_of(own_stack.redis)
    own_stack.valkey.pause()
    frozen = valkey.answers(port)
    own_stack.valkey.resume()
    own_stack.valkey.wait()

    assert not frozen
    assert valkey.answers(port)


def test_a_folder_in_use_is_refused(own_stack: LocalStack) -> None:
    """A second stack over the same data is refused, and the first one continues."""
    with pytest.raises(LocalStackError, match=r"runs in .* already"):
        LocalStack(own_stack.folder, 0, 0).start()

    assert broker.answers(port_of(own_stack.kafka))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_server_outlives_the_program_that_started_it(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, a normal end and a SIGKILL of the program all leave nothing running."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as holder:
        assert holder.stdout is not None
        servers = [ProcessId(pid, started) for pid, started in json.loads(holder.stdout.readline())]
        running = all(map(is_alive, servers))
        os.killpg(holder.pid, number)  # as a terminal does: to the whole group

    assert running
    assert wait_until_gone(servers)


def all_is_well(server: Prometheus, jobs: set[str]) -> None:
    """Prometheus reaches all programs, has evaluated all rules, and nothing fires but the Watchdog."""
    until(lambda: len(server.query("up == 1")) == len(jobs) and "unknown" not in server.health_of_rules())
    until(lambda: server.query('ALERTS{alertstate="firing"}'))
    programs = {series["job"] for series in server.query("forewarn_build_info == 1")}
    firing = {series["alertname"] for series in server.query('ALERTS{alertstate="firing"}')}

    assert programs == jobs
    assert firing == {"Watchdog"}
    assert server.health_of_rules() == {"ok"}


def overview_of(exported: Mapping[str, str]) -> Overview:
    """What ``forewarn top`` says once all programs are ready, where the exported settings lead it."""
    targets = Settings.from_environ(exported).targets
    until(lambda: all(each.state == "ready" for each in overview((), look(targets)).programs))
    return msgspec.json.decode(said(exported, "top", "--once", "--json", "--every", "0.5"), type=Overview)


def doctor_of(exported: Mapping[str, str]) -> dict[str, str]:
    """What ``forewarn doctor`` finds with the exported settings: the state of each part."""
    found = map(json.loads, said(exported, "doctor", "--json").splitlines())
    return {each["part"]: each["state"] for each in found}


def said(exported: Mapping[str, str], *arguments: str) -> str:
    """What a command writes on its standard output; it must succeed."""
    command = [sys.executable, "-c", "from streams.cli import main; main()", *arguments]
    environ = os.environ | dict(exported)
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=True).stdout


def test_what_up_has_started_is_started_again_when_it_ends(tmp_path: Path) -> None:
    """A worker and a server that are killed come back by themselves at their addresses, until ``down``.

    Prometheus finds all programs of the site there, and none of its alerts fires on a site that is well.
    """
    folder = tmp_path / "site"
    ports = ["--kafka-port", str(any_free_port()), "--redis-port", str(any_free_port())]
    http = {f"FOREWARN_{name}": f"127.0.0.1:{any_free_port()}" for name in ("HTTP", "HUNTER_HTTP", "DISPATCHER_HTTP")}
    http |= {f"FOREWARN_CONSOLE_{name}": f"127.0.0.1:{any_free_port()}" for name in ("HTTP", "HEALTH")}
    targets = {f"forewarn-{name}": http[variable] for name, (variable, _) in HEALTH.items()}

    def forewarn(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from streams.cli import main; main()", *arguments, "--folder", str(folder)]
        environ = os.environ | http
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=180, check=False)

    def state() -> StackState:
        found = read_state(folder)
        assert found is not None
        return found

    try:
        up = forewarn("up", *ports)
        assert up.returncode == 0, up.stderr
        before = state()
        for process in (before.valkey, before.services["worker"].process):
            os.kill(process.pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while not (state().works and state().serves and is_ready(http["FOREWARN_HTTP"])):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        after = state()
        again = forewarn("up")
        exported = dict(word.split("=", 1) for word in shlex.split(up.stdout)[1:])
        shown, examined = overview_of(exported), doctor_of(exported)
        if is_installed("prometheus"):
            with prometheus(tmp_path / "prometheus", targets) as server:
                all_is_well(server, set(targets))
    finally:
        forewarn("down")

    assert [(each.program, each.address, each.state) for each in shown.programs] == [
        (name, http[variable], "ready") for name, (variable, _) in HEALTH.items()
    ]
    assert shown.seconds is not None
    assert {"programs", "versions", "replicas", "clocks", "secrets", "space"} <= examined.keys()
    assert {part for part, state in examined.items() if state == "bad"} == set()
    assert (examined["programs"], examined["versions"], examined["replicas"]) == ("good", "good", "good")
    assert after.valkey != before.valkey
    assert after.services["worker"].process != before.services["worker"].process
    assert (after.broker, after.services["hunter"]) == (before.broker, before.services["hunter"])
    assert "worker has ended and is started again in 1 s" in (folder / "keeper.log").read_text()
    assert (again.returncode, again.stdout) == (0, up.stdout)
    assert after.keeper is not None
    assert wait_until_gone([after.keeper, *after.running().values()])


def test_up_twice_and_down_twice(tmp_path: Path) -> None:
    """The servers outlive ``up``; a second ``up`` finds them; ``down`` ends them, and a second one does nothing.

    Other users of the machine reach its loopback, so both servers demand passwords.
    """
    folder = tmp_path / "site"
    ports = ["--kafka-port", str(any_free_port()), "--redis-port", str(any_free_port())]

    def forewarn(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from streams.cli import main; main()", *arguments]
        return subprocess.run(
            [*command, "--folder", str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    try:
        first = forewarn("up", "--servers-only", *ports)
        assert first.returncode == 0, first.stderr
        state = json.loads((folder / "stack.json").read_bytes())
        second = forewarn("up", "--servers-only")
        with admin_of(state["kafka"], **login_of(folder).kafka_options()) as admin:
            topics = admin.list_topics()
        with redis.Redis.from_url((folder / "redis.url").read_text()) as client:
            client.ping()
        with redis.Redis.from_url(state["redis"]) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        nobody = broker.answers(port_of(state["kafka"]))
        secrets = login_of(folder)
        texts = {each: each.read_text("latin-1") for each in folder.rglob("*") if each.is_file()}
        modes = {path.stat().st_mode & 0o777 for path, text in texts.items() if any(map(text.__contains__, secrets))}
        letters = Identities([(folder / "letters.key").read_text(encoding="ascii")])
    finally:
        ended = forewarn("down")
        again = forewarn("down", "--delete")
    servers = [ProcessId(**state[name]) for name in ("broker", "valkey")]

    variables = dict(word.split("=", 1) for word in shlex.split(first.stdout)[1:])
    assert variables == {
        "FOREWARN_KAFKA": state["kafka"],
        "FOREWARN_REDIS": "",
        "FOREWARN_REDIS_FILE": str(folder / "redis.url"),
        "FOREWARN_KAFKA_SASL_MECHANISM": "PLAIN",
        "FOREWARN_KAFKA_SASL_USERNAME": "forewarn",
        "FOREWARN_KAFKA_SASL_PASSWORD": "",
        "FOREWARN_KAFKA_SASL_PASSWORD_FILE": str(folder / "kafka.password"),
        "FOREWARN_LEDGER": str(folder / "ledger"),
        "FOREWARN_USERS_FILE": str(folder / "users.json"),
        "FOREWARN_AUDIT_LOG": str(folder / "audit.jsonl"),
        "FOREWARN_SECRET_FILE": str(folder / "site.secret"),
        "FOREWARN_LETTERS_RECIPIENT": letters.recipient,
    }
    assert not nobody
    assert modes == {0o600}
    assert first.stdout.startswith("export ")
    assert (second.returncode, second.stdout) == (0, first.stdout)
    assert "Already running" in second.stderr
    assert {"calls", "sms", "alerts"} <= set(topics)
    assert (ended.returncode, again.returncode) == (0, 0)
    assert "Nothing is running" in again.stderr
    assert not any(map(is_alive, servers))
    assert not folder.exists()
