"""Health: ``/metrics``, ``/healthz`` and ``/readyz`` of a worker over HTTP.

Healthy means that offsets move while there is something to read; ready means that every part it needs has answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from streams import metrics
from streams.settings import Address


class Progress:
    """Whether offsets advance while there is lag; told every second, asked by ``/healthz``."""

    def __init__(self, stall_seconds: float, now: Callable[[], float] = monotonic) -> None:
        self._stall_seconds = stall_seconds
        self._now = now
        self._moved_at = now()
        self._offsets: Mapping[object, int] = {}
        self._lag = 0

    def tell(self, offsets: Mapping[object, int], lag: int) -> None:
        """Note the positions and the lag of this moment."""
        if offsets != self._offsets or not lag:
            self._moved_at = self._now()
        self._offsets = dict(offsets)
        self._lag = lag

    def stalled_for(self) -> float | None:
        """Seconds for which nothing moved although there is lag, once they are too many; else None."""
        idle = self._now() - self._moved_at
        return idle if self._lag and idle > self._stall_seconds else None


def application(progress: Progress, ready: Callable[[], Mapping[str, bool]]) -> web.Application:
    """The HTTP application; ``ready`` says of each part by name whether it is."""

    async def metrics_page(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        idle = progress.stalled_for()
        if idle is None:
            return web.json_response({"healthy": True})
        why = f"there are records to read and no offset has moved for {idle:.0f} s"
        return web.json_response({"healthy": False, "why": why}, status=503)

    async def readyz(_: web.Request) -> web.Response:
        parts = ready()
        waiting = sorted(name for name, is_ready in parts.items() if not is_ready)
        return web.json_response({"ready": not waiting, "waiting_for": waiting}, status=503 if waiting else 200)

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics_page), web.get("/healthz", healthz), web.get("/readyz", readyz)])
    return app


async def serve(app: web.Application, address: Address) -> web.AppRunner:
    """Serve the application; the runner's ``cleanup`` ends it. Raises OSError when the address is taken."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, address.host, address.port).start()
    return runner
