"""Health: ``/metrics``, ``/healthz`` and ``/readyz`` of a program over HTTP.

A program is healthy while its event loop reports progress, and offsets move or there is nothing to read. It is ready
when every part that it needs has answered. Threads of their own serve the pages, because these matter most when the
event loop no longer answers.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import NamedTuple

from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from streams import metrics
from streams.setting_values import Address


class _Word(NamedTuple):
    offsets: Mapping[object, int]
    lag: int
    told_at: float
    moved_at: float


class Progress:
    """Whether offsets advance while there is lag.

    Shared between threads: the event loop calls `tell` every second, and the threads of `HealthServer` call
    `complaint`, because a stalled loop could not answer. It needs no lock: each call of `tell` replaces one immutable
    tuple, and `complaint` reads it once.
    """

    def __init__(self, stall_seconds: float, now: Callable[[], float] = monotonic) -> None:
        self._stall_seconds = stall_seconds
        self._now = now
        self._last: _Word | None = None

    def tell(self, offsets: Mapping[object, int], lag: int) -> None:
        """Note the present positions and the present lag (records)."""
        now, last = self._now(), self._last
        stands = last is not None and lag and offsets == last.offsets
        self._last = _Word(dict(offsets), lag, now, last.moved_at if last is not None and stands else now)

    def complaint(self) -> str | None:
        """The fault, once it has lasted too long; None while there is none, or before the first `tell`."""
        last, now = self._last, self._now()
        if last is None:
            return None
        if now - last.told_at > self._stall_seconds:
            return f"the worker has been busy with one thing for {now - last.told_at:.0f} s"
        if last.lag and now - last.moved_at > self._stall_seconds:
            return f"there are records to read and no offset has moved for {now - last.moved_at:.0f} s"
        return None


class _Page(NamedTuple):
    status: HTTPStatus
    kind: str
    body: bytes


def pages(progress: Progress, ready: Callable[[], Mapping[str, bool]]) -> Mapping[str, Callable[[], _Page]]:
    """The pages, by path; ``ready`` returns whether each part is ready, by name.

    The functions run in the threads of `HealthServer`.
    """

    def healthz() -> _Page:
        why = progress.complaint()
        return _said(why is None, {"healthy": True} if why is None else {"healthy": False, "why": why})

    def readyz() -> _Page:
        waiting = sorted(name for name, is_ready in ready().items() if not is_ready)
        return _said(not waiting, {"ready": not waiting, "waiting_for": waiting})

    def metrics_page() -> _Page:
        return _Page(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(metrics.REGISTRY))

    return {"/metrics": metrics_page, "/healthz": healthz, "/readyz": readyz}


def parts() -> Mapping[str, bool]:
    """Whether each part that this program needs has answered, by name."""
    samples = [sample for metric in metrics.READY.collect() for sample in metric.samples]
    return {sample.labels["part"]: bool(sample.value) for sample in samples}


def _said(well: bool, said: object) -> _Page:
    status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
    return _Page(status, "application/json; charset=utf-8", json.dumps(said).encode())


class HealthServer(ThreadingHTTPServer):
    """Serves the pages from its making until ``close``; raises OSError when the address is taken.

    Shared between threads: one thread accepts connections, each request has a thread of its own, and the event loop
    calls ``close``, because the pages must be served while the loop is busy. Nothing changes ``served``.
    """

    daemon_threads = True

    def __init__(self, served: Mapping[str, Callable[[], _Page]], address: Address) -> None:
        self.served = served
        if ":" in address.host:
            self.address_family = socket.AF_INET6
        super().__init__((address.host, address.port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="health", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving, and wait for the thread that accepts connections."""
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: HealthServer
    timeout = 10
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Serve the page of the requested path."""
        page = self.server.served.get(self.path.partition("?")[0])
        status, kind, body = page() if page else _Page(HTTPStatus.NOT_FOUND, "text/plain", b"not found\n")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Log nothing, because probes come every few seconds."""
