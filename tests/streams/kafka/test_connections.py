"""Broken connections: aiokafka must get an error that it handles, also on uvloop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvloop
from aiokafka import conn
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed
from aiokafka.protocol.metadata import MetadataRequest

from streams.kafka.connections import Connection
from streams.kafka.login import LoginRefusedError

UPSTREAM: Any = Connection.__mro__[1]


async def send_on_a_broken(kind: Any) -> None:
    """Send a request over a connection of this class whose transport has just been closed."""
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    reader, writer = await asyncio.open_connection(host, port)
    connection = kind(host, port)
    connection._reader, connection._writer, connection._versions = reader, writer, {3: (0, 12)}
    connection._read_task = asyncio.create_task(asyncio.sleep(0))
    writer.transport.abort()
    await asyncio.sleep(0.05)
    try:
        await connection.send(MetadataRequest([]))
    finally:
        server.close()


def test_a_request_on_a_broken_connection_is_an_error_of_kafka() -> None:
    with pytest.raises(KafkaConnectionError):
        uvloop.run(send_on_a_broken(Connection))


def test_what_it_mends_is_still_broken_upstream() -> None:
    """When this test fails, `streams.kafka.connections` can be removed."""
    with pytest.raises(RuntimeError, match="handler is closed"):
        uvloop.run(send_on_a_broken(UPSTREAM))


def test_it_is_in_place() -> None:
    assert conn.AIOKafkaConnection is Connection


LOGIN = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_plain_username": "forewarn-hunter"}


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that refuses every login."""

    async def refuse(_: Any) -> None:
        raise SaslAuthenticationFailed("Authentication failed")

    monkeypatch.setattr(UPSTREAM, "connect", refuse)


@pytest.mark.usefixtures("refused")
async def test_a_client_whose_login_is_refused_says_so_and_what_to_do() -> None:
    """Otherwise aiokafka would only say that no server answers, and a program would wait for ever."""
    with pytest.raises(LoginRefusedError, match=r"refuses the login of forewarn-hunter .*_SASL_PASSWORD_FILE"):
        await AIOKafkaClient(bootstrap_servers="127.0.0.1:1", **LOGIN, sasl_plain_password="wrong").bootstrap()


@pytest.mark.usefixtures("refused")
async def test_a_running_client_that_is_refused_goes_on_trying() -> None:
    """A broker that restarts may not know its users yet."""
    with pytest.raises(SaslAuthenticationFailed):
        await Connection("127.0.0.1", 1, **LOGIN, sasl_plain_password="wrong", on_close=print).connect()
