"""Pages: what an officer and the centre see in a browser, and what happens when a form is sent.

Each page is made on the server, in Chinese or in English, and works without a script. What may be seen and done is the
gate's to say, what is shown `streams.console.presenting`'s.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, get_args
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from models.access import may
from models.cases import OVER, Case, Kind, Outcome, State
from models.tallies import ended_at
from streams.access.attempts import TooManyAttemptsError
from streams.access.door import SignInError
from streams.audit import pseudonym
from streams.console import gate
from streams.console.app import Pages
from streams.console.bodies import BODIES
from streams.console.console import console_of
from streams.console.forms import NUMBERS, FormError, feedback_id, filled, hours
from streams.console.framing import LANGUAGE_COOKIE, local_path, nav, page, scene_of, word
from streams.console.masking import masked
from streams.console.overview import Overview, overview
from streams.console.payments_page import anchor, payment_panels, place_of, why_wrong
from streams.console.presenting import Order, Scene, case_page, orders
from streams.console.reference import routes_of, types_of
from streams.console.refusals import Refused
from streams.console.rendering import STATIC, fingerprint
from streams.console.reports import possible, report
from streams.console.sheets import shown_number
from streams.console.times import midnight
from streams.console.words import LANGUAGES, WORDS

router = APIRouter(include_in_schema=False)

YEAR_S: Final = 365 * 86_400
MOST: Final = 100
"""Orders on one page: more are no list that anybody reads."""
CHANGES: Final = "/api/v1/changes"
ABOUT_PAYMENTS: Final = ("stop-payment", "payment-step")
"""After these a page is shown from the payment on: there may be dozens of cards before it."""

_DONE: Final[tuple[State, ...]] = ("closed",)
_OPEN: Final[tuple[State, ...]] = tuple(state for state in get_args(State) if state not in OVER)


@router.get("/", dependencies=[gate.signed_in])
async def home(request: Request) -> Response:
    """The first page of whoever has signed in."""
    first = next((path for _, path in nav(gate.user(request))), "")
    if first:
        return RedirectResponse(first, HTTPStatus.SEE_OTHER)
    return page(request, "error", heading=word(request, "app"), message=word(request, "home.nothing"))


@router.get("/sign-in", dependencies=[gate.public])
async def sign_in_page(request: Request, back: str = "/", ended: str = "") -> Response:
    """Where somebody signs in."""
    return page(
        request, "sign_in", wrong=word(request, "sign-in.ended") if ended else "", name="", after=local_path(back)
    )


@router.post("/sign-in", dependencies=[gate.public])
async def sign_in(request: Request) -> Response:
    """Sign somebody in and lead him to where he wanted to go; or say on the same page why not."""
    fields = await gate.form(request)
    after, name = local_path(fields.get("back", "/")), fields.get("name", "")[:200]
    response = RedirectResponse(after, HTTPStatus.SEE_OTHER)
    try:
        await gate.sign_in(request, response, name, fields.get("password", "")[:1024])
    except SignInError:
        status, wrong = HTTPStatus.UNAUTHORIZED, word(request, "sign-in.wrong")
    except TooManyAttemptsError as error:
        status, wrong = HTTPStatus.TOO_MANY_REQUESTS, word(request, "sign-in.wait", n=-(-error.seconds // 60))
    else:
        return response
    return page(request, "sign_in", status, wrong=wrong, name=name, after=after)


@router.post("/sign-out", dependencies=[gate.signed_in])
async def sign_out(request: Request) -> Response:
    """End the session."""
    response = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    await gate.sign_out(request, response)
    return response


@router.post("/language", dependencies=[gate.public])
async def choose_language(request: Request) -> Response:
    """Show pages in another language from now on."""
    fields = await gate.form(request)
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


@router.get("/orders", dependencies=[gate.requires("read-orders")])
async def orders_page(request: Request, show: Annotated[Literal["open", "done"], Query()] = "open") -> Response:
    """The orders of the units that whoever asks has, and those that went from him to another unit."""
    console, scene = console_of(request), scene_of(request)
    view = console.cases()
    mine = gate.units_of(console, gate.user(request))
    current, count = view.orders(mine, _OPEN, MOST)
    begun = midnight(scene.now)
    done = [case for case in view.orders(mine, _DONE, MOST)[0] if (ended_at(case) or 0) >= begun]
    gone = view.gone(mine)[:MOST] if show == "open" else []
    listed = orders(done if show == "done" else current, scene)
    away = orders(gone, scene)
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
        version=_version(current, done, gone, listed, away),
        with_unit=len(mine) > 1,
    )


@router.get("/cases/{case}", dependencies=[gate.requires("read-orders")])
async def one_case(request: Request, case: str, done: str = "") -> Response:
    """A case with everything about it, the number masked."""
    found = await gate.readable_case(request, case)
    return await _case(request, found, notice=f"done.{done}" if f"done.{done}" in WORDS else "")


@router.post("/cases/{case}/number", dependencies=[gate.requires("read-orders")])
async def number(request: Request, case: str) -> Response:
    """The same with the person's number, which is noted first."""
    found = await gate.readable_case(request, case)
    return await _case(request, found, number=await shown_number(request, found))


