"""Counting: how many dead letters wait, were redriven or were discarded, by topic, reason and source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from streams.kafka.found_letters import Found, Origin
from streams.letters.handled import Handled


@dataclass
class Group:
    """The letters with one topic, reason and source."""

    example: Found
    """The first of them that waits, or the first of all if none does."""
    first: int
    """When the first of their records arrived (epoch ms)."""
    last: int
    counts: Counter[str] = field(default_factory=Counter)
    """By what was done about them; ``waiting`` are those about which nothing was done."""


class Counts:
    """Counts letters one by one, each of another record."""

    def __init__(self, handled: Mapping[Origin, Handled]) -> None:
        self._handled = handled
        self._groups: dict[tuple[str, str, str], Group] = {}

    def take(self, letter: Found) -> None:
        """Count a letter."""
        at = letter.origin.timestamp
        name = letter.origin.topic, letter.reason, letter.source
        group = self._groups.setdefault(name, Group(letter, at, at))
        handled = self._handled.get(letter.origin)
        if handled is None and not group.counts["waiting"]:
            group.example = letter
        group.counts["waiting" if handled is None else handled.status] += 1
        group.first, group.last = min(group.first, at), max(group.last, at)

    def groups(self) -> Iterator[Group]:
        """The groups, those with most letters waiting first."""
        yield from sorted(self._groups.values(), key=lambda group: -group.counts["waiting"])
