"""Connections: aiokafka's connection to a broker, fit for uvloop.

What is written to a connection that has just broken raises OSError, or nothing, on asyncio's own loop; uvloop raises
RuntimeError, for which aiokafka is not prepared: its task that keeps metadata up to date ends, and whoever waits for
metadata after a broker's restart waits for ever. So a connection whose transport is gone is closed before it is used,
after which aiokafka says itself that there is none. Importing this module puts it in place.
"""

from __future__ import annotations

from typing import Any

from aiokafka import conn


class Connection(conn.AIOKafkaConnection):
    """A connection that never writes to a transport which is closed."""

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
