"""The page of the weekly bulletins: a choice of unit and week, and below it the sheet as it is printed."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from models.access.rights import may
from models.casework.bulletin import BulletinError
from models.casework.playbooks import Language
from streams.console import authorisation
from streams.console.bulletin_sheet import Sheet, sheet
from streams.console.console import Console, console_of
from streams.console.framing import page, scene_of, word
from streams.dispatch.bulletins import Calendar, compose, of_cases
from streams.dispatch.weeks import WeekError, parse
from streams.kafka.recent_records import RecentRecordsError

router = APIRouter(include_in_schema=False)

_STATUSES = {"no-unit": HTTPStatus.NOT_FOUND, "no-kafka": HTTPStatus.SERVICE_UNAVAILABLE}


@router.get("/bulletin", dependencies=[authorisation.requires("read-bulletins")])
async def bulletin_page(request: Request, unit: str = "", week: str = "") -> Response:
    """The bulletin of a unit and a week; of the user's own unit and the last whole week if nothing is asked for."""
    console, scene = console_of(request), scene_of(request)
    calendar = await console.bulletins.calendar(console.office.rules, console.now())
    units, weeks = _units(request), calendar.weeks
    unit = unit or authorisation.user(request).unit or console.office.stations.centre
    week = week or (str(weeks[0]) if weeks else "")
    shown, wrong = await _shown(console, calendar, unit, week, scene.language) if unit in units else (None, "no-unit")
    return page(
        request,
        "bulletin",
        _STATUSES.get(wrong, HTTPStatus.OK),
        here="bulletin",
        back=f"/bulletin?{urlencode({'unit': unit, 'week': week})}",
        units=[(each, scene.unit(each)) for each in units],
        weeks=[str(each) for each in weeks],
        unit=unit,
        week=week,
        wrong=word(request, f"bulletin.{wrong}") if wrong else "",
        sheet=shown,
    )


def _units(request: Request) -> list[str]:
    """The units of the tree whose bulletins the user may read; whoever sees all statistics may read all of them."""
    console, user = console_of(request), authorisation.user(request)
    mine = authorisation.units_of(console, user)
    sees_all = may(user, "see-statistics")
    return [unit for unit in console.office.stations.units if sees_all or unit in mine]


async def _shown(
    console: Console, calendar: Calendar, unit: str, week: str, language: Language
) -> tuple[Sheet | None, str]:
    """The sheet of a unit that the user may see; or None and the word for what is wrong.

    It is counted in a thread, so that orders do not wait for it.
    """
    cases, stations = list(console.cases().cases()), console.office.stations
    try:
        wanted = parse(week)
        calendar.check(wanted)
        reminded = await console.bulletins.reminded(stations, calendar.known_from, calendar.now)
        found = await asyncio.to_thread(
            lambda: compose(calendar, stations, unit, wanted, [*of_cases(cases), *reminded])
        )
    except WeekError:
        return None, "no-week"
    except BulletinError:
        return None, "none"
    except RecentRecordsError:
        return None, "no-kafka"
    return sheet(found, stations, console.playbooks, calendar.zone, language), ""
