"""The routes of the API that read and write cases, for stations' own systems and for the console's pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from models.cases import Kind, State
from models.figures import figures
from models.playbooks import playbook_for
from models.routing import Name
from streams.console import gate
from streams.console.bodies import BODIES, body_of_json
from streams.console.console import console_of
from streams.console.refusals import Refused
from streams.console.reports import report
from streams.console.sheets import Sheet, answer, line, sheet, shown_number

router = APIRouter()

LONGEST: Final = 500
"""Cases in one answer."""


class Orders(Struct, frozen=True):
    """Some of the cases that somebody may see."""

    orders: list[Sheet]
    total: int
    as_of: int | None
    """Up to when the cases are known (epoch ms)."""
    last_change: str
    """After which change to listen on."""


class UnitLine(Struct, frozen=True):
    """A unit of the tree; ``parent`` is empty for the centre."""

    id: str
    tier: str
    parent: str
    name: Name
    yours: bool
    """Whether whoever asks sees its cases."""


class _Filter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    unit: list[str] = Field(default=[], max_length=100)
    status: list[State] = Field(default=[], max_length=10)
    limit: int = Field(default=100, ge=1, le=LONGEST)
    offset: int = Field(default=0, ge=0, le=1_000_000)


@router.get("/api/v1/orders", dependencies=[gate.requires("read-orders")])
async def orders(request: Request, asked: Annotated[_Filter, Query()]) -> Response:
    """The cases of the units that whoever asks sees: open ones first, by urgency, then the newest that are over."""
    console = console_of(request)
    view = console.cases()
    mine = gate.units_of(console, gate.user(request))
    for unit in asked.unit:
        if unit not in mine:
            raise Refused(HTTPStatus.NOT_FOUND, "unknown-unit", "There is no such unit for you.")
    found, total = view.orders(asked.unit or mine, asked.status, asked.limit, asked.offset)
    return answer(Orders([line(request, case) for case in found], total, view.as_of, view.last_change))


@router.get("/api/v1/cases/{case}", dependencies=[gate.requires("read-orders")])
async def one_case(request: Request, case: str, show: Annotated[Literal["number"] | None, Query()] = None) -> Response:
    """A case with all that has happened; with the person's number only on demand, which is noted."""
    found = await gate.readable_case(request, case)
    if show is not None:
        return answer(sheet(request, found, await shown_number(request, found)))
    await gate.note(request, "shown-case", case=found.case)
    return answer(sheet(request, found))


def _saying(kind: Kind) -> Callable[..., Awaitable[Response]]:
    async def say(
        request: Request, case: str, idempotency_key: Annotated[str, Header(max_length=128)] = ""
    ) -> Response:
        reported = await report(request, case, await body_of_json(request, kind), idempotency_key)
        if reported.shown:
            return answer(sheet(request, reported.case))
        return answer({"id": reported.id}, HTTPStatus.ACCEPTED)

    say.__doc__ = BODIES[kind].__doc__
    return say


for _kind, _body in BODIES.items():
    router.add_api_route(
        f"/api/v1/cases/{{case}}/{_kind}",
        _saying(_kind),
        methods=["POST"],
        name=_kind,
        dependencies=[gate.requires(_body.action)],
    )


@router.get("/api/v1/units", dependencies=[gate.signed_in])
async def units(request: Request) -> Response:
    """All units of the city."""
    console = console_of(request)
    mine = gate.units_of(console, gate.user(request))
    tree = console.office.stations.units.values()
    return answer({"units": [UnitLine(u.id, u.tier, u.parent, u.name, u.id in mine) for u in tree]})


@router.get("/api/v1/statistics", dependencies=[gate.requires("see-statistics")])
async def statistics(request: Request) -> Response:
    """How the units do today, from midnight of the console's time zone."""
    console = console_of(request)
    now = console.now()
    since = midnight(now)
    found = figures(console.cases().cases(), console.office.stations.units, since, now)
    return answer({"since": since, "now": now, "units": found})


@router.get("/api/v1/playbooks/{scam_type}", dependencies=[gate.signed_in])
async def playbook(request: Request, scam_type: str) -> Response:
    """What an officer says and checks; for a type without a playbook of its own that of `other`."""
    return answer(playbook_for(console_of(request).playbooks, scam_type))


def midnight(now: int) -> int:
    """When the day of a moment began, here (both epoch ms)."""
    here = datetime.fromtimestamp(now / 1000)
    return int(datetime(here.year, here.month, here.day).timestamp() * 1000)
