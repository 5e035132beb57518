"""Connections: aiokafka's connection to a broker, adapted to uvloop.

On asyncio's own loop, a write to a connection that has just broken raises OSError or nothing. uvloop raises
RuntimeError, which aiokafka does not expect: its task that keeps metadata up to date ends, and after a broker's restart
any call that needs metadata waits for ever. So this connection closes itself before it writes to a transport that is
gone, and aiokafka then raises its own error.

A refused login, which aiokafka only logs, ends the start of a client. Importing this module replaces aiokafka's class
in the whole process, and keeps aiokafka's log off the terminal of a command, which says itself what is wrong.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiokafka import conn
from aiokafka.conn import collect_hosts
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from streams.kafka.login import LoginRefusedError, refusal
from streams.settings import Settings

_REFUSED = (AuthenticationFailedError, IllegalSaslStateError, SaslAuthenticationFailed, UnsupportedSaslMechanismError)


class Connection(conn.AIOKafkaConnection):
    """A connection that never writes to a closed transport, and tells a refused login from a server that is away."""

    async def connect(self) -> Any:
        """Connect and log in; raises `LoginRefusedError` if a client's first connection is refused.

        Later ones raise aiokafka's errors: a running program goes on trying, as a broker may be starting.
        """
        is_first = self._on_close_cb is None  # aiokafka watches every connection but that one
        try:
            return await super().connect()
        except Exception as error:
            if not is_first:
                raise
            if self._protocol is not None:  # nobody else waits until it is closed whole, and the loop may end now
                await asyncio.wait([self._closed_fut], timeout=10.0)
            if not isinstance(error, _REFUSED):
                raise
            kafka, user = f"{self.host}:{self.port}", self._sasl_plain_username
            raise LoginRefusedError(refusal(kafka, user, type(error).__name__)) from None

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """Send a request; raises aiokafka's ``KafkaConnectionError`` when the connection is gone."""
        self._notice_end()
        return super().send(request, expect_response)

    def _send_sasl_token(self, payload: Any, expect_response: bool = True) -> Any:
        self._notice_end()
        return super()._send_sasl_token(payload, expect_response)

    def _notice_end(self) -> None:
        if self._writer is not None and self._writer.transport.is_closing():
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN)


def try_login(settings: Settings, timeout_s: float) -> None:
    """Log in once and hang up; raises `LoginRefusedError` when Kafka refuses the login.

    Returns without a word when no server answers within ``timeout_s`` seconds, and at once when the site has no logins.
    It works in a thread of its own, so it may be called where an event loop runs.
    """
    if settings.kafka_sasl_mechanism is not None:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _try_login(settings, timeout_s)).result()


async def _try_login(settings: Settings, timeout_s: float) -> None:
    options = settings.aiokafka_options()
    for host, port, _ in collect_hosts(options.pop("bootstrap_servers")):
        try:
            connection = await conn.create_conn(host, port, request_timeout_ms=int(timeout_s * 1000), **options)
        except (OSError, KafkaError, TimeoutError):
            continue
        await connection.close()
        return


conn.AIOKafkaConnection = Connection
logging.getLogger("aiokafka").addHandler(logging.NullHandler())
