"""The topic contracts with a real Kafka: diff, apply and their refusals, and the worker's check at its start."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
from click.testing import CliRunner, Result
from kafka import KafkaProducer
from kafka.admin import ConfigResource, KafkaAdminClient

from streams.cli.topics import topics
from streams.kafka.contracts import (
    BrokerError,
    Contracts,
    InvalidContracts,
    apply,
    check_worker,
    diff,
    load,
    open_admin,
)
from streams.settings import Settings
from tests.site import SECRET

TOPICS = Path(__file__).parents[2] / "topics.yaml"


class Servers(Protocol):
    """The servers of the session's stack that these tests need."""

    @property
    def kafka(self) -> str:
        """Kafka's address."""
        ...


@pytest.fixture
def settings(stack: Servers, topic_prefix: str, tmp_path: Path) -> Settings:
    """The settings of a separate site on the session's Kafka."""
    return Settings(kafka=stack.kafka, topic_prefix=topic_prefix, audit_log=tmp_path / "audit.jsonl")


@pytest.fixture
def admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    """An open admin client; the site's topics are deleted afterwards."""
    with open_admin(settings) as client:
        yield client
        if mine := [name for name in client.list_topics() if name.startswith(settings.topic_prefix)]:
            client.delete_topics(mine)


@pytest.fixture
def contracts() -> Contracts:
    """The contracts that ship with Forewarn."""
    return load(TOPICS)


def changed(contracts: Contracts, *names: str, **fields: Any) -> Contracts:
    """The same contracts, with these fields changed for these topics."""
    others = {name: replace(contracts[name], **fields) for name in names}
    return replace(contracts, topics={**contracts.topics, **others})


def configured(admin: KafkaAdminClient, topic: str, config: str) -> str:
    """The value of a topic's setting on the cluster."""
    found = admin.describe_configs([ConfigResource("TOPIC", topic)], config_filter="all")
    return str(found["topic"][topic][config]["value"])


def test_apply_brings_an_empty_cluster_to_the_contract(
    contracts: Contracts, admin: KafkaAdminClient, settings: Settings
) -> None:
    """Every topic has its prefix, partitions and configs, and is ready when apply returns; another changes nothing."""
    done = apply(contracts, admin, settings)
    described = {topic["name"]: topic for topic in admin.describe_topics([change.topic for change in done])}

    assert {change.action for change in done} == {"create"}
    assert set(described) == {settings.topic(name) for name in contracts.topics}
    for name, topic in contracts.topics.items():
        parts = described[settings.topic(name)]["partitions"]
        assert len(parts) == topic.partitions
        assert all(part["leader_id"] >= 0 for part in parts)
    assert configured(admin, settings.topic("calls"), "retention.ms") == "345600000"
    assert diff(contracts, admin, settings).changes == ()
    assert apply(contracts, admin, settings) == ()


def test_a_record_of_more_than_a_megabyte_arrives_and_fits_the_dead_letters(
    contracts: Contracts, admin: KafkaAdminClient, settings: Settings
) -> None:
    """Kafka's default limit would refuse it at the broker, where nobody sees it."""
    apply(contracts, admin, settings)
    headers = [(f"forewarn.error.{name}", b"x" * 1000) for name in ("reason", "topic", "detail")]
    with KafkaProducer(**settings.kafka_options(), max_request_size=3 * 1024 * 1024) as producer:
        largest = 2 * 1024 * 1024 - 1000
        calls = producer.send(settings.topic("calls"), b"x" * largest, key=b"8610000000001").get(timeout=20)
        letter = producer.send(settings.topic("dead-letters"), b"x" * largest, headers=headers).get(timeout=20)

    assert calls.offset == 0
    assert letter.offset == 0


