"""Look-ups: finds in the ledger whom a number, a domain or a URL has reached, for a case, as ``forewarn hunt`` does.

The audit log records each look-up before anything is shown. Numbers are masked unless the user may see them.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final, Literal, get_args

import msgspec
import structlog
from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct

from models.access.rights import may
from models.indicators.indicator import IndicatorError
from streams.console import authorisation
from streams.console.bodies import decoded
from streams.console.console import console_of
from streams.console.description import described
from streams.console.masking import masked
from streams.console.refusals import Refused, busy
from streams.console.sheets import answer
from streams.ledger.inquiry import InquiryError, check_since, wanted
from streams.ledger.people import Reached
from streams.ledger.storage import LedgerError

log = structlog.get_logger(__name__)
router = APIRouter()

Sought = Literal["number", "domain", "url"]
SOUGHT: Final[tuple[Sought, ...]] = get_args(Sought)
MOST_PEOPLE: Final = 500
"""People in one answer; the total is said."""
MOST_CONTACTS: Final = 200_000
"""Contacts that one look-up may find: a domain of everyday use has millions."""
REGION: Final = "CN"
"""The country of numbers without its code."""


class Asked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is looked for, how far back, and for which case."""

    type: Sought = "number"
    value: Annotated[str, Meta(min_length=1, max_length=2000)]
    """A number, or a prefix that ends with `*`; a domain, with its subdomains; a URL, with what is below its path."""
    case: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
    """The reference of the case that needs the look-up; the audit log records it."""
    days: Annotated[int, Meta(ge=1, le=366)] = 30


class LookUp(Struct, frozen=True, kw_only=True):
    """Whom it has reached, latest first; times are epoch ms."""

    people: list[Reached]
    total: int
    """All people; more than in the answer, if there are many."""
    masked: bool
    """Whether the people's numbers are masked."""


_decoder: Final = msgspec.json.Decoder(Asked)


@router.post(
    "/api/v1/look-ups", dependencies=[authorisation.requires("look-up")], openapi_extra=described(LookUp, Asked)
)
async def look_up(request: Request) -> Response:
    """Look up whom a number, a domain or a URL has reached; the audit log records it with the case."""
    return answer(await looked_up(request, await decoded(request, _decoder)))


async def looked_up(request: Request, asked: Asked) -> LookUp:
    """Look it up, record that, and return what may be shown; raises `Refused`."""
    console, user = console_of(request), authorisation.user(request)
    now = datetime.fromtimestamp(console.now() / 1000, UTC)
    since = now - timedelta(days=asked.days)
    try:
        key = wanted(asked.type, asked.value, REGION).key
        check_since(since, now, console.inquiry.days)
    except IndicatorError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong-value", f"This cannot be looked up: {error}.") from None
    except InquiryError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "too-far-back", f"The look-up {error}.") from None
    if console.looking.locked():
        raise busy("Another look-up is running: try again in a moment.")
    async with console.looking:
        found = await _found(request, key, since)
    people = list(dict.fromkeys(each.subscriber for each in found))
    is_masked = not may(user, "see-numbers-found")
    await authorisation.note(
        request,
        "look-up",
        case=asked.case.strip(),
        about=(key,),
        details={"since": since.isoformat(timespec="seconds"), "found": len(people), "masked": is_masked},
    )
    shown = found[:MOST_PEOPLE]
    if is_masked:
        shown = [msgspec.structs.replace(each, subscriber=masked(each.subscriber)) for each in shown]
    return LookUp(people=shown, total=len(people), masked=is_masked)


async def _found(request: Request, key: str, since: datetime) -> list[Reached]:
    inquiry = console_of(request).inquiry
    try:
        return await asyncio.to_thread(lambda: inquiry.reached([key], since, most=MOST_CONTACTS))
    except InquiryError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "too-many", f"The look-up is too wide: {error}.") from None
    except (LedgerError, OSError) as error:
        log.error("a look-up cannot read the ledger", error=str(error))
        raise Refused(
            HTTPStatus.SERVICE_UNAVAILABLE, "no-ledger", "The ledger cannot be read here. The console's log says why."
        ) from None


KINDS: Final[tuple[type, ...]] = (Asked, LookUp, Reached)
"""All types of this route's requests and answers."""
