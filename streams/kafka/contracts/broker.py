"""Broker: compares the contracts with a real Kafka, brings it into line, and checks whether a worker may start.

Nothing here deletes a topic or removes partitions or replicas. A contract that would need that is refused with a
message.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from kafka.admin import AlterConfigOp, ConfigResource, KafkaAdminClient
from kafka.errors import (
    AuthorizationError,
    KafkaError,
    KafkaTimeoutError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)

from streams.kafka.connections import try_login
from streams.kafka.contracts.model import (
    SAME_PARTITIONS,
    BrokerError,
    BrokerLoginError,
    Contracts,
    InvalidContracts,
    NotAllowedError,
    Problem,
    cleanup_policy,
)
from streams.kafka.login import LoginRefusedError
from streams.settings import Settings

CONNECT_TIMEOUT_S = 6.0
"""Seconds that a command waits for a broker that does not answer."""

_OF_THE_BROKER = frozenset({"leader.replication.throttled.replicas", "follower.replication.throttled.replicas"})
"""Topic configs that Kafka's own tools set while they move replicas; they are never reset here."""


@dataclass(frozen=True)
class Change:
    """One step from the cluster's present state to the contract."""

    action: Literal["create", "grow", "configure"]
    topic: str
    """The topic's name on the cluster, with the site's prefix."""
    what: str
    """``topic``, ``partitions``, or the name of a config."""
    before: str | None
    after: str | None
    """The new value; None resets a config to the broker's default."""

    def __str__(self) -> str:
        if self.action == "create":
            return f"{self.topic}: create with {self.after}"
        before = "the default" if self.before is None else self.before
        return f"{self.topic}: {self.what} {before} → {'the default' if self.after is None else self.after}"


@dataclass(frozen=True)
class Plan:
    """All changes that the cluster needs, and the differences that are refused.

    These are fewer partitions, more partitions of a compacted topic, and another replication.
    """

    changes: tuple[Change, ...]
    refusals: tuple[Problem, ...]


@dataclass(frozen=True)
class _State:
    """A topic as it should be or as it is; ``own`` has the names of the configs that are set on the topic itself."""

    partitions: int
    replication: int
    configs: Mapping[str, str | None]
    own: frozenset[str] = frozenset()


@contextmanager
def open_admin(settings: Settings, timeout_s: float = CONNECT_TIMEOUT_S) -> Iterator[KafkaAdminClient]:
    """An admin client for the site's Kafka, closed at the end of the block.

    Raises :class:`BrokerError` with the reason when no server answers within ``timeout_s`` seconds, and for every Kafka
    error inside the block; :class:`BrokerLoginError` when Kafka refuses the login, and :class:`NotAllowedError` when
    this login may not do something. The log of kafka-python is silenced in the whole process during the block.
    """
    try:  # kafka-python misses a refusal when the connection is cut behind it, and tries again until its time is up
        try_login(settings, timeout_s)
    except LoginRefusedError as error:
        raise BrokerLoginError(str(error)) from None
    with _silent_kafka_log() as errors:
        try:
            admin = KafkaAdminClient(
                **settings.kafka_options(),
                client_id="forewarn-topics",
                bootstrap_timeout_ms=int(timeout_s * 1000),
                request_timeout_ms=int(timeout_s * 1000),
                reconnect_backoff_max_ms=1000,
            )
        except (KafkaError, OSError) as error:
            raise BrokerError(
                f"Kafka does not answer at {settings.kafka} ({errors[-1] if errors else error}); "
                "is FOREWARN_KAFKA right? `forewarn up` starts one on this machine"
            ) from None
        try:
            with admin:
                yield admin
        except AuthorizationError as error:
            raise NotAllowedError(
                f"Kafka at {settings.kafka} does not allow this to {_login(settings)} ({type(error).__name__}); "
                "`forewarn topics acl` says which program has which rights"
            ) from error
        except KafkaError as error:
            raise BrokerError(f"Kafka at {settings.kafka} refused: {error}") from error


def _login(settings: Settings) -> str:
    return f"the user {settings.kafka_sasl_username}" if settings.kafka_sasl_username else "this login"


@contextmanager
def _silent_kafka_log() -> Iterator[Sequence[BaseException]]:
    """Keep kafka-python's log off the terminal; yields the exceptions that it logs.

    When no server can be reached, the exception says only that; the reason is in the log alone.

    Shared between threads: kafka-python's own thread logs into ``errors``, because all its I/O runs there, and the
    caller reads them when it has failed. Extending a list and reading it are atomic, so it needs no lock.
    """
    errors: list[BaseException] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            arguments = record.args if isinstance(record.args, tuple) else ()
            errors.extend(
                argument
                for argument in arguments
                if isinstance(argument, BaseException) and not isinstance(argument, KafkaTimeoutError)
            )

    logger, collector = logging.getLogger("kafka"), Collector()
    before = logger.propagate, logger.level
    logger.addHandler(collector)
    logger.propagate = False
    logger.setLevel(logging.WARNING)  # below it, kafka-python logs its whole configuration
    try:
        yield errors
    finally:
        logger.removeHandler(collector)
        logger.propagate, level = before
        logger.setLevel(level)


