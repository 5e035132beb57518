"""Server processes on this machine: each starts in its own session and is stopped by its identity.

A process is identified by its pid and its start time. So if the system gives the pid to an unrelated process, that
process is never signalled.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from streams.local import LocalStackError

POLL_SECONDS = 0.05
COMPILES_WITHIN_S = 240.0
"""Seconds for Forewarn's own programs to answer: after an installation, each compiles its loops first. That takes up
to a minute on two idle cores, and longer beside other work."""


class ProcessId(msgspec.Struct, frozen=True):
    """The identity of a process: its pid and its start time as the system writes it."""

    pid: int
    started: str


def start_time(pid: int) -> str | None:
    """The start time of the process with this pid (only for comparison), or None when it no longer runs."""
    if Path("/proc/self/stat").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        state, *fields = stat.rpartition(")")[2].split()  # proc(5): the name before it may contain any character
        return None if state in "ZX" else fields[18]  # starttime, in ticks since boot
    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = shown.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def is_alive(process: ProcessId) -> bool:
    """Whether exactly this process still runs (a zombie does not)."""
    return start_time(process.pid) == process.started


def send(process: ProcessId, number: signal.Signals) -> None:
    """Signal this process. Nothing happens when it has ended, even if another process has its pid now."""
    if is_alive(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def terminate(processes: Sequence[ProcessId], patience: float = 20.0) -> None:
    """End these processes: SIGTERM to all of them, SIGKILL to those that still run after ``patience`` seconds.

    Blocks until none of them runs.
    """
    for process in processes:
        send(process, signal.SIGTERM)
        send(process, signal.SIGCONT)  # a stopped process handles SIGTERM only after it continues
    deadline = time.monotonic() + patience
    while remaining := [process for process in processes if is_alive(process)]:
        if time.monotonic() > deadline:
            for process in remaining:
                send(process, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a server: its name for messages, its command, its folder, and the check whether it serves.

    ``answers`` must return soon, and must return True only when the server serves its clients. The process inherits the
    file descriptors in ``keep_open``. ``environ`` replaces this program's environment.
    """

    name: str
    command: tuple[str, ...]
    folder: Path
    log: Path
    answers: Callable[[], bool]
    keep_open: tuple[int, ...] = ()
    environ: Mapping[str, str] | None = None


class Server:
    """One server process that can be started, stopped, killed, frozen and restarted over the same data."""

    def __init__(self, launch: Launch, started: Callable[[ProcessId], None] = lambda process: None) -> None:
        """Describe the server; ``started`` is called with each process that is started for it."""
        self.launch = launch
        self._started = started
        self._child: subprocess.Popen[bytes] | None = None
        self._identity: ProcessId | None = None

    @property
    def process(self) -> ProcessId:
        """The running process. Raises LocalStackError when the server has not been started."""
        if self._identity is None:
            raise LocalStackError(f"{self.launch.name} is not running: start the stack first")
        return self._identity

    @property
    def runs(self) -> bool:
        """Whether the process that was started still runs."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start the process without waiting until it answers; nothing happens when it already runs."""
        if self.runs:
            return
        with self.launch.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.launch.command,
                cwd=self.launch.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the parent, which stops the servers in order
                pass_fds=self.launch.keep_open,
                env=self.launch.environ,
            )
        # A child that ended at once has no start time. Its identity then matches no process, and poll() reports it.
        self._identity = ProcessId(self._child.pid, start_time(self._child.pid) or "")
        self._started(self._identity)

    def wait(self, patience: float = 60.0) -> None:
        """Block until the server answers. Raises LocalStackError when it ends or stays silent too long."""
        deadline = time.monotonic() + patience
        while not self.launch.answers():
            if self._child is None or self._child.poll() is not None:
                raise LocalStackError(f"{self.launch.name} ended while it was starting: {self._last_words()}")
            if time.monotonic() > deadline:
                raise LocalStackError(
                    f"{self.launch.name} did not answer within {patience:.0f} s: look into {self.launch.log}"
                )
            time.sleep(POLL_SECONDS)

    def stop(self, patience: float = 20.0) -> int | None:
        """Stop the server with SIGTERM, or by force after ``patience`` seconds; returns its exit code.

        May be called again; None when there was nothing to stop.
        """
        if self._child is None or self._identity is None:
            return None
        terminate([self._identity], patience)
        code = self._child.wait()
        self._child = self._identity = None
        return code

    def ask_to_stop(self) -> None:
        """Send SIGTERM and return at once, so that several servers can stop at the same time."""
        if self._identity is not None:
            send(self._identity, signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a power cut would (SIGKILL); blocks until it has ended."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = self._identity = None

    def release(self) -> None:
        """Let the process outlive this program; this object no longer controls it."""
        if self._child is not None:
            self._child.returncode = 0  # otherwise Popen warns that its child still runs
            self._child = self._identity = None

    def restart(self, patience: float = 60.0) -> None:
        """Stop the server if it runs, start it again over the same data and wait until it answers."""
        self.stop()
        self.start()
        self.wait(patience)

    def pause(self) -> None:
        """Freeze the server (SIGSTOP): its connections stay open and nothing answers."""
        send(self.process, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen server continue (SIGCONT)."""
        send(self.process, signal.SIGCONT)

    def _last_words(self) -> str:
        """The last line of the server's log, and where the rest is."""
        lines = self.launch.log.read_text(encoding="utf-8", errors="replace").splitlines()
        said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        return f"{said[:200]} (all of it is in {self.launch.log})"
