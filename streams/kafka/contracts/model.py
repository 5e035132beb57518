"""What a topic contract is: the frozen values that reading makes, for validation and the broker side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SAME_PARTITIONS = ("calls", "sms", "signals")
"""One agent reads these together, so a subscriber must be in the same partition of each: equal counts."""

WORKER = "worker"
"""How topics.yaml names the scoring worker among producers and consumers."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with a contract: where it is, and a sentence that says what to do."""

    file: str
    line: int
    where: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.where}: {self.message}" if self.where else f"{place}: {self.message}"


class ContractError(Exception):
    """The contracts, or the cluster that should fulfil them, cannot be used as they are."""


class InvalidContracts(ContractError):  # noqa: N818 - reads as what it is
    """The contracts have problems; ``problems`` holds them all, and the message shows one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class BrokerError(ContractError):
    """Kafka cannot be reached, refuses, or does not have what the contracts say."""


@dataclass(frozen=True)
class Topic:
    """The contract of one topic."""

    name: str
    description: str
    owner: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    key: str | None
    """What the record key is; None: records without key."""
    schema: str | None
    """The JSON Schema's path, relative to topics.yaml; None: any bytes."""
    version: int | None
    partitions: int
    replication: int
    configs: Mapping[str, str] = field(hash=False)
    """Kafka's topic configs, the contract's defaults included."""
    dead_letter: str | None
    """The topic that takes records of this one which cannot be read."""
    headers: Mapping[str, str] = field(hash=False)
    """Header names with what they hold."""

    @property
    def compacted(self) -> bool:
        """Whether Kafka keeps the last record of each key."""
        return "compact" in cleanup_policy(self.configs.get("cleanup.policy", ""))


@dataclass(frozen=True)
class Contracts:
    """Every topic contract of one ``topics.yaml``."""

    file: Path
    topics: Mapping[str, Topic]
    lines: Mapping[str, int] = field(repr=False, default_factory=dict)
    """Line in the file of each place, for example of ``topics.calls.partitions``."""

    def __getitem__(self, name: str) -> Topic:
        return self.topics[name]

    def of_worker(self) -> tuple[str, ...]:
        """Names of the topics that the scoring worker reads or writes."""
        return tuple(name for name, topic in self.topics.items() if WORKER in (*topic.producers, *topic.consumers))

    def problem(self, where: str, message: str) -> Problem:
        """A problem at this place, with its line or that of the nearest place around it."""
        place = where
        while place not in self.lines and "." in place:
            place = place.rpartition(".")[0]
        return Problem(str(self.file), self.lines.get(place, 0), where, message)

    def schema_path(self, topic: Topic) -> Path | None:
        """Where the topic's JSON Schema is; None when its records are any bytes."""
        return None if topic.schema is None else self.file.parent / topic.schema

    def example_paths(self, topic: Topic) -> tuple[Path, Path] | None:
        """Where records that fit the schema are, and records that must not; one JSON value a line.

        They lie in ``examples/`` beside the schema and have its name. None when the topic has no schema.
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
