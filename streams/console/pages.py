"""Pages: the routes of the pages for officers and the centre, and of their forms.

Each page is rendered on the server, in Chinese or in English, and works without scripts.
`streams.console.authorisation` decides what a user may see and do; `streams.console.presenting` decides what is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Final, Literal, get_args
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from models.access.rights import may
from models.casework.cases import OVER, Case, State
from models.casework.reporting import EARLY
from models.casework.tallies import ended_at
from streams.access.attempts import TooManyAttemptsError
from streams.access.authentication import SignInError
from streams.console import audit_page, authorisation, bulletin_page, case_pages, look_up_page, risks_page, users_page
from streams.console.app import Pages
from streams.console.console import console_of
from streams.console.framing import CHANGES, LANGUAGE_COOKIE, local_path, nav, page, scene_of, word
from streams.console.overview import Overview, overview
from streams.console.presenting import Order, follow_ups, orders
from streams.console.reference import routes_of, types_of
from streams.console.refusals import Refused
from streams.console.rendering import STATIC, fingerprint
from streams.console.times import midnight
from streams.console.words import LANGUAGES, WORDS

router = APIRouter(include_in_schema=False)

YEAR_S: Final = 365 * 86_400
MOST: Final = 100
"""Orders on one page; nobody reads a longer list."""

_DONE: Final[tuple[State, ...]] = ("closed",)
_OPEN: Final[tuple[State, ...]] = tuple(state for state in get_args(State) if state not in OVER)


@router.get("/", dependencies=[authorisation.signed_in])
async def home(request: Request) -> Response:
    """The start page of a user."""
    _, first = nav(authorisation.user(request))[0]
    return RedirectResponse(first, HTTPStatus.SEE_OTHER)


@router.get("/sign-in", dependencies=[authorisation.public])
async def sign_in_page(request: Request, back: str = "/", ended: str = "") -> Response:
    """The page for signing in."""
    return page(
        request, "sign_in", wrong=word(request, "sign-in.ended") if ended else "", name="", after=local_path(back)
    )


@router.post("/sign-in", dependencies=[authorisation.public])
async def sign_in(request: Request) -> Response:
    """Sign a user in and redirect to the page that they wanted; on failure, show the same page with the reason."""
    fields = await authorisation.form(request)
    after, name = local_path(fields.get("back", "/")), fields.get("name", "")[:200]
    response = RedirectResponse(after, HTTPStatus.SEE_OTHER)
    try:
        await authorisation.sign_in(request, response, name, fields.get("password", "")[:1024])
    except SignInError:
        status, wrong = HTTPStatus.UNAUTHORIZED, word(request, "sign-in.wrong")
    except TooManyAttemptsError as error:
        status, wrong = HTTPStatus.TOO_MANY_REQUESTS, word(request, "sign-in.wait", n=-(-error.seconds // 60))
    else:
        return response
    return page(request, "sign_in", status, wrong=wrong, name=name, after=after)


@router.post("/sign-out", dependencies=[authorisation.signed_in])
async def sign_out(request: Request) -> Response:
    """End the session."""
    response = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    await authorisation.sign_out(request, response)
    return response


@router.post("/language", dependencies=[authorisation.public])
async def choose_language(request: Request) -> Response:
    """Set the language of the pages from now on."""
    fields = await authorisation.form(request)
    response = RedirectResponse(local_path(fields.get("back", "/")), HTTPStatus.SEE_OTHER)
    if fields.get("language") in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE,
            fields["language"],
            max_age=YEAR_S,
            secure=console_of(request).secure,
            httponly=True,
            samesite="lax",
        )
    return response


@router.get("/orders", dependencies=[authorisation.requires("read-orders")])
async def orders_page(request: Request, show: Annotated[Literal["open", "done"], Query()] = "open") -> Response:
    """The orders of the user's units, and the orders that have moved from these to another unit."""
    console, scene = console_of(request), scene_of(request)
    view = console.cases()
    mine = authorisation.units_of(console, authorisation.user(request))
    current, count = view.orders(mine, _OPEN, MOST)
    begun = midnight(scene.now)
    done = [case for case in view.orders(mine, _DONE, MOST)[0] if (ended_at(case) or 0) >= begun]
    gone = view.gone(mine)[:MOST] if show == "open" else []
    listed = orders(done if show == "done" else current, scene)
    away = orders(gone, scene)
    calls = view.follow_ups(mine, scene.now + EARLY)[:MOST] if show == "open" else []
    return page(
        request,
        "orders",
        here="orders",
        changes=f"{CHANGES}?after={view.last_change}",
        done=show == "done",
        counts=(count, len(done)),
        cut=count > len(current) and show == "open",
        most=MOST,
        orders=listed,
        gone=away,
        follow_ups=follow_ups(calls, scene),
        version=_version(current, done, [*gone, *calls], listed, away),
        with_unit=len(mine) > 1,
    )


