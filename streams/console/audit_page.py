"""The page of the audit log for auditors: filters, the lines newest first, and a check of the whole log."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from models.access.audit_chain import HALF, KEYED, Line
from models.base.durations import DAY
from streams.audit import Deed
from streams.audit.checking import Verdict
from streams.console import authorisation
from streams.console.audit_lines import PAGE, check, read, wanted
from streams.console.framing import page, scene_of, word
from streams.console.presenting import Scene
from streams.console.refusals import Refused
from streams.console.words import said_or

router = APIRouter(include_in_schema=False)

DEEDS: Final[tuple[str, ...]] = (*get_args(Deed), HALF, KEYED)


@router.get("/audit", dependencies=[authorisation.requires("read-audit")])
async def audit_page(
    request: Request,
    who: Annotated[str, Query(max_length=100)] = "",
    did: Annotated[str, Query(max_length=40)] = "",
    case: Annotated[str, Query(max_length=200)] = "",
    days: Annotated[str, Query(max_length=4)] = "",
    before: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """The lines that are asked for, newest first."""
    typed = {"who": who, "did": did, "case": case, "days": days}
    return await _page(request, typed, before)


@router.post("/audit/check", dependencies=[authorisation.requires("read-audit")])
async def audit_check(request: Request) -> Response:
    """The same page with the result of a check."""
    try:
        verdict = await check(request)
    except Refused as refused:
        return await _page(request, {}, notice=word(request, "audit.busy"), status=refused.status, is_wrong=True)
    return await _page(request, {}, notice=_said(request, verdict), is_wrong=not verdict.whole)


async def _page(
    request: Request,
    typed: dict[str, str],
    before: int = 0,
    *,
    notice: str = "",
    is_wrong: bool = False,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    scene = scene_of(request)
    days = typed.get("days", "")
    since = scene.now - int(days) * DAY if days.isascii() and days.isdigit() and int(days) else 0
    asked = wanted(typed.get("who", ""), typed.get("did", ""), typed.get("case", ""), max(since, 0), before)
    found = await read(request, asked, PAGE)
    older = {name: value for name, value in typed.items() if value}
    older |= {"before": str(found.lines[-1].number)} if found.more else {}
    return page(
        request,
        "audit",
        status,
        here="audit",
        address="/audit",
        deeds=[(each, said_or(f"deed.{each}", scene.language, each)) for each in DEEDS],
        typed=typed,
        notice=notice,
        is_wrong=is_wrong,
        rows=[_row(line, scene) for line in found.lines],
        older=f"/audit?{urlencode(older)}" if found.more else "",
    )


def _said(request: Request, verdict: Verdict) -> str:
    """The result of a check in words."""
    if not verdict.whole:
        return word(request, "audit.broken", wrong=verdict.wrong)
    said = word(request, "audit.whole", n=verdict.lines, head=verdict.head)
    if verdict.expired:
        said += " " + word(request, "audit.expired", n=verdict.expired)
    if verdict.published is None:
        return f"{said} {word(request, 'audit.unasked')}"
    key = "audit.published" if verdict.published else "audit.unpublished"
    return f"{said} {word(request, key, n=verdict.published)}"


def _row(line: Line, scene: Scene) -> tuple[str, ...]:
    """A line of the table: number, time (UTC, to the second), user, action, case, about, details that say something."""
    details = " ".join(f"{name}={value}" for name, value in line.details.items() if value not in ("", None))
    at = line.at.removesuffix("+00:00").replace("T", " ")
    did = said_or(f"deed.{line.did}", scene.language, line.did)
    return str(line.number), at, line.who, did, line.case, " ".join(line.what), details