def test_partitions_grow(contracts: Contracts, admin: KafkaAdminClient, settings: Settings) -> None:
    """The three topics that the worker reads together grow in one step."""
    small = changed(contracts, "calls", "sms", "signals", partitions=2)
    apply(small, admin, settings)
    done = apply(contracts, admin, settings)

    assert {(change.action, change.before, change.after) for change in done} == {("grow", "2", "8")}
    assert len(done) == 3
    assert diff(contracts, admin, settings).changes == ()


@pytest.mark.parametrize("topic", ["indicators", "subscribers", "dispatch"])
def test_a_compacted_topic_is_not_grown(
    contracts: Contracts, admin: KafkaAdminClient, settings: Settings, topic: str
) -> None:
    """The message says which number to write, and with that number there is nothing to do."""
    apply(contracts, admin, settings)
    partitions = contracts[topic].partitions
    grown = changed(contracts, topic, partitions=partitions + 3)
    with pytest.raises(InvalidContracts, match=rf"{topic} is compacted and has {partitions} .*: write {partitions}$"):
        apply(grown, admin, settings)

    assert len(admin.describe_topics([settings.topic(topic)])[0]["partitions"]) == partitions
    assert apply(changed(grown, topic, partitions=partitions), admin, settings) == ()


def test_shrinking_is_refused_before_anything_is_changed(
    contracts: Contracts, admin: KafkaAdminClient, settings: Settings
) -> None:
    """The partitions that would be removed hold somebody's records."""
    apply(contracts, admin, settings)
    smaller = changed(changed(contracts, "alerts", partitions=2), "calls", configs={"retention.ms": "1000"})
    with pytest.raises(InvalidContracts, match=r"topics\.alerts\.partitions: .* never shrinks a topic"):
        apply(smaller, admin, settings)

    assert configured(admin, settings.topic("calls"), "retention.ms") == "345600000"
    assert [problem.where for problem in diff(smaller, admin, settings).refusals] == ["topics.alerts.partitions"]


def test_another_replication_is_refused(contracts: Contracts, admin: KafkaAdminClient, settings: Settings) -> None:
    """Raising min.insync.replicas above the single replica would stop every producer."""
    apply(contracts, admin, settings)
    with pytest.raises(InvalidContracts, match="kafka-reassign-partitions"):
        apply(contracts, admin, replace(settings, replication=3))

    assert configured(admin, settings.topic("alerts"), "min.insync.replicas") == "1"


def test_a_replication_that_the_cluster_cannot_give_is_said_in_one_sentence(
    contracts: Contracts, admin: KafkaAdminClient, settings: Settings
) -> None:
    """The sentence contains the broker's own reason."""
    with pytest.raises(BrokerError, match=r"Kafka refused to create .*replication factor of 3") as caught:
        apply(contracts, admin, replace(settings, replication=3))

    assert str(caught.value).count("replication factor") == 1


def test_drift_is_repaired(contracts: Contracts, admin: KafkaAdminClient, settings: Settings) -> None:
    """A changed config is restored, and an added one is reset."""
    apply(contracts, admin, settings)
    alerts = settings.topic("alerts")
    admin.alter_configs([ConfigResource("TOPIC", alerts, {"retention.ms": "1000", "retention.bytes": "5000000"})])
    wait_until_configured(admin, alerts, "retention.ms", "1000")
    done = apply(contracts, admin, settings)
    wait_until_configured(admin, alerts, "retention.ms", "2592000000")

    assert {(change.topic, change.what, change.before, change.after) for change in done} == {
        (alerts, "retention.ms", "1000", "2592000000"),
        (alerts, "retention.bytes", "5000000", None),
    }
    assert configured(admin, alerts, "retention.bytes") == "-1"


def wait_until_configured(admin: KafkaAdminClient, topic: str, config: str, value: str) -> None:
    """Wait until the broker reports this value; it follows the controller within moments."""
    deadline = time.monotonic() + 10
    while configured(admin, topic, config) != value:
        assert time.monotonic() < deadline, f"{config} is still not {value}"
        time.sleep(0.05)


