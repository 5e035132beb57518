"""The local stack: one Kafka broker and one Valkey that start, stop and fail together in a folder.

A guard ends the servers when the program that started them ends for any reason, unless the program calls
``leave_running()``, as ``forewarn up`` does.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.local import LocalStackError, broker, valkey
from streams.local.broker import HEAP_MEGABYTES
from streams.local.guard import Guard
from streams.local.jars import find_java, kafka_jars
from streams.local.login import login_of
from streams.local.ports import LOOPBACK, any_free_port, choose_port
from streams.local.process import ProcessId, Server

DEFAULT_FOLDER = Path(".forewarn")


def take_folder(folder: Path) -> int:
    """Lock a folder for one stack and return the lock's file descriptor.

    The servers inherit it, so the folder is taken for as long as one of them runs. Raises LocalStackError
    when it is taken.
    """
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise LocalStackError(
            f"A local stack runs in {folder} already: stop it (forewarn down) or take another folder"
        ) from error
    return lock


def is_in_use(folder: Path) -> bool:
    """Whether a stack runs in this folder."""
    try:
        os.close(take_folder(folder))
    except LocalStackError:
        return True
    return False


class LocalStack:
    """A real Kafka and a real Valkey on loopback, with their data in one folder.

    Ports: a number is used as it is, None means the usual port or a free one when that is taken, and 0 means any free
    port. If it ``has_login``, both servers demand the passwords of `streams.local.login`. ``notify`` gets a message
    when a step takes long. A stack in a used folder serves the data that is there.
    """

    broker: Server
    valkey: Server

    def __init__(
        self,
        folder: Path = DEFAULT_FOLDER,
        kafka_port: int | None = None,
        redis_port: int | None = None,
        *,
        heap_megabytes: int = HEAP_MEGABYTES,
        has_login: bool = False,
        notify: Callable[[str], None] = lambda words: None,
    ) -> None:
        """Describe the stack; nothing is started or written yet."""
        self.folder = folder.absolute()
        self._asked = (kafka_port, redis_port)
        self._ports: tuple[int, int] | None = None
        self._heap_megabytes = heap_megabytes
        self._has_login = has_login
        self._notify = notify
        self._guard: Guard | None = None
        self._lock: int | None = None

    @property
    def kafka(self) -> str:
        """Kafka's bootstrap address, ``127.0.0.1:PORT``."""
        return f"{LOOPBACK}:{self._chosen_ports()[0]}"

    @property
    def redis(self) -> str:
        """Valkey's URL, ``redis://127.0.0.1:PORT/0``."""
        return f"redis://{LOOPBACK}:{self._chosen_ports()[1]}/0"

    def _chosen_ports(self) -> tuple[int, int]:
        if self._ports is None:
            raise LocalStackError("The local stack has no addresses before it is started")
        return self._ports

    def start(self) -> None:
        """Start both servers and block until they answer: a few seconds, longest in a new folder.

        Raises LocalStackError, with both servers stopped again, when one of them cannot be started.
        """
        if self._lock is not None:
            return
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        jars, java, server = kafka_jars(notify=self._notify), find_java(), valkey.find_valkey()
        kafka_folder, valkey_folder = self.folder / "kafka", self.folder / "valkey"
        try:
            kafka_folder.mkdir(parents=True, exist_ok=True)
            valkey_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LocalStackError(f"{self.folder} cannot hold the local stack's data: {error.strerror}") from error
        lock = self._lock = take_folder(self.folder)
        kafka_port = choose_port(self._asked[0], broker.USUAL_PORT)
        redis_port = choose_port(self._asked[1], valkey.USUAL_PORT)
        self._ports = kafka_port, redis_port
        self._guard = Guard()
        login = login_of(self.folder) if self._has_login else None
        self.valkey = Server(valkey.launch(server, valkey_folder, redis_port, (lock,), login), self.watch)
        self.broker = Server(
            broker.launch(kafka_folder, java, jars, kafka_port, self._heap_megabytes, (lock,), login), self.watch
        )
        self.valkey.start()  # starts while Kafka formats its storage
        broker.write_configuration(kafka_folder, kafka_port, any_free_port(), login)
        broker.format_storage(kafka_folder, java, jars)
        self.broker.start()
        self.valkey.wait()
        self.broker.wait()

    def watch(self, process: ProcessId) -> None:
        """End this process together with the program, like the servers."""
        if self._guard is not None:
            self._guard.watch(process)

    def leave_running(self) -> None:
        """Let both servers outlive this program; ``stop`` then leaves them running."""
        if self._guard is not None:
            self._guard.release()
            self._guard = None
        self.broker.release()
        self.valkey.release()

    def stop(self) -> None:
        """Stop both servers, by force when they take long; may be called repeatedly and after a failed start."""
        servers = [server for server in (getattr(self, name, None) for name in ("broker", "valkey")) if server]
        for server in servers:
            server.ask_to_stop()
        for server in servers:
            server.stop()
        if self._guard is not None:
            self._guard.close()
            self._guard = None
        if self._lock is not None:
            with contextlib.suppress(OSError):
                os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        """Start the stack."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the stack."""
        self.stop()
