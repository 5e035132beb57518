"""The page for look-ups: a form for what is looked for and for which case, and below it whom it has reached."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from fastapi import APIRouter, Request, Response

from streams.console import authorisation
from streams.console.console import console_of
from streams.console.framing import page, scene_of, word
from streams.console.look_ups import SOUGHT, Asked, LookUp, looked_up
from streams.console.presenting import Scene
from streams.console.refusals import Refused
from streams.console.words import WORDS
from streams.ledger.people import Reached

router = APIRouter(include_in_schema=False)

_FIELDS: Final = ("type", "value", "case", "days")


@router.get("/look-up", dependencies=[authorisation.requires("look-up")])
async def look_up_page(request: Request) -> Response:
    """The empty form."""
    return _page(request, {"type": SOUGHT[0], "days": str(console_of(request).inquiry.days)})


@router.post("/look-up", dependencies=[authorisation.requires("look-up")])
async def look_up(request: Request) -> Response:
    """The people whom it has reached, or the form again with what is wrong."""
    typed = await authorisation.form(request)
    try:
        asked = msgspec.convert({name: typed.get(name, "").strip() for name in _FIELDS}, Asked, strict=False)
        found = await looked_up(request, asked)
    except msgspec.ValidationError:
        wrong, status = word(request, "look-up.wrong"), HTTPStatus.UNPROCESSABLE_ENTITY
    except Refused as refused:
        key = f"look-up.{refused.error}"
        wrong, status = word(request, key if key in WORDS else "look-up.busy"), refused.status
    else:
        return _page(request, typed, found)
    return _page(request, typed, wrong=wrong, status=status)


def _page(
    request: Request,
    typed: Mapping[str, str],
    found: LookUp | None = None,
    *,
    wrong: str = "",
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    return page(
        request,
        "look_up",
        status,
        here="look-up",
        address="/look-up",
        sought=SOUGHT,
        typed=typed,
        wrong=wrong,
        found=found,
        rows=() if found is None else _rows(found, scene_of(request)),
    )


def _rows(found: LookUp, scene: Scene) -> list[tuple[str, ...]]:
    """The lines of the table: number, first, last, contacts, calls in and out, minutes of talk, SMS in and out."""
    return [
        (
            each.subscriber,
            scene.at(each.first_at),
            scene.at(each.last_at),
            *map(
                str, (each.contacts, each.calls_in, each.calls_out, round(each.talk_s / 60), each.sms_in, each.sms_out)
            ),
        )
        for each in found.people
    ]


def _counts(each: Reached) -> tuple[int, ...]:
    return each.contacts, each.calls_in, each.calls_out, round(each.talk_s / 60), each.sms_in, each.sms_out
