"""Model: topic contracts as frozen values; `reading` makes them, `validation` and `broker` use them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.events.numbering import CHINA, Sources
from streams.kafka.login import LoginRefusedError

SAME_PARTITIONS = ("calls", "sms", "signals")
"""Topics with equal partition counts: one agent reads them together, so a subscriber must be in the same partition of
each."""

WORKER = "worker"
"""The name of the scoring worker among the producers and consumers in topics.yaml."""


@dataclass(frozen=True, order=True)
class Problem:
    """One fault of a contract: where it is, and a sentence that says what to do."""

    file: str
    line: int
    where: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.where}: {self.message}" if self.where else f"{place}: {self.message}"


class ContractError(Exception):
    """The contracts, or the cluster that should match them, cannot be used as they are."""


class InvalidContracts(ContractError):  # noqa: N818 - reads as what it is
    """The contracts have problems; ``problems`` holds all of them, and the message shows one on each line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class BrokerError(ContractError):
    """Kafka cannot be reached, refuses a request, or does not match the contracts."""


class BrokerLoginError(BrokerError, LoginRefusedError):
    """Kafka refuses the login."""


class NotAllowedError(BrokerError):
    """Kafka does not allow this login what was asked; the message says where the rights are."""


@dataclass(frozen=True)
class Topic:
    """The contract of one topic."""

    name: str
    description: str
    owner: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    key: str | None
    """The meaning of the record key; None: the records have no key."""
    schema: str | None
    """The path of the JSON Schema, relative to topics.yaml; None: records are any bytes."""
    version: int | None
    partitions: int
    replication: int
    configs: Mapping[str, str] = field(hash=False)
    """Kafka's topic configs, including the defaults of the contract."""
    dead_letter: str | None
    """The topic for dead letters: records of this topic that cannot be read."""
    headers: Mapping[str, str] = field(hash=False)
    """The meaning of each header, by its name."""

    @property
    def compacted(self) -> bool:
        """Whether the topic is compacted: Kafka keeps the last record of each key."""
        return "compact" in cleanup_policy(self.configs.get("cleanup.policy", ""))


@dataclass(frozen=True)
class Program:
    """A program that connects to Kafka, ours or another system's."""

    name: str
    description: str
    principals: tuple[str, ...]
    """The principals under which it logs in, such as ``User:forewarn-worker``."""
    groups: tuple[str, ...] = ()
    """The consumer groups that it may use: without the site's prefix, ``{group}`` for the site's group, and with ``*``
    at the end for all that begin so."""
    transactions: tuple[str, ...] = ()
    """Its transactional ids, written in the same way."""
    manages_topics: bool = False
    """Whether it may create, grow and configure every topic."""
    reads_configs: bool = False
    """Whether it may learn where every topic ends and for how long it keeps its records."""


@dataclass(frozen=True)
class Contracts:
    """Every topic contract of one ``topics.yaml``."""

    file: Path
    topics: Mapping[str, Topic]
    sources: Sources = CHINA
    """Which carriers and switches there are, and how they write numbers."""
    programs: Mapping[str, Program] = field(default_factory=dict)
    """Which programs connect to Kafka; empty for a file from before they were declared."""
    lines: Mapping[str, int] = field(repr=False, default_factory=dict)
    """The line in the file by path, for example by ``topics.calls.partitions``."""

    def __getitem__(self, name: str) -> Topic:
        return self.topics[name]

    def of_worker(self) -> tuple[str, ...]:
        """Names of the topics that the scoring worker reads or writes."""
        return tuple(name for name, topic in self.topics.items() if WORKER in (*topic.producers, *topic.consumers))

    def problem(self, where: str, message: str) -> Problem:
        """A problem at this path, with its line or that of the nearest path above it."""
        place = where
        while place not in self.lines and "." in place:
            place = place.rpartition(".")[0]
        return Problem(str(self.file), self.lines.get(place, 0), where, message)

    def schema_path(self, topic: Topic) -> Path | None:
        """The path of the topic's JSON Schema; None when its records are any bytes."""
        return None if topic.schema is None else self.file.parent / topic.schema

    def example_paths(self, topic: Topic) -> tuple[Path, Path] | None:
        """The files of example records that fit the schema and of those that must not; one JSON value on each line.

        They are in the folder ``examples/`` next to the schema and have its name. None when the topic has no schema.
        """
        schema = self.schema_path(topic)
        if schema is None:
            return None
        folder = schema.parent / "examples"
        return folder / f"{schema.stem}.jsonl", folder / f"{schema.stem}.bad.jsonl"


def cleanup_policy(value: str) -> frozenset[str]:
    """The words of a ``cleanup.policy``, whose order does not matter.

    >>> sorted(cleanup_policy("delete, compact"))
    ['compact', 'delete']
    """
    return frozenset(word.strip() for word in value.split(",") if word.strip())
