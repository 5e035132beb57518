"""Listening: changes of cases as server-sent events, to those who may see the case.

Each has an id; a browser that comes back sends the last one it has, and gets what it has missed or the event
``reload``. Every few seconds it is asked anew who listens, so that a session that has ended is not told more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from streams import metrics
from streams.access.accounts import UsersError
from streams.access.store import UnavailableError
from streams.console import authorisation
from streams.console.changes import Change
from streams.console.console import console_of
from streams.console.refusals import RETRY_AFTER, Refused
from streams.console.sheets import line

router = APIRouter()

ASK_EVERY: Final = 15.0
"""Seconds between two looks whether the listener may still listen; then a sign of life is sent as well."""
MOST_LISTENERS: Final = 2000
_ID: Final = r"^[0-9a-f-]{0,64}$"


@router.get(
    "/api/v1/changes",
    dependencies=[authorisation.requires("read-orders", wakes=False)],
    response_class=StreamingResponse,
)
async def changes(
    request: Request,
    after: Annotated[str, Query(pattern=_ID)] = "",
    last_event_id: Annotated[str, Header(pattern=_ID)] = "",
) -> StreamingResponse:
    """Cases as they change, as server-sent events: `case`, `forgotten`, `reload` (read all anew) and `sign-in`.

    ``after``: what `orders` has said of up to which change its answer is.
    """
    console = console_of(request)
    if console.cases().listeners >= MOST_LISTENERS:
        raise Refused(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "unavailable",
            "Too many clients listen already.",
            retry_after=10 * RETRY_AFTER,
        )
    return StreamingResponse(
        _told(request, last_event_id or after), headers={"X-Accel-Buffering": "no"}, media_type="text/event-stream"
    )


async def _told(request: Request, after: str) -> AsyncIterator[bytes]:
    """The events; ends when nobody may listen any more or the console stops."""
    console = console_of(request)
    loop = asyncio.get_running_loop()
    with console.view.subscribe(after) as listener:
        metrics.LISTENERS.inc()
        try:
            # The id at once: whoever is cut off before the first change has missed something all the same.
            yield format_sse_event(comment="forewarn", retry=RETRY_AFTER * 1000, id=after or console.view.last_change)
            asked = loop.time()
            while not listener.closed:
                change = await listener.next(max(0.0, asked + ASK_EVERY - loop.time()))
                if loop.time() >= asked + ASK_EVERY:
                    asked = loop.time()
                    if not await _still_may(request):
                        yield format_sse_event(event="sign-in", data_str="{}")
                        return
                    yield KEEPALIVE_COMMENT
                if change is not None and (event := _event(request, change)) is not None:
                    yield event
        finally:
            metrics.LISTENERS.dec()


async def _still_may(request: Request) -> bool:
    try:
        return await authorisation.renewed(request, "read-orders")
    except (UnavailableError, UsersError):  # nobody can say; whoever comes back is told so
        return False


def _event(request: Request, change: Change) -> bytes | None:
    """What is sent of a change; None when the case is not his to see."""
    if change.case is None:
        return format_sse_event(event="reload", data_str="{}", id=change.id)
    if not authorisation.sees_case(console_of(request), authorisation.user(request), change.case):
        return None
    if change.forgotten:
        said = msgspec.json.encode({"case": change.case.case})
        return format_sse_event(event="forgotten", data_str=said.decode(), id=change.id)
    said = msgspec.json.encode(line(request, change.case))
    return format_sse_event(event="case", data_str=said.decode(), id=change.id)
