"""Fixtures: the real Kafka and the real Valkey that live tests share, started when a test needs them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import tests.kafka_sockets  # noqa: F401  # closes the sockets that kafka-python leaves open
from streams.local.guard import Guard
from streams.local.ports import LOOPBACK, any_free_port
from streams.local.process import Launch, Server
from streams.local.stack import LocalStack
from streams.local.valkey import answers, find_valkey, valkey_command
from tests.topics import delete_topics

# A busy machine is no failure, nor is a function that is compiled at its first call.
settings.register_profile("no-deadline", deadline=None)
settings.register_profile("fuzz", max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
if settings.get_current_profile_name() == "default":
    settings.load_profile("no-deadline")

LIVE = Path(__file__).parent / "live"

# A shell that is set up for a real site must not lead a test there.
for variable in [name for name in os.environ if name.startswith("FOREWARN_")]:
    if not variable.startswith("FOREWARN_TEST_"):
        del os.environ[variable]


@dataclass(frozen=True, slots=True)
class Servers:
    """The addresses of the session's servers: Kafka's ``host:port`` and Valkey's URL."""

    kafka: str
    redis: str


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test under tests/live as live."""
    for item in items:
        if LIVE in item.path.parents:
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The session's Kafka and Valkey, or the servers of FOREWARN_TEST_KAFKA and FOREWARN_TEST_REDIS if both are set."""
    kafka, redis = os.environ.get("FOREWARN_TEST_KAFKA"), os.environ.get("FOREWARN_TEST_REDIS")
    if kafka and redis:
        yield Servers(kafka, redis)
        return
    with LocalStack(tmp_path_factory.mktemp("stack"), kafka_port=0, redis_port=0) as local:
        yield Servers(local.kafka, local.redis)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Valkey for the session, without Kafka; the one of FOREWARN_TEST_REDIS if that is set."""
    if redis := os.environ.get("FOREWARN_TEST_REDIS"):
        yield redis
        return
    folder, port, guard = tmp_path_factory.mktemp("valkey"), any_free_port(), Guard()
    server = Server(
        Launch(
            name="Valkey",
            command=valkey_command(find_valkey(), port),
            folder=folder,
            log=folder / "server.log",
            answers=partial(answers, port),
        ),
        guard.watch,
    )
    try:
        server.start()
        server.wait()
        yield f"redis://{LOOPBACK}:{port}/0"
    finally:
        server.stop()
        guard.close()


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack for one module. Its tests may kill, freeze and restart the servers, and each test leaves them running."""
    with LocalStack(tmp_path_factory.mktemp("own-stack"), kafka_port=0, redis_port=0) as local:
        yield local


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> Iterator[str]:
    """A prefix for topics, groups and Redis keys that no other test uses; the session's Kafka forgets its topics."""
    prefix = f"t{uuid.uuid4().hex[:12]}."
    yield prefix
    if "stack" in request.fixturenames:
        servers: Servers = request.getfixturevalue("stack")
        delete_topics(servers.kafka, prefix)
