"""The ground of the scenarios: holds servers, a backlog in their topics, and the alerts of an undisturbed run."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from kafka.admin import AlterConfigOp, ConfigResource

from bench.filling import fill
from bench.pipeline import ends
from streams.kafka.contracts import apply, load, open_admin
from streams.kafka.indicator_topic import publish
from streams.local.stack import LocalStack
from streams.settings import Settings
from tests.chaos.city import City
from tests.chaos.trial import Trial
from tests.site import Site

PARTITIONS = 8


@dataclass
class Ground:
    """Topics with a city's day on a local stack; every trial reads them with its own consumer group."""

    stack: LocalStack
    city: City
    folder: Path
    prefix: str = ""
    redis: str = ""
    """Another Redis than the stack's."""
    expected: frozenset[bytes] = frozenset()
    refused: frozenset[bytes] = frozenset()
    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    _names: Iterator[int] = field(default_factory=itertools.count)

    @property
    def settings(self) -> Settings:
        """The settings with the servers' addresses."""
        return Settings(kafka=self.stack.kafka, redis=self.redis or self.stack.redis, topic_prefix=self.prefix)

    @property
    def events(self) -> int:
        """The number of records in the backlog."""
        return sum(self.ends.values())

    def beside(self, prefix: str, *, heartbeats: bool = False) -> Ground:
        """A second ground with its own empty topics on the same servers."""
        other = replace(self, prefix=prefix, ends={}, expected=frozenset(), refused=frozenset())
        other.create_topics(heartbeats=heartbeats)
        return other

    def create_topics(self, *, heartbeats: bool = False) -> None:
        """Create the topics that the contracts require; without ``heartbeats``, `signals` has no append times.

        Then heartbeats have no effect. A trial may begin minutes after its records were written, and the calls that are
        open at their end would by then be long ones for its worker, but not for a replay that knows no append times.
        """
        with open_admin(self.settings) as admin:
            apply(load(self.settings.topics_file), admin, self.settings)
            if not heartbeats:
                config = {"message.timestamp.type": (AlterConfigOp.SET, "CreateTime")}
                admin.alter_configs([ConfigResource("TOPIC", self.settings.topic("signals"), config)])

    def prepare(self) -> None:
        """Create the topics, fill them, and compute the expected alerts and dead letters."""
        self.create_topics()
        asyncio.run(publish(self.settings, self.city.indicators()))
        asyncio.run(fill(self.settings, self.city.records(), PARTITIONS, lambda count: None))
        self.ends = ends(self.settings)
        self.expected = frozenset(self.city.alerts())
        self.refused = frozenset(self.city.broken())

    @contextmanager
    def trial(self, name: str) -> Iterator[Trial]:
        """A trial over the backlog from its beginning; its workers are stopped afterwards."""
        group = f"{name}-{next(self._names)}"
        folder = self.folder / group
        folder.mkdir(parents=True)
        settings = replace(self.settings, group=group, alerts_when_repeated="publish")
        site = Site(settings, folder, watch=self.stack.watch)
        trial = Trial(site, self.ends, self.expected, self.refused, site.ends("alerts"), site.ends("dead-letters"))
        try:
            yield trial
        finally:
            trial.end()
