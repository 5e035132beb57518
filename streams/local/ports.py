"""Ports on loopback for the local stack: the usual port if it is free, otherwise any free one."""

from __future__ import annotations

import socket

from streams.local import LocalStackError

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether nothing listens on this loopback port at the moment."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # ignore closed connections in TIME_WAIT
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def listens(port: int) -> bool:
    """Whether a process accepts connections on this loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def any_free_port() -> int:
    """A loopback port that is free at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def choose_port(asked: int | None, usual: int) -> int:
    """The port to listen on: ``asked`` itself; for None the usual port, or a free one if it is taken; for 0 a free one.

    Raises LocalStackError when the requested port is taken.
    """
    if asked:
        if not is_free(asked):
            raise LocalStackError(f"Port {asked} on {LOOPBACK} is taken: choose another or leave it out for a free one")
        return asked
    return usual if asked is None and is_free(usual) else any_free_port()
