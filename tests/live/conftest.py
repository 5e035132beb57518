"""Fixtures: a site for each live test, and one for each module whose tests do not disturb each other."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from streams.settings import Settings
from tests.site import Site
from tests.topics import delete_topics


class Servers(Protocol):
    """The servers of the session's stack."""

    @property
    def kafka(self) -> str:
        """Kafka's address."""
        ...

    @property
    def redis(self) -> str:
        """Valkey's URL."""
        ...


@pytest.fixture
def site(stack: Servers, topic_prefix: str, tmp_path: Path) -> Iterator[Site]:
    """A site with its topics, for one test."""
    site = Site(Settings(kafka=stack.kafka, redis=stack.redis, topic_prefix=topic_prefix), tmp_path, by_points=True)
    site.apply_topics()
    yield site
    site.tell()
    site.stop()


@pytest.fixture(scope="module")
def shared_site(stack: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with its topics, for the tests of one module."""
    settings = Settings(kafka=stack.kafka, redis=stack.redis, topic_prefix=f"t{uuid.uuid4().hex[:12]}.")
    site = Site(settings, tmp_path_factory.mktemp("site"), by_points=True)
    site.apply_topics()
    yield site
    site.tell()
    site.stop()
    delete_topics(stack.kafka, settings.topic_prefix)
