"""Listening: sends changes of cases as server-sent events to users who may see the case.

Each event has an id. A browser that reconnects sends the last id that it has, and gets the events that it has missed or
the event ``reload``. The listener's rights are checked again every few seconds, so that a session that has ended gets
no more events.
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
"""Seconds between two checks of the listener's rights; each check also sends a keep-alive comment."""
MOST_LISTENERS: Final = 2000
MOST_OF_USER: Final = 50
"""The most streams of one user at a time, so that no user takes all of them. A browser opens one for each page."""
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
    """Changes of cases as server-sent events: `case`, `forgotten`, `reload` (read everything again) and `sign-in`.

    ``after``: the `last_change` of an answer of `orders`; only later changes follow.
    """
    console = console_of(request)
    if console.cases().listeners >= MOST_LISTENERS:
        raise Refused(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "unavailable",
            "Too many clients listen already.",
            retry_after=10 * RETRY_AFTER,
        )
    if console.listening[authorisation.user(request).name] >= MOST_OF_USER:
        raise Refused(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too-many-streams",
            f"You have {MOST_OF_USER} open streams of changes: close one first.",
            retry_after=10 * RETRY_AFTER,
        )
    return StreamingResponse(
        _told(request, last_event_id or after), headers={"X-Accel-Buffering": "no"}, media_type="text/event-stream"
    )


async def _told(request: Request, after: str) -> AsyncIterator[bytes]:
    """The events; ends when the user may no longer listen, or when the console stops."""
    console = console_of(request)
    loop = asyncio.get_running_loop()
    name = authorisation.user(request).name
    with console.view.subscribe(after) as listener:
        metrics.LISTENERS.inc()
        console.listening[name] += 1
        try:
            if console.listening[name] > MOST_OF_USER:  # several requests came at the same moment
                return
            # Send the id at once: a client cut off before the first change may still miss changes.
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
            console.listening[name] -= 1


async def _still_may(request: Request) -> bool:
    try:
        return await authorisation.renewed(request, "read-orders")
    except (UnavailableError, UsersError):  # the rights cannot be checked; a client that reconnects gets the error
        return False


def _event(request: Request, change: Change) -> bytes | None:
    """The event for a change; None when the user may not see the case."""
    if change.case is None:
        return format_sse_event(event="reload", data_str="{}", id=change.id)
    if not authorisation.sees_case(console_of(request), authorisation.user(request), change.case):
        return None
    if change.forgotten:
        said = msgspec.json.encode({"case": change.case.case})
        return format_sse_event(event="forgotten", data_str=said.decode(), id=change.id)
    said = msgspec.json.encode(line(request, change.case))
    return format_sse_event(event="case", data_str=said.decode(), id=change.id)
