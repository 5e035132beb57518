"""Patience: no client keeps a connection without sending a request, and not too many have one."""

from __future__ import annotations

import asyncio
import resource
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from streams.console import patience
from streams.console.patience import PatientProtocol, room_for_connections

HEAD = b"POST /x HTTP/1.1\r\nHost: console.test\r\nContent-Length: 4\r\n\r\n"


class Line(asyncio.Transport):
    """The console's end of a connection."""

    is_cut = False

    def close(self) -> None:
        """Note that the connection is ended."""
        self.is_cut = True

    abort = close

    def write(self, data: Any) -> None:
        """Send nothing."""

    def is_closing(self) -> bool:
        """Whether the connection is ended."""
        return self.is_cut


async def silent(scope: Any, receive: Any, send: Any) -> None:
    """An app that is never done."""
    await asyncio.Event().wait()


class Server:
    """A server whose connections are made by the test; it gives a client no time at all."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most: int = 10) -> None:
        monkeypatch.setattr(patience, "REQUEST_WITHIN", 0.0)
        self.config = Config(
            silent, http=PatientProtocol, ws="none", lifespan="off", log_config=None, limit_concurrency=most
        )
        self.state = ServerState()

    def connected(self) -> tuple[PatientProtocol, Line]:
        """A new connection."""
        end, line = PatientProtocol(self.config, self.state, {}), Line()
        end.connection_made(line)
        return end, line

    async def timers(self) -> None:
        """Let every timer that is due run."""
        for _ in range(3):
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """End all requests."""
        for task in self.state.tasks:
            task.cancel()
        await asyncio.gather(*self.state.tasks, return_exceptions=True)


@pytest.mark.parametrize("sent", [b"", HEAD[:20], HEAD, HEAD + b"abc"], ids=["nothing", "head", "no body", "body"])
async def test_who_does_not_send_the_whole_request_is_cut_off(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server waited for ever for each of them."""
    server = Server(monkeypatch)
    end, line = server.connected()
    if sent:
        end.data_received(sent)
    await server.timers()

    assert line.is_cut
    await server.stop()


async def test_who_has_sent_it_may_wait_for_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch)
    end, line = server.connected()
    for place in range(len(HEAD)):
        end.data_received(HEAD[place : place + 1])
    end.data_received(b"abcd")
    await server.timers()

    assert not line.is_cut
    await server.stop()


async def test_a_connection_beyond_the_limit_is_ended_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch, most=2)
    lines = [server.connected()[1] for _ in range(3)]

    assert [line.is_cut for line in lines] == [False, False, True]
    await server.stop()


@pytest.mark.parametrize(
    ("soft", "hard", "raised", "room"),
    [(1024, 500_000, 4200, 4000), (1024, 1024, 1024, 824), (100_000, 500_000, None, 4000), (-1, -1, None, 4000)],
)
def test_the_limit_of_open_files_is_raised_as_far_as_it_may(
    soft: int, hard: int, raised: int | None, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2,000 listeners do not fit into the usual limit of 1,024 files."""
    new: list[int] = []
    monkeypatch.setattr(resource, "getrlimit", lambda of: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda of, limits: new.append(limits[0]))

    assert room_for_connections() == room
    assert new == ([] if raised is None else [raised])
