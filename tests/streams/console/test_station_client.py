"""The example of a station's software: it sees its unit's cases only, acknowledges once, and misses no change."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn

from streams.local.ports import any_free_port
from streams.settings import Settings
from tests.casework import ROOT
from tests.consoles import Backroom

ELSEWHERE = "001-01-30-0"
"""A cell in the area of another sub-bureau."""


@pytest.fixture
def room(tmp_path: Path) -> Backroom:
    """A console with users and without cases."""
    return Backroom(Settings(redis="redis://127.0.0.1:1/0"), tmp_path)


@asynccontextmanager
async def serving(room: Backroom, port: int) -> AsyncIterator[None]:
    """The console on a port; at the end its connections are cut, while the console itself goes on."""
    config = uvicorn.Config(room.app, log_config=None, lifespan="off", timeout_graceful_shutdown=0)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([socket.create_server(("127.0.0.1", port))]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def client(port: int, token: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The example as a process, on a console that may not be there yet."""
    command = ["examples/station_client.py", "--url", f"http://127.0.0.1:{port}", "--acknowledge"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command), cwd=ROOT, env={"STATION_TOKEN": token}, stdout=pipe, stderr=pipe
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: asyncio.subprocess.Process) -> str:
    """The next line that it shows an officer."""
    assert process.stdout is not None
    async with asyncio.timeout(20):
        return (await process.stdout.readline()).decode().strip()


async def test_it_acknowledges_its_orders_and_after_a_cut_it_gets_what_it_missed(room: Backroom) -> None:
    """Over the cut it sends the id of the last event, so nothing is shown twice, and no other unit's case at all."""
    port = any_free_port()
    room.alert(episode="e1")
    room.alert(episode="e9", subscriber="8610000000009", cell=ELSEWHERE)
    async with client(port, room.tokens["li"]) as process:
        async with serving(room, port):
            shown = [await line(process), await line(process)]
        room.alert(episode="e2", subscriber="8610000000002")
        async with serving(room, port):
            shown += [await line(process), await line(process)]
        process.kill()
        rest, _ = await process.communicate()

    assert [each.partition(", ")[0] for each in shown] == [
        *("e1: urgent open", "e1: urgent acknowledged", "e2: urgent open", "e2: urgent acknowledged"),
    ]
    assert rest == b""
    assert "*****01, impersonated-authority" in shown[0]
    assert "86100" not in "".join(shown)
    assert [(each.case, each.kind, each.unit, each.officer) for each in room.sent] == [
        ("e1", "acknowledged", "ps-0205", "li"),
        ("e2", "acknowledged", "ps-0205", "li"),
    ]


async def test_a_token_that_is_not_valid_is_said_in_one_sentence(room: Backroom) -> None:
    """It does not go on trying with it."""
    port = any_free_port()
    async with serving(room, port), client(port, "forewarn_wrong") as process:
        async with asyncio.timeout(20):
            out, said = await process.communicate()

    assert (process.returncode, out) == (1, b"")
    assert said.decode().startswith("The console refuses this: ")
    assert len(said.splitlines()) == 1