@router.get("/centre", dependencies=[authorisation.requires("see-statistics")])
async def centre(request: Request) -> Response:
    """The situation in the whole city."""
    scene, view = scene_of(request), console_of(request).cases()
    found = overview(view.since(midnight(scene.now)), scene)
    reads = may(authorisation.user(request), "read-orders")
    return page(
        request,
        "centre",
        here="centre",
        changes=f"{CHANGES}?after={view.last_change}" if reads else "",
        city=found,
        figures=_figures(found),
        sees_orders=reads,
        version=fingerprint(found.city, found.centre, found.groups, [(each.case, each.marks) for each in found.late]),
    )


@router.get("/api/docs", dependencies=[authorisation.public])
async def reference(request: Request) -> Response:
    """The API's description for people; the usual pages for it load scripts from other hosts."""
    document = request.app.state.description
    types = types_of(document)
    return page(request, "reference", routes=routes_of(document), types=types, names={each.name for each in types})


async def refusal(request: Request, refused: Refused) -> Response:
    """A refusal as a page; a user who is not signed in is redirected to the page for signing in."""
    if refused.status == HTTPStatus.UNAUTHORIZED:
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        back = quote(asked if request.method in authorisation.SAFE else "/", safe="")
        ended = authorisation.cookie_name(console_of(request)) in request.cookies
        return RedirectResponse(f"/sign-in?back={back}{'&ended=yes' if ended else ''}", HTTPStatus.SEE_OTHER)
    key = _SAID.get(refused.error) or f"error.{refused.status}"
    message = word(request, key if key in WORDS else "error.other")
    return page(request, "error", refused.status, heading=word(request, "error"), message=message)


router.include_router(case_pages.router)
router.include_router(bulletin_page.router)
router.include_router(look_up_page.router)
router.include_router(risks_page.router)
router.include_router(audit_page.router)
router.include_router(users_page.router)
PAGES: Final = Pages(router, refusal, STATIC)
"""The pages for `make_app`."""

_SAID: Final[Mapping[str, str]] = {
    "csrf": "error.csrf",
    "another-site": "error.csrf",
    "unknown-case": "error.404",
    "not-found": "error.other",
    "unavailable": "error.503",
}
"""The words for refusals whose status alone does not say enough."""


def _version(current: list[Case], done: list[Case], gone: list[Case], *shown: list[Order]) -> str:
    """A fingerprint that changes whenever a page of orders changes, apart from the time left."""
    states = [(case.case, case.at, case.status) for case in (*current, *done, *gone)]
    return fingerprint(states, [[(order.case, order.marks) for order in each] for each in shown])


def _figures(found: Overview) -> list[tuple[str, object, bool]]:
    """The day's figures: for each its word, its value, and whether it must stand out."""
    city = found.city
    names = ("open", "urgent", "overdue", "escalated", "opened", "closed", "acknowledge", "reach", "loss")
    return [
        (name, getattr(city, name) or (0 if name != "loss" else "–"), name == "overdue" and city.overdue > 0)
        for name in names
    ]