async def _said(request: Request, case: str, kind: Kind, fields: Mapping[str, str]) -> str:
    """Hand on what a form says of a case; the word of what has come of it. Raises `FormError` and `Refused`."""
    console = console_of(request)
    body = BODIES[kind](**filled(kind, fields, console.office, console.now()))
    # An id is kept: no account number can be found out from it, not even with the form's key.
    told = {name: pseudonym(console.secret, text) if name in NUMBERS else text for name, text in fields.items()}
    try:
        reported = await report(request, case, body, feedback_id(fields.get("key", ""), kind, told))
    except Refused as refused:
        if refused.error == "wrong-payment":
            raise why_wrong(console.view.case(case), body) from None
        if refused.error != "id-taken":
            raise
        return kind  # pressed twice: all that differs is the moment up to which it is put off
    return kind if reported.shown else "sent"


def _saying(kind: Kind) -> Any:
    async def say(request: Request, case: str) -> Response:
        fields = await gate.form(request)
        try:
            done = await _said(request, case, kind, fields)
        except FormError as error:
            wrong, status = word(request, error.word, **error.about), HTTPStatus.UNPROCESSABLE_ENTITY
        except Refused as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                raise
            wrong, status = word(request, _why_not(refused)), refused.status
        else:
            spot = f"#{anchor(console_of(request).view.case(case), fields)}" if done in ABOUT_PAYMENTS else ""
            return RedirectResponse(f"/cases/{quote(case, safe='')}?done={done}{spot}", HTTPStatus.SEE_OTHER)
        found = await gate.readable_case(request, case)
        return await _case(request, found, status, wrong=wrong, wrong_kind=kind, typed=fields)

    say.__doc__ = f"{BODIES[kind].__doc__} Leads back to the case, or shows the form again with what is wrong."
    return say


for _kind, _body in BODIES.items():
    router.add_api_route(
        f"/cases/{{case}}/{_kind}",
        _saying(_kind),
        methods=["POST"],
        name=f"page-{_kind}",
        dependencies=[gate.requires(_body.action)],
    )


@router.get("/centre", dependencies=[gate.requires("see-statistics")])
async def centre(request: Request) -> Response:
    """How the whole city does."""
    scene, view = scene_of(request), console_of(request).cases()
    found = await asyncio.to_thread(overview, list(view.cases()), scene)  # of a hundred thousand cases it takes a while
    reads = may(gate.user(request), "read-orders")
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


@router.get("/api/docs", dependencies=[gate.public])
async def reference(request: Request) -> Response:
    """What the API's description says, for people; the usual pages for that take scripts from elsewhere."""
    document = request.app.state.description
    types = types_of(document)
    return page(request, "reference", routes=routes_of(document), types=types, names={each.name for each in types})


