"""Service: a program that serves its health, works until it gets a signal to stop, and then has some seconds to end.

If anything hangs then, the process ends itself by force some seconds later. A worker that has failed but still runs
would keep its partitions, and nothing would restart it. Ending by force loses nothing, just as a power cut does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import structlog

from streams import health, metrics
from streams.setting_values import Address

log = structlog.get_logger(__name__)

STOP_WITHIN = 10.0
"""Seconds that an orderly stop may take."""

GONE_WITHIN = 15.0
"""Seconds after which a process that was told to stop, or has failed, is ended by force if it still runs."""

STDERR = 2

_by_force: list[threading.Timer] = []
"""The running timer that will end the process by force; empty before the end begins.

Only the main thread uses the list; the timer's own thread gets all it needs as an argument.
"""


class AddressTakenError(Exception):
    """Health cannot be served at the address in the settings; the message says what to do."""


@contextmanager
def bounded_end() -> Iterator[None]:
    """Run a service: after `begins_to_end` it must leave this block within `GONE_WITHIN`, or its process is ended.

    Daemon threads that it leaves behind could delay the end of the interpreter, so the limit then covers that, too.
    SIGUSR1 prints the stack of each thread.
    """
    faulthandler.register(signal.SIGUSR1, STDERR)
    before = {*threading.enumerate()}
    try:
        yield
    finally:
        left = {*threading.enumerate()} - before - {*_by_force}
        if not any(thread.daemon for thread in left):
            while _by_force:
                _by_force.pop().cancel()


def begins_to_end(error: BaseException | None = None) -> None:
    """Give the process `GONE_WITHIN` seconds to end; ``error`` is the cause, logged if it is ended by force."""
    if not _by_force:
        timer = threading.Timer(GONE_WITHIN, _end_by_force, (error,))
        timer.daemon = True
        _by_force.append(timer)
        timer.start()


def _end_by_force(error: BaseException | None) -> NoReturn:
    log.critical(
        "ended by force; unfinished work will be done again with the same ids",
        after_seconds=GONE_WITHIN,
        because="it was told to stop" if error is None else str(error) or type(error).__name__,
    )
    faulthandler.dump_traceback(STDERR)  # the stack of each thread: names of functions, no values
    os._exit(1)


async def serve(
    http: Address | None,
    variable: str,
    progress: health.Progress,
    work: Callable[[asyncio.Event], Awaitable[None]],
) -> None:
    """Do the work until it ends or SIGTERM or SIGINT arrives, which sets the event that ``work`` gets.

    Health is served at ``http``, the value of the setting ``variable`` (None: nowhere). Raises the error that ended the
    work, and `AddressTakenError` when the address is not available.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    metrics.tell_build()
    server = None
    if http is not None:
        try:
            server = health.HealthServer(health.pages(progress, health.parts), http)
        except OSError as error:
            raise AddressTakenError(
                f"The address {http} for metrics is not available ({error.strerror}): set {variable} to another."
            ) from None
    try:
        working = asyncio.ensure_future(work(stop))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            log.info("stopping")
            begins_to_end()
            done, _ = await asyncio.wait({working}, timeout=STOP_WITHIN)
            if not done:
                log.warning("stopping took too long; unfinished work will be done again with the same ids")
                working.cancel()
        stopped.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
    except BaseException as error:
        begins_to_end(error)  # because closing the loop waits for every task and thread
        raise
    finally:
        if server is not None:
            server.close()
