"""Patience: ends connections whose request does not arrive in time, and those beyond what the process can hold.

uvicorn waits for ever for the first byte of a request, for the end of its head, and for its body. Each such connection
takes a file descriptor, and without one nobody can be served.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any, Final

import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

log = structlog.get_logger(__name__)

REQUEST_WITHIN: Final = 30.0
"""Seconds within which a whole request must arrive. The largest has 64 kB."""
MOST_CONNECTIONS: Final = 4000
"""The most connections at a time: for 2,000 listeners, and as many other clients."""
OTHER_FILES: Final = 200
"""File descriptors left for Kafka, Redis, the audit log and the ledger."""


def room_for_connections() -> int:
    """The most connections that this process can hold; raises its limit of open files as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_FILES
    if 0 <= soft < wanted:  # -1: without a limit
        soft = wanted if hard < 0 else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room = MOST_CONNECTIONS if soft < 0 else min(MOST_CONNECTIONS, max(1, soft - OTHER_FILES))
    if room < MOST_CONNECTIONS:
        log.warning("few connections are possible: raise the hard limit of open files (ulimit -n)", most=room)
    return room


class PatientProtocol(H11Protocol):
    """A connection of uvicorn that ends when its request does not arrive in time.

    It also ends at once when there are more than ``limit_concurrency`` of the server's configuration; uvicorn itself
    looks at that only when a whole request has arrived.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._ends: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, unless there are too many connections."""
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            transport.abort()
        else:
            self._wait()

    def data_received(self, data: bytes) -> None:
        """Take the next bytes; whoever sends them one by one gets no more time for their request."""
        super().data_received(data)
        cycle = self.cycle
        if cycle is None or cycle.response_complete or cycle.more_body:  # the head or the body is not complete
            self._wait()
        else:
            self._wait_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the wait as well."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._ends is None:
            self._ends = self.loop.call_later(REQUEST_WITHIN, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None