def diff(contracts: Contracts, admin: KafkaAdminClient, settings: Settings) -> Plan:
    """The changes that the cluster needs; makes none of them.

    Configs that are set on a topic and are not in the contract are to be reset. Raises :class:`BrokerError` when the
    broker refuses to describe a topic.
    """
    wanted = _wanted(contracts, settings)
    existing = _existing(admin, list(wanted))
    changes: list[Change] = []
    refusals: list[Problem] = []
    other_replication: dict[tuple[int, int], list[str]] = {}
    for name, topic in zip(wanted, contracts.topics, strict=True):
        want, have = wanted[name], existing.get(name)
        if have is None:
            shape = f"partitions {want.partitions}, replication {want.replication}"
            changes.append(Change("create", name, "topic", None, shape))
            continue
        if want.partitions > have.partitions and contracts[topic].compacted:
            message = (
                f"{name} is compacted and has {have.partitions} partitions, and the contract says {want.partitions}; "
                "with more of them, the older record of a key would stay in another partition for ever: "
                f"write {have.partitions}"
            )
            refusals.append(contracts.problem(f"topics.{topic}.partitions", message))
        elif want.partitions > have.partitions:
            changes.append(Change("grow", name, "partitions", str(have.partitions), str(want.partitions)))
        elif want.partitions < have.partitions:
            message = (
                f"{name} has {have.partitions} partitions and the contract says {want.partitions}; "
                f"Forewarn never shrinks a topic: write {have.partitions}, or start under another name"
            )
            refusals.append(contracts.problem(f"topics.{topic}.partitions", message))
        if want.replication != have.replication:
            other_replication.setdefault((have.replication, want.replication), []).append(name)
        changes.extend(_config_changes(name, want, have))
    for (has, says), names in other_replication.items():
        message = (
            f"replication is {has} on the cluster and {says} in the contract or FOREWARN_REPLICATION; "
            f"Forewarn does not move replicas: use kafka-reassign-partitions for {', '.join(names)}"
        )
        refusals.append(contracts.problem("topics", message))
    return Plan(tuple(changes), tuple(refusals))


def apply(
    contracts: Contracts, admin: KafkaAdminClient, settings: Settings, timeout_s: float = 30.0
) -> tuple[Change, ...]:
    """Change the cluster to match the contract and return the changes; a second call finds nothing to do.

    It blocks until every new topic and partition has a leader, at most ``timeout_s`` seconds. Raises
    :class:`InvalidContracts` before any change when the plan has refusals, and :class:`BrokerError` when the broker
    refuses a change or is not ready in time.
    """
    plan = diff(contracts, admin, settings)
    if plan.refusals:
        raise InvalidContracts(plan.refusals)
    wanted = _wanted(contracts, settings)
    created = {
        change.topic: {
            "num_partitions": wanted[change.topic].partitions,
            "replication_factor": wanted[change.topic].replication,
            "configs": dict(wanted[change.topic].configs),
        }
        for change in plan.changes
        if change.action == "create"
    }
    grown = {change.topic: wanted[change.topic].partitions for change in plan.changes if change.action == "grow"}
    configured: dict[str, dict[str, tuple[AlterConfigOp, str | None]]] = {}
    for change in plan.changes:
        if change.action == "configure":
            operation = AlterConfigOp.DELETE if change.after is None else AlterConfigOp.SET
            configured.setdefault(change.topic, {})[change.what] = (operation, change.after)
    if created:
        _confirm(admin.create_topics(created, raise_errors=False)["topics"], "create")
    if grown:
        _confirm(admin.create_partitions(grown, raise_errors=False).to_dict()["results"], "grow")
    if configured:
        _configure(admin, configured)
    _wait_for(admin, {name: wanted[name].partitions for name in (*created, *grown)}, timeout_s)
    return plan.changes


def check_worker(contracts: Contracts, admin: KafkaAdminClient, settings: Settings) -> None:
    """Check that a worker may start: its topics exist, and those it reads together have equal partition counts.

    Raises :class:`BrokerError`, which says what is missing and how to repair it.
    """
    names = [settings.topic(topic) for topic in dict.fromkeys((*SAME_PARTITIONS, *contracts.of_worker()))]
    counts = {name: len(topic["partitions"]) for name, topic in _described(admin, names).items()}
    missing = [name for name in names if name not in counts]
    if missing:
        raise BrokerError(
            f"Kafka at {settings.kafka} has no topic {', '.join(missing)}; run `forewarn topics apply` first"
        )
    together = {name: counts[name] for name in map(settings.topic, SAME_PARTITIONS)}
    if len(set(together.values())) > 1:
        said = ", ".join(f"{name} {count}" for name, count in together.items())
        raise BrokerError(
            f"Kafka at {settings.kafka} has unequal partition counts ({said}), so one subscriber's records "
            "would go to different workers; give them one count in topics.yaml, then `forewarn topics apply`"
        )


