"""Rights: which access rules (ACLs) Kafka needs for the programs of the contracts, as values; `acl` asks Kafka.

Reading and writing a topic include describing it, and so do the rights to manage it. So few rules say "describe".
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from streams.kafka.contracts.model import Contracts, Program
from streams.settings import Settings

ResourceKind = Literal["topic", "group", "transactional-id"]

EVERYTHING: Final = "*"
"""Kafka's name for all resources of a kind, and for all hosts."""
MANAGING: Final = ("Create", "Alter", "AlterConfigs")
"""What ``forewarn topics apply`` does to a topic. Nothing of Forewarn deletes one."""

LOOKING: Final = ("Describe", "DescribeConfigs")
"""What it takes to learn where a topic ends and for how long it keeps its records, without reading them."""


class Resource(NamedTuple):
    """What an access rule is about: one name, all names that begin with it, or everything of its kind (``*``)."""

    kind: ResourceKind
    name: str
    prefixed: bool = False

    def overlaps(self, other: Resource) -> bool:
        """Whether some name belongs to both.

        >>> Resource("topic", "north.", prefixed=True).overlaps(Resource("topic", "north.calls"))
        True
        """
        if self.kind != other.kind:
            return False
        if any(each.name == EVERYTHING and not each.prefixed for each in (self, other)) or self.name == other.name:
            return True
        covers = self.prefixed and other.name.startswith(self.name)
        return covers or (other.prefixed and self.name.startswith(other.name))

    def __str__(self) -> str:
        name = f"{self.name}*" if self.prefixed else self.name
        return f"{self.kind} {name}"


@dataclass(frozen=True, order=True)
class Right:
    """One access rule of Kafka."""

    principal: str
    resource: Resource
    operation: str
    """By Kafka's own name, for example ``Read``."""
    host: str = EVERYTHING
    """From where it holds; ``*`` is everywhere."""
    allowed: bool = True
    """False: the rule denies the operation."""

    def __str__(self) -> str:
        verb = "may" if self.allowed else "may not"
        place = "" if self.host == EVERYTHING else f" from {self.host}"
        return f"{self.principal} {verb} {self.operation} {self.resource}{place}"


@dataclass(frozen=True)
class Comparison:
    """What Kafka lacks of the contracts' rights, and which rules it has beyond them on the site's names."""

    missing: tuple[Right, ...]
    own: tuple[Right, ...]
    """Rules beyond the contracts that stand on one of the site's names, and so concern nothing else."""
    others: tuple[Right, ...]
    """Rules that deny something, or that also cover names that are not the site's; only their owner can judge them."""


def rights(contracts: Contracts, settings: Settings) -> tuple[Right, ...]:
    """Every right that the contracts give, program by program; a principal of two programs has each right once."""
    given = (
        Right(principal, resource, operation)
        for program in contracts.programs.values()
        for principal in program.principals
        for resource, operation in _of_program(program, contracts, settings)
    )
    return tuple(dict.fromkeys(given))


def _of_program(program: Program, contracts: Contracts, settings: Settings) -> Iterator[tuple[Resource, str]]:
    for topic in contracts.topics.values():
        resource = Resource("topic", settings.topic(topic.name))
        if program.name in topic.consumers:
            yield resource, "Read"
        if program.name in topic.producers:
            yield resource, "Write"
        if program.manages_topics:
            yield from ((resource, operation) for operation in MANAGING)
        if program.reads_configs:
            yield from ((resource, operation) for operation in LOOKING)
    for pattern in program.groups:
        yield _named("group", pattern, settings), "Read"
    for pattern in program.transactions:
        yield _named("transactional-id", pattern, settings), "Write"


def _named(kind: ResourceKind, pattern: str, settings: Settings) -> Resource:
    name = settings.topic_prefix + pattern.replace("{group}", settings.group)
    return Resource(kind, name.removesuffix("*"), name.endswith("*"))


def compare(wanted: Collection[Right], present: Collection[Right]) -> Comparison:
    """Compare the contracts' rights with a cluster's rules; those that touch none of the site's names are left out.

    A wider rule does not stand for a narrower one: the right is missing until it has a rule of its own.
    """
    names = {right.resource for right in wanted}
    there, beyond = set(present), set(present) - set(wanted)
    touching = sorted(right for right in beyond if any(right.resource.overlaps(name) for name in names))
    own = tuple(right for right in touching if right.allowed and right.resource in names)
    return Comparison(
        missing=tuple(right for right in wanted if right not in there),
        own=own,
        others=tuple(right for right in touching if right not in own),
    )


def by_resource(given: Iterable[Right]) -> dict[tuple[str, Resource], list[str]]:
    """The operations of rights that hold everywhere, by principal and resource."""
    found: dict[tuple[str, Resource], list[str]] = {}
    for right in given:
        found.setdefault((right.principal, right.resource), []).append(right.operation)
    return found


def script(given: Iterable[Right], servers: str) -> Iterator[str]:
    """The lines of a shell script that grants these rights with Kafka's own ``kafka-acls.sh``.

    It expects the login of a super user in ``admin.properties``.
    """
    for (principal, resource), operations in by_resource(given).items():
        words = ["kafka-acls.sh", "--bootstrap-server", servers, "--command-config", "admin.properties", "--add"]
        words += ["--allow-principal", principal]
        words += [word for operation in operations for word in ("--operation", operation)]
        words += [f"--{resource.kind}", resource.name]
        words += ["--resource-pattern-type", "prefixed" if resource.prefixed else "literal"]
        yield shlex.join(words)