def test_a_worker_may_start_on_what_apply_made(
    contracts: Contracts, admin: KafkaAdminClient, settings: Settings
) -> None:
    """The check has no complaint."""
    apply(contracts, admin, settings)

    check_worker(contracts, admin, settings)


def test_a_worker_may_not_start_without_its_topics(
    contracts: Contracts, admin: KafkaAdminClient, settings: Settings
) -> None:
    """The error names what is missing, and the command that fixes it."""
    with pytest.raises(BrokerError, match=r"has no topic .*calls.*run `forewarn topics apply`"):
        check_worker(contracts, admin, settings)


def test_a_worker_may_not_start_on_unequal_partitions(
    contracts: Contracts, admin: KafkaAdminClient, settings: Settings
) -> None:
    """Somebody changed one of the three by hand."""
    apply(contracts, admin, settings)
    admin.create_partitions({settings.topic("sms"): 9})
    deadline = time.monotonic() + 10
    while len(admin.describe_topics([settings.topic("sms")])[0]["partitions"]) != 9:
        assert time.monotonic() < deadline, "sms has not grown"
        time.sleep(0.05)

    with pytest.raises(BrokerError, match=r"unequal partition counts \(.*calls 8, .*sms 9, .*signals 8\)"):
        check_worker(contracts, admin, settings)


def run(settings: Settings, *arguments: str) -> Result:
    """Run the command as a user's shell does."""
    environ = {
        "FOREWARN_KAFKA": settings.kafka,
        "FOREWARN_TOPIC_PREFIX": settings.topic_prefix,
        "FOREWARN_SECRET": SECRET,
        "FOREWARN_AUDIT_LOG": str(settings.audit_log),
    }
    return CliRunner().invoke(topics, [*arguments, "--file", str(TOPICS)], env=environ)


def test_the_commands_end_as_terraform_does(admin: KafkaAdminClient, settings: Settings) -> None:
    """Diff 3, apply 0, diff 0, apply 0; machines read the changes as JSON."""
    del admin  # deletes the topics afterwards
    before, applied = run(settings, "diff", "--json"), run(settings, "apply")
    after, again = run(settings, "diff"), run(settings, "apply", "--json")

    assert [result.exit_code for result in (before, applied, after, again)] == [3, 0, 0, 0]
    assert len(json.loads(before.stdout)["changes"]) == 15
    assert f"+ {settings.topic('calls')}: create with partitions 8, replication 1" in applied.stdout
    assert "15 topics created, 0 other changes" in applied.stderr
    assert after.stdout == ""
    assert json.loads(again.stdout) == {"changes": []}


def test_a_kafka_without_an_authorizer_is_said_in_one_line(settings: Settings) -> None:
    """It would take the rules, and everybody could go on doing everything."""
    result = run(settings, "acl", "--diff")

    assert (result.exit_code, len(result.output.splitlines())) == (1, 1)
    assert "has no authorizer" in result.stderr


@pytest.mark.parametrize("arguments", [["diff"], ["apply"], ["diff", "--json"]])
def test_a_broker_that_does_not_answer_is_said_in_one_line_within_ten_seconds(
    settings: Settings, arguments: list[str]
) -> None:
    """The line gives address, reason, setting and remedy, without kafka-python's own log."""
    start = time.monotonic()
    result = run(replace(settings, kafka="127.0.0.1:1"), *arguments)

    assert time.monotonic() - start < 10
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1
    for words in ("127.0.0.1:1", "refused", "FOREWARN_KAFKA", "forewarn up"):
        assert words.lower() in result.stderr.lower()


def test_a_login_that_the_broker_does_not_offer_shows_no_password(settings: Settings) -> None:
    """The message says that Kafka refuses the login, and does not contain the password."""
    login = replace(settings, kafka_sasl_mechanism="PLAIN", kafka_sasl_username="u", kafka_sasl_password="hush")

    with pytest.raises(BrokerError, match="refuses the login of u") as caught, open_admin(login, timeout_s=2):
        pass
    assert "hush" not in str(caught.value)
