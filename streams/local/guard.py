"""The guard: a process that ends the servers when the program that started them ends for any reason.

It reads the servers' identities from a pipe; its parent holds the other end. When the parent ends, even by SIGKILL, the
pipe closes and the guard stops every server that still runs. (Linux's parent-death signal would follow the *thread*
that started a server, and other systems have none.)
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from streams.local.process import ProcessId, terminate

LOOK_SECONDS = 1.0


class Guard:
    """The parent's side of the guard: starts the guard process and tells it which servers to end."""

    def __init__(self) -> None:
        """Start the guard process, in a session of its own so that Ctrl-C does not end it."""
        root = str(Path(__file__).resolve().parents[2])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streams.local.guard", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])},
        )

    def watch(self, process: ProcessId) -> None:
        """Have the guard end this server when the calling program has ended."""
        pipe = self._process.stdin
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):  # the guard was killed: the servers continue without one
                pipe.write(f"{process.pid} {process.started}\n".encode())
                pipe.flush()

    def close(self) -> None:
        """Let the guard end the remaining servers, if any, and wait until the guard itself has ended."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()

    def release(self) -> None:
        """Let the servers outlive the calling program: end the guard and leave the servers running."""
        self._process.kill()
        self.close()


def main(parent: int) -> None:
    """Collect server identities from stdin until it closes or the parent has ended, then end those servers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    heard = b""
    while True:
        if select.select([0], [], [], LOOK_SECONDS)[0]:
            part = os.read(0, 4096)
            if not part:
                break
            heard += part
        elif os.getppid() != parent:  # a forked child of the parent may hold the pipe open
            break
    servers = [line.partition(" ") for line in heard.decode().splitlines()]
    terminate([ProcessId(int(pid), started) for pid, _, started in servers])


if __name__ == "__main__":
    main(int(sys.argv[1]))