async def refusal(request: Request, refused: Refused) -> Response:
    """What was refused, as a page; whoever is not signed in is led to where he can."""
    if refused.status == HTTPStatus.UNAUTHORIZED:
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        back = quote(asked if request.method in gate.SAFE else "/", safe="")
        ended = gate.cookie_name(console_of(request)) in request.cookies
        return RedirectResponse(f"/sign-in?back={back}{'&ended=yes' if ended else ''}", HTTPStatus.SEE_OTHER)
    key = _SAID.get(refused.error) or f"error.{refused.status}"
    message = word(request, key if key in WORDS else "error.other")
    return page(request, "error", refused.status, heading=word(request, "error"), message=message)


PAGES: Final = Pages(router, refusal, STATIC)
"""What `make_app` takes."""

_SAID: Final[Mapping[str, str]] = {
    "csrf": "error.csrf",
    "another-site": "error.csrf",
    "unknown-case": "error.404",
    "not-found": "error.other",
    "unavailable": "error.503",
}
"""Words of refusals whose status does not say enough."""


def _why_not(refused: Refused) -> str:
    """The word of why something was not taken in, beside its form."""
    if refused.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return "wrong.503"
    word = f"wrong.{refused.error}"
    return word if word in WORDS else "wrong.not-possible"


async def _case(
    request: Request,
    found: Case,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    notice: str = "",
    number: str = "",
    wrong: str = "",
    wrong_kind: str = "",
    typed: Mapping[str, str] | None = None,
) -> Response:
    """The page of a case, which is noted; showing the number was, by whoever gives it."""
    if not number:
        await gate.note(request, "shown-case", case=found.case)
    console, scene, user = console_of(request), scene_of(request), gate.user(request)
    shown = case_page(found, scene, console.playbooks)
    sayable = possible(request, found)
    above = console.office.stations.above(found.unit)
    written = typed or {}
    payments = payment_panels(found, scene, may_say="payment-step" in sayable)
    place = place_of(written) if wrong and wrong_kind == "payment-step" else None

    def key(kind: Kind) -> str:
        """The same again for a form that was not taken in: what it says may have arrived all the same."""
        return written.get("key", "") if kind == wrong_kind and wrong else secrets.token_hex(8)

    return page(
        request,
        "case",
        status,
        changes=f"{CHANGES}?after={console.view.last_change}",
        case=found.case,
        address=f"/cases/{quote(found.case, safe='')}",
        page=shown,
        masked=masked(found.subscriber),
        number=f"+{number}" if len(number) > 8 else number,
        may_show=found.status not in OVER and gate.has_now(console, user, found),
        possible=sayable,
        payments=payments,
        wrong_place=place,
        is_astray=place is not None and not any(place in payment.forms for payment in payments),
        key=key,
        outcomes=get_args(Outcome),
        above=scene.unit(above) if above is not None else "",
        units=_units(scene, found.unit),
        hours=hours(console.office),
        notice=word(request, notice) if notice else "",
        wrong=wrong,
        wrong_kind=wrong_kind,
        typed=written,
        version=fingerprint(found, shown.order.marks),
        payments_version=fingerprint(found.payments, "payment-step" in sayable),
        forms_version=fingerprint(sayable, found.unit, shown.next),
    )


def _version(current: list[Case], done: list[Case], gone: list[Case], *shown: list[Order]) -> str:
    """Another word when something on a page of orders is another than it was, but for the time that is left."""
    states = [(case.case, case.at, case.status) for case in (*current, *done, *gone)]
    return fingerprint(states, [[(order.case, order.marks) for order in each] for each in shown])


def _units(scene: Scene, without: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The units to which a case can be transferred, by sub-bureau."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for unit in scene.stations.units.values():
        group = unit.parent if unit.tier == "station" else unit.id
        if unit.id != without:
            groups.setdefault(scene.unit(group), []).append((unit.id, scene.unit(unit.id)))
    return list(groups.items())


def _figures(found: Overview) -> list[tuple[str, object, bool]]:
    """The day's numbers: the word of each, the number, and whether it has to catch the eye."""
    city = found.city
    names = ("open", "urgent", "overdue", "escalated", "opened", "closed", "acknowledge", "reach", "loss")
    return [
        (name, getattr(city, name) or (0 if name != "loss" else "–"), name == "overdue" and city.overdue > 0)
        for name in names
    ]
