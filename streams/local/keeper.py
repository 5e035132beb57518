"""The keeper: a process that ``forewarn up`` leaves behind; it starts again whatever of the stack has ended.

It reads ``stack.json`` to learn what runs, and writes there what it has started. ``forewarn down`` ends it first.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from streams.backoff import Backoff
from streams.local import LocalStackError, broker, valkey
from streams.local.jars import find_java, kafka_jars
from streams.local.login import login_of
from streams.local.process import Launch, ProcessId, Server, is_alive, start_time
from streams.local.stack import take_folder
from streams.local.state import KAFKA, VALKEY, StackState, read_state, write_state
from streams.local.worker import service

LOG: Final = "keeper.log"
LOOK_SECONDS: Final = 0.5
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
"""The longest pause (s) before a program is started again that ends soon after each start."""
STEADY_SECONDS: Final = 60.0
"""Seconds after which a program counts as running well, so that its next restart waits for the first pause only."""


def start(folder: Path, environ: Mapping[str, str]) -> ProcessId:
    """Start a keeper for the stack in a folder; ``environ`` is added to the environment of what it starts."""
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.local.keeper", str(folder.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | dict(environ) | {"PYTHONPATH": paths},
        )
    process.returncode = 0  # it outlives this program; otherwise Popen warns that its child still runs
    return ProcessId(process.pid, start_time(process.pid) or "")


class Keeper:
    """Watches the parts of one stack, each in a task of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = None

    async def run(self) -> None:
        """Keep everything running that the stack's state names, until it is cancelled or the state is gone."""
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while (state := read_state(self._folder)) is not None:
                for name, process in state.running().items():
                    if name not in tasks:
                        tasks[name] = asyncio.create_task(self._keep(name, process))
                for task in tasks.values():
                    if task.done():
                        task.result()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in tasks.values():
                task.cancel()

    async def _keep(self, name: str, process: ProcessId) -> None:
        """Start a part again whenever it ends. A part that does not start is tried again as well."""
        clock = asyncio.get_running_loop().time
        backoff, since = Backoff(FIRST_PAUSE, LONGEST_PAUSE), clock()
        server: Server | None = None
        while True:
            while server.runs if server is not None else is_alive(process):  # noqa: ASYNC110 - its end tells nobody
                await asyncio.sleep(LOOK_SECONDS)
            if clock() - since >= STEADY_SECONDS:
                backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
            say(f"{name} has ended and is started again in {backoff.pause:g} s")
            await backoff.wait()
            since = clock()
            with contextlib.suppress(LocalStackError):
                server = self._start(name)

    def _start(self, name: str) -> Server | None:
        """Start a part and note its process; None when the stack is gone. There is no await between the two."""
        state = read_state(self._folder)
        if state is None:
            return None
        server = Server(self._launch(name, state))
        server.start()
        write_state(self._folder, state.restarted(name, server.process))
        return server

    def _launch(self, name: str, state: StackState) -> Launch:
        login = login_of(self._folder) if state.has_login else None
        if name == KAFKA:
            port = int(state.kafka.rpartition(":")[2])
            folder = self._folder / "kafka"
            return broker.launch(folder, find_java(), kafka_jars(), port, broker.HEAP_MEGABYTES, self._held(), login)
        if name == VALKEY:
            port = int(state.redis.removesuffix("/0").rpartition(":")[2])
            return valkey.launch(valkey.find_valkey(), self._folder / "valkey", port, self._held(), login)
        return service(name, self._folder / f"{name}.log", state.services[name].http, {}).launch

    def _held(self) -> tuple[int, ...]:
        """The lock of the folder for a server to inherit, unless the other server still has it."""
        if self._lock is None:
            with contextlib.suppress(LocalStackError):
                self._lock = take_folder(self._folder)
        return () if self._lock is None else (self._lock,)


def say(words: str) -> None:
    """Write a line with the time into the log."""
    sys.stdout.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {words}\n")
    sys.stdout.flush()


async def main(folder: Path) -> None:
    """Keep the stack in a folder running until SIGTERM; what runs then goes on running."""
    keeping = asyncio.create_task(Keeper(folder).run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, keeping.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await keeping


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