def _wanted(contracts: Contracts, settings: Settings) -> dict[str, _State]:
    """The state that each topic of the site should have, by its name on the cluster, in the contract's order."""
    wanted = {}
    for name, topic in contracts.topics.items():
        replication = settings.replication or topic.replication
        # Writing continues while one replica is missing; with acks=all no confirmed record is lost then.
        safety = {"min.insync.replicas": str(max(1, replication - 1))}
        wanted[settings.topic(name)] = _State(topic.partitions, replication, safety | dict(topic.configs))
    return wanted


def _existing(admin: KafkaAdminClient, names: list[str]) -> dict[str, _State]:
    """The present state of those of these topics that the cluster has."""
    described = _described(admin, names)
    resources = [ConfigResource("TOPIC", name) for name in described]
    configs = admin.describe_configs(resources, config_filter="all").get("topic", {}) if resources else {}
    for name in described:
        if not configs.get(name):  # kafka-python says of a topic whose configs may not be seen that it has none
            raise TopicAuthorizationFailedError(name)
    return {
        name: _State(
            partitions=len(topic["partitions"]),
            replication=max(len(partition["replica_nodes"]) for partition in topic["partitions"]),
            configs={config: about["value"] for config, about in configs[name].items()},
            own=frozenset(
                config
                for config, about in configs[name].items()
                if about["config_source"] == "DYNAMIC_TOPIC_CONFIG" and config not in _OF_THE_BROKER
            ),
        )
        for name, topic in described.items()
    }


def _described(admin: KafkaAdminClient, names: list[str]) -> dict[str, dict[str, Any]]:
    """Kafka's description of those of these topics that exist."""
    described = {}
    for topic in admin.describe_topics(names):
        error = for_code(topic["error_code"])
        if topic["error_code"] == 0 and topic["partitions"]:
            described[topic["name"]] = topic
        elif issubclass(error, AuthorizationError):
            raise error(topic["name"])
        elif topic["error_code"] and error is not UnknownTopicOrPartitionError:
            raise BrokerError(f"Kafka cannot describe {topic['name']}: {error.__name__}")
    return described


def _config_changes(name: str, want: _State, have: _State) -> Iterator[Change]:
    for config, value in want.configs.items():
        current = have.configs.get(config)
        same = value == current
        if config == "cleanup.policy":
            same = cleanup_policy(value or "") == cleanup_policy(current or "")
        if not same:
            yield Change("configure", name, config, current, value)
    for config in sorted(have.own - set(want.configs)):
        yield Change("configure", name, config, have.configs[config], None)


def _confirm(replies: list[dict[str, Any]], verb: str) -> None:
    """Raise :class:`BrokerError` with the broker's message about each topic that it refused."""
    # Two sites' deployments may apply at the same time, so a topic that exists already is no failure.
    failed: dict[str, list[str]] = {}
    for reply in replies:
        error = for_code(reply["error_code"])
        if reply["error_code"] and error is not TopicAlreadyExistsError:
            failed.setdefault(reply["error_message"] or error.__name__, []).append(reply["name"])
    if failed:
        said = "; ".join(f"{', '.join(names)} ({message})" for message, names in failed.items())
        raise BrokerError(f"Kafka refused to {verb} {said}")


def _configure(admin: KafkaAdminClient, configured: Mapping[str, dict[str, tuple[AlterConfigOp, str | None]]]) -> None:
    resources = [ConfigResource("TOPIC", name, dict(configs)) for name, configs in configured.items()]
    try:
        replies = admin.alter_configs(resources)["topic"]
    except ValueError as error:  # a config that this broker's version does not know
        raise BrokerError(f"Kafka refused to configure: {error}") from None
    failed = [f"{name} ({reply})" for name, reply in replies.items() if reply != "OK"]
    if failed:
        raise BrokerError(f"Kafka refused to configure {', '.join(failed)}")


def _wait_for(admin: KafkaAdminClient, partitions: Mapping[str, int], timeout_s: float) -> None:
    """Block until each topic has so many partitions with a leader; the broker confirms a change before that.

    Raises :class:`BrokerError` after ``timeout_s`` seconds.
    """
    deadline = time.monotonic() + timeout_s
    while partitions:
        described = _described(admin, list(partitions))
        waiting = [
            name
            for name, count in partitions.items()
            if sum(part["leader_id"] >= 0 for part in described.get(name, {"partitions": ()})["partitions"]) < count
        ]
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise BrokerError(f"Kafka has no leader for {', '.join(waiting)} after {timeout_s:g} s; run it again")
        time.sleep(0.1)
