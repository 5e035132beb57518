"""Middleware: adds headers to every answer, limits the body, and counts and logs every request.

An unexpected error in a route is answered with 500 and one sentence. The log says where it was raised, but holds no
values.
"""

from __future__ import annotations

from time import perf_counter
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams import metrics

log = structlog.get_logger(__name__)

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
"""Nothing from other hosts, and no inline scripts or styles."""

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
STRICT_TRANSPORT: Final = "max-age=31536000"
LARGEST_BODY: Final = 64 * 1024
UNMATCHED: Final = "none"
"""The route name of a request without a matching route."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Middleware:
    """The outermost of our ASGI middleware."""

    def __init__(self, app: ASGIApp, secure: bool) -> None:
        self._app = app
        self._headers = HEADERS | ({"Strict-Transport-Security": STRICT_TRANSPORT} if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                self._count(scope, status, perf_counter() - began)
            await send(message)

        try:
            await self._app(scope, _bounded(scope, receive), sending)
        except ClientDisconnect:  # nobody is left to get an answer
            pass
        except Exception as error:
            log.error("a request failed", route=route_of(scope), error=type(error).__name__, at=_where(error))
            if status:
                raise _BrokenOffError from None
            said = {"error": "failed", "message": "The console has failed in this; its log says where."}
            await JSONResponse(said, 500)(scope, receive, sending)
        finally:
            self._log(scope, status, perf_counter() - began)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        metrics.REQUESTS.labels(route, method, str(status)).inc()
        metrics.REQUEST_SECONDS.labels(route).observe(seconds)

    def _log(self, scope: Scope, status: int, seconds: float) -> None:
        visitor = scope.get("state", {}).get("visitor")
        log.info(
            "request",
            method=scope["method"][:10],
            route=route_of(scope),
            status=status,
            ms=round(seconds * 1000),
            user=None if visitor is None else visitor.user.name,
        )


class _BrokenOffError(Exception):
    """An answer that had begun was broken off."""


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """A ``receive`` that refuses a body above the limit while it arrives, whatever ``Content-Length`` announced."""
    size = 0
    announced = Headers(scope=scope).get("Content-Length", "")

    async def receiving() -> Message:
        nonlocal size
        if announced.isascii() and announced.isdigit() and int(announced) > LARGEST_BODY:
            raise HTTPException(413)
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST_BODY:
            raise HTTPException(413)
        return message

    return receiving


def route_of(scope: Scope) -> str:
    """The template of the route that answered, because the path itself may hold anything."""
    return str(getattr(scope.get("route"), "path", UNMATCHED))


def _where(error: BaseException) -> str:
    """The file and line where an error was raised."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return "" if frame is None else f"{frame.tb_frame.f_code.co_filename.rpartition('/')[2]}:{frame.tb_lineno}"
