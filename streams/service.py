"""A service: it serves its health, works until it is told to stop, and then has some seconds to come to an end.

Whatever hangs then, it is gone after some more seconds: one that has failed and yet stays holds its partitions, and
nobody starts it again. Ending by force loses nothing, as a power cut does not.
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

from streams import health
from streams.setting_values import Address

log = structlog.get_logger(__name__)

STOP_WITHIN = 10.0
"""Seconds that an orderly stop may take."""

GONE_WITHIN = 15.0
"""Seconds after which a process is ended by force that has been told to stop, or has failed, and is still there."""

STDERR = 2

_by_force: list[threading.Timer] = []


class AddressTakenError(Exception):
    """Health cannot be served where the settings say; one sentence with what to do."""


@contextmanager
def bounded_end() -> Iterator[None]:
    """Run a service: once it `begins_to_end`, it comes out of this block within seconds, or its process is ended.

    Threads that it leaves behind could hold up the interpreter's end, so then the limit holds for that, too. SIGUSR1
    prints where each thread stands.
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
    """From now on the process has `GONE_WITHIN` seconds; ``error``: what it ends for, which would not be told else."""
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
    faulthandler.dump_traceback(STDERR)  # where each thread stands: names of functions, and no values
    os._exit(1)


async def serve(
    http: Address | None,
    variable: str,
    progress: health.Progress,
    work: Callable[[asyncio.Event], Awaitable[None]],
) -> None:
    """Do the work until it ends or SIGTERM or SIGINT comes, of which its event tells; raises what ended it.

    Health is served at ``http``, which the setting ``variable`` says (None: nowhere).
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
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
        begins_to_end(error)  # closing the loop waits for every task and thread
        raise
    finally:
        if server is not None:
            server.close()
