"""The audit log for auditors: its lines, newest first, and a check of the whole; the log records that it was read."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from models.access.audit_chain import Line
from streams.audit.checking import Verdict, Wanted, checked, newest
from streams.audit.heads import HeadError
from streams.console import authorisation
from streams.console.console import console_of
from streams.console.description import described
from streams.console.refusals import busy
from streams.console.sheets import answer

router = APIRouter()

PAGE: Final = 100
"""Lines on one page."""
LONGEST: Final = 1000
"""Lines in one answer."""


class AuditLines(Struct, frozen=True):
    """Some lines, newest first; ask for those before the last one's number to get more."""

    lines: list[Line]
    more: bool


class _Filter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    who: str = Field(default="", max_length=100)
    did: str = Field(default="", max_length=40)
    case: str = Field(default="", max_length=200)
    since: int = Field(default=0, ge=0, le=4_102_444_800_000)
    before: int = Field(default=0, ge=0)
    limit: int = Field(default=PAGE, ge=1, le=LONGEST)


@router.get("/api/v1/audit", dependencies=[authorisation.requires("read-audit")], openapi_extra=described(AuditLines))
async def audit(request: Request, asked: Annotated[_Filter, Query()]) -> Response:
    """Lines of the audit log, newest first: of a user, of an action, for a case, since a time (epoch ms)."""
    return answer(await read(request, wanted(asked.who, asked.did, asked.case, asked.since, asked.before), asked.limit))


@router.post(
    "/api/v1/audit/check", dependencies=[authorisation.requires("read-audit")], openapi_extra=described(Verdict)
)
async def audit_check(request: Request) -> Response:
    """Check that the audit log is whole: its chain, its seals, and the hashes that were published to Kafka."""
    return answer(await check(request))


def wanted(who: str = "", did: str = "", case: str = "", since: int = 0, before: int = 0) -> Wanted:
    """Which lines somebody asks for; ``since`` is epoch ms."""
    begin = datetime.fromtimestamp(since / 1000, UTC).isoformat(timespec="seconds") if since else ""
    return Wanted(who.strip(), did, case.strip(), begin, before)


async def read(request: Request, asked: Wanted, most: int) -> AuditLines:
    """The lines, once it is recorded that somebody reads them; raises `AuditError`."""
    used = [name for name, value in asked._asdict().items() if value]
    await authorisation.note(request, "audit-read", case=asked.case, details={"by": " ".join(used)})
    return AuditLines(*await asyncio.to_thread(newest, console_of(request).audit, asked, most))


async def check(request: Request) -> Verdict:
    """The verdict on the log, once it is recorded that somebody checks it; raises `AuditError` and `Refused`."""
    console = console_of(request)
    if console.looking.locked():
        raise busy("A look-up or another check is running: try again in a moment.")
    async with console.looking:
        await authorisation.note(request, "audit-read", case="", details={"by": "check"})
        try:
            heads = await console.heads()
        except HeadError:
            heads = None
        return await asyncio.to_thread(checked, console.audit, heads)


KINDS: Final[tuple[type, ...]] = (AuditLines, Verdict)
"""All types of these routes' answers."""
