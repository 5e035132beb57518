"""The routes of the API that read and write cases, for stations' own systems and for the console's pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from statistics import median
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from models.base.durations import MINUTE
from models.casework.cases import Kind, Outcome, State
from models.casework.playbooks import Playbook, playbook_for
from models.casework.routing import Name
from models.casework.tallies import Tally, tallies
from streams.console import authorisation
from streams.console.bodies import BODIES, body_of_json
from streams.console.console import console_of
from streams.console.description import Taken, described
from streams.console.refusals import Refused
from streams.console.reports import report
from streams.console.sheets import Sheet, answer, line, sheet, shown_number
from streams.console.times import midnight

router = APIRouter()

LONGEST: Final = 500
"""Cases in one answer."""


class Orders(Struct, frozen=True):
    """Some of the cases that the user may see."""

    orders: list[Sheet]
    total: int
    as_of: int | None
    """The time up to which the cases are known (epoch ms)."""
    last_change: str
    """The newest change; listen for changes after it."""


class UnitLine(Struct, frozen=True):
    """A unit of the tree; ``parent`` is empty for the centre."""

    id: str
    tier: str
    parent: str
    name: Name
    yours: bool
    """Whether the user sees the unit's cases."""


class Units(Struct, frozen=True):
    """All units of the city."""

    units: list[UnitLine]


class Figures(Struct, frozen=True, kw_only=True):
    """The figures of one unit, for today unless stated otherwise."""

    open: int
    """Open cases that the unit has now."""
    urgent: int
    """The urgent ones among the open cases."""
    overdue: int
    """The open cases with a missed deadline that is still to be met."""
    escalated: int
    """Orders that went up from the unit because it was late."""
    acknowledge_minutes: float | None
    """Median time from an order to its acknowledgement; None if there is none."""
    reach_minutes: float | None
    """Median time from opening a case to reaching the person; None if there is none."""
    outcomes: dict[Outcome, int]
    """Outcomes of cases."""
    loss_cny: float


class Statistics(Struct, frozen=True):
    """The units' figures; both times are epoch ms."""

    since: int
    now: int
    units: dict[str, Figures]


class _Filter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    unit: list[str] = Field(default=[], max_length=100)
    status: list[State] = Field(default=[], max_length=10)
    limit: int = Field(default=100, ge=1, le=LONGEST)
    offset: int = Field(default=0, ge=0, le=1_000_000)


@router.get("/api/v1/orders", dependencies=[authorisation.requires("read-orders")], openapi_extra=described(Orders))
async def orders(request: Request, asked: Annotated[_Filter, Query()]) -> Response:
    """The cases of the units that the user may see: first open cases by urgency, then closed ones, newest first."""
    console = console_of(request)
    view = console.cases()
    mine = authorisation.units_of(console, authorisation.user(request))
    for unit in asked.unit:
        if unit not in mine:
            raise Refused(HTTPStatus.NOT_FOUND, "unknown-unit", "There is no such unit, or you may not see it.")
    found, total = view.orders(asked.unit or mine, asked.status, asked.limit, asked.offset)
    return answer(Orders([line(request, case) for case in found], total, view.as_of, view.last_change))


@router.get(
    "/api/v1/cases/{case}", dependencies=[authorisation.requires("read-orders")], openapi_extra=described(Sheet)
)
async def one_case(request: Request, case: str, show: Annotated[Literal["number"] | None, Query()] = None) -> Response:
    """A case with its history; the person's number is shown only on request, which the audit log records."""
    found = await authorisation.readable_case(request, case)
    if show is not None:
        return answer(sheet(request, found, await shown_number(request, found)))
    await authorisation.note(request, "shown-case", case=found.case)
    return answer(sheet(request, found))


def _saying(kind: Kind) -> Callable[..., Awaitable[Response]]:
    async def say(
        request: Request, case: str, idempotency_key: Annotated[str, Header(max_length=128)] = ""
    ) -> Response:
        reported = await report(request, case, await body_of_json(request, kind), idempotency_key)
        if reported.shown:
            return answer(sheet(request, reported.case))
        return answer(Taken(reported.id), HTTPStatus.ACCEPTED)

    say.__doc__ = BODIES[kind].__doc__
    return say


for _kind, _body in BODIES.items():
    router.add_api_route(
        f"/api/v1/cases/{{case}}/{_kind}",
        _saying(_kind),
        methods=["POST"],
        name=_kind,
        dependencies=[authorisation.requires(_body.action)],
        openapi_extra=described(Sheet, _body, s202=Taken),
    )


@router.get("/api/v1/units", dependencies=[authorisation.signed_in], openapi_extra=described(Units))
async def units(request: Request) -> Response:
    """All units of the city."""
    console = console_of(request)
    mine = authorisation.units_of(console, authorisation.user(request))
    tree = console.office.stations.units.values()
    return answer(Units([UnitLine(each.id, each.tier, each.parent, each.name, each.id in mine) for each in tree]))


@router.get(
    "/api/v1/statistics", dependencies=[authorisation.requires("see-statistics")], openapi_extra=described(Statistics)
)
async def statistics(request: Request) -> Response:
    """The figures of the units since midnight."""
    console = console_of(request)
    now = console.now()
    since = midnight(now)
    found = tallies(console.cases().since(since), now, since)
    names = dict.fromkeys((*console.office.stations.units, *sorted(found)))
    return answer(Statistics(since, now, {unit: _figures(found.get(unit, Tally())) for unit in names}))


@router.get("/api/v1/playbooks/{scam_type}", dependencies=[authorisation.signed_in], openapi_extra=described(Playbook))
async def playbook(request: Request, scam_type: str) -> Response:
    """What an officer says and checks for a scam type; a type without a playbook gets the playbook of `other`."""
    return answer(playbook_for(console_of(request).playbooks, scam_type))


def _figures(tally: Tally) -> Figures:
    return Figures(
        open=tally.open,
        urgent=tally.urgent,
        overdue=tally.overdue,
        escalated=tally.escalated,
        acknowledge_minutes=_minutes(tally.acknowledged_ms),
        reach_minutes=_minutes(tally.reached_ms),
        outcomes=dict(sorted(tally.outcomes.items())),
        loss_cny=tally.loss_cny,
    )


def _minutes(times: list[int]) -> float | None:
    """The median in minutes, to a tenth; None if there are no times."""
    return round(median(times) / MINUTE, 1) if times else None


KINDS: Final[tuple[type, ...]] = (Orders, Sheet, Units, Statistics, Playbook, *BODIES.values())
"""All types of these routes' requests and answers."""
