"""Refusals: a refused request gets a status, a short word for programs and one sentence for people.

No answer holds a number, a traceback or a path of the server. The log holds the details for operators.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from streams.access.accounts import UsersError
from streams.access.attempts import TooManyAttemptsError
from streams.access.authentication import SignInError
from streams.access.store import UnavailableError
from streams.audit import AuditError

log = structlog.get_logger(__name__)

RETRY_AFTER: Final = 2
"""Seconds after which a client may retry a request that cannot be answered at present."""


class Refused(Exception):  # noqa: N818 - it is an answer, not a failure
    """A request is refused, with a status, a kebab-case word, and a sentence that says what to do."""

    def __init__(
        self,
        status: HTTPStatus,
        error: str,
        message: str,
        *,
        possible: Sequence[str] | None = None,
        headers: Mapping[str, str] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message
        self.possible = possible
        """The reports that the case takes instead, if its state is the reason."""
        self.headers = dict(headers or {}) | ({} if retry_after is None else {"Retry-After": str(retry_after)})

    @property
    def body(self) -> dict[str, Any]:
        """The refusal as JSON."""
        said: dict[str, Any] = {"error": self.error, "message": self.message}
        return said if self.possible is None else said | {"possible": list(self.possible)}


Page = Callable[[Request, Refused], Awaitable[Response]]
"""Shows a refusal to a user in a browser."""

_PLAIN: Final[Mapping[int, tuple[str, str]]] = {
    404: ("not-found", "There is nothing at this address."),
    405: ("method-not-allowed", "This address does not support that method."),
    413: ("too-large", "A request may have at most 64 kB."),
}


def busy(message: str) -> Refused:
    """The refusal for a service that does not answer at present."""
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", message, retry_after=RETRY_AFTER)


def answer_refusals(app: FastAPI, page: Page | None = None) -> None:
    """Answer every error of a route in this form; ``page`` answers requests outside ``/api/`` in HTML."""

    async def answered(request: Request, refused: Refused) -> Response:
        if page is not None and not request.url.path.startswith("/api/"):
            return await page(request, refused)
        return JSONResponse(refused.body, refused.status, refused.headers)

    def handler(turned: Callable[[Any], Refused]) -> Callable[[Request, Any], Awaitable[Response]]:
        async def handle(request: Request, error: Exception) -> Response:
            return await answered(request, turned(error))

        return handle

    for kind, turned in _TURNED.items():
        app.add_exception_handler(kind, handler(turned))


def _of_validation(error: RequestValidationError) -> Refused:
    """One sentence about the first error, without the value sent, which may be a number."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong-field", f"{where}: {first['msg']}.")


def _of_http(error: HTTPException) -> Refused:
    status = HTTPStatus(error.status_code)
    word, message = _PLAIN.get(status, (status.phrase.lower().replace(" ", "-"), f"{status.phrase}."))
    return Refused(status, word, message, headers=error.headers)


def _of_unavailable(error: Exception) -> Refused:
    log.error("nobody can sign in", error=str(error))
    return busy("Nobody can sign in at present. The console's log says why.")


def _of_audit(error: AuditError) -> Refused:
    log.error("the audit log cannot be written", error=str(error))
    return busy("The audit log cannot be written at present, so nothing is done or shown. The console's log says why.")


def _of_too_many(error: TooManyAttemptsError) -> Refused:
    return Refused(HTTPStatus.TOO_MANY_REQUESTS, "too-many-attempts", str(error), retry_after=error.seconds)


_TURNED: Final[Mapping[type[Exception], Callable[[Any], Refused]]] = {
    Refused: lambda refused: refused,
    RequestValidationError: _of_validation,
    HTTPException: _of_http,
    TooManyAttemptsError: _of_too_many,
    SignInError: lambda error: Refused(HTTPStatus.UNAUTHORIZED, "sign-in-refused", str(error)),
    UnavailableError: _of_unavailable,
    UsersError: _of_unavailable,
    AuditError: _of_audit,
}
