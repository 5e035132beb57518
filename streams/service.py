"""A service: it serves its health, works until it is told to stop, and then has some seconds to come to an end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable

import structlog

from streams import health
from streams.setting_values import Address

log = structlog.get_logger(__name__)

STOP_WITHIN = 10.0
"""Seconds that an orderly stop may take."""


class AddressTakenError(Exception):
    """Health cannot be served where the settings say; one sentence with what to do."""


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
                f"The address {http} for metrics is taken ({error.strerror}): set {variable} to another."
            ) from None
    try:
        working = asyncio.ensure_future(work(stop))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            log.info("stopping")
            done, _ = await asyncio.wait({working}, timeout=STOP_WITHIN)
            if not done:
                log.warning("stopping took too long; what is unfinished will be done again with the same ids")
                working.cancel()
        stopped.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
    finally:
        if server is not None:
            server.close()
