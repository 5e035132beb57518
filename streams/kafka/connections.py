"""Connections: aiokafka's connection to a broker, adapted to uvloop.

On asyncio's own loop, a write to a connection that has just broken raises OSError or nothing. uvloop raises
RuntimeError, which aiokafka does not expect: its task that keeps metadata up to date ends, and after a broker's restart
any call that needs metadata waits for ever. So this connection closes itself before it writes to a transport that is
gone, and aiokafka then raises its own error.

A refused login, which aiokafka only logs, ends the start of a client. Importing this module replaces aiokafka's class
in the whole process.
"""

from __future__ import annotations

from typing import Any

from aiokafka import conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from streams.kafka.login import LoginRefusedError, refusal

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
        except _REFUSED as error:
            if not is_first:
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


conn.AIOKafkaConnection = Connection
