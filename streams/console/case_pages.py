"""The page of a case, and the handling of its forms."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, get_args
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from models.access.audit_keys import pseudonym
from models.casework.cases import Case, Kind, Outcome
from models.casework.proof import paid_cny
from streams.console import authorisation
from streams.console.bodies import BODIES
from streams.console.console import console_of
from streams.console.forms import NUMBERS, FormError, feedback_id, filled, hours
from streams.console.framing import CHANGES, page, scene_of, word
from streams.console.masking import masked
from streams.console.payments_page import anchor, payment_panels, place_of, why_wrong
from streams.console.presenting import Scene, case_page
from streams.console.refusals import Refused
from streams.console.rendering import fingerprint
from streams.console.reports import possible, report
from streams.console.sheets import may_be_called, shown_number
from streams.console.words import WORDS

router = APIRouter(include_in_schema=False)

ABOUT_PAYMENTS: Final = ("stop-payment", "payment-step")
"""After these reports the page is shown from the payment on, as dozens of cards may come before it."""


@router.get("/cases/{case}", dependencies=[authorisation.requires("read-orders")])
async def one_case(request: Request, case: str, done: str = "") -> Response:
    """The page of a case with its number masked."""
    found = await authorisation.readable_case(request, case)
    return await _case(request, found, notice=f"done.{done}" if f"done.{done}" in WORDS else "")


@router.post("/cases/{case}/number", dependencies=[authorisation.requires("read-orders")])
async def number(request: Request, case: str) -> Response:
    """The same page with the person's number; the audit log records it first."""
    found = await authorisation.readable_case(request, case)
    return await _case(request, found, number=await shown_number(request, found))


async def _said(request: Request, case: str, kind: Kind, fields: Mapping[str, str]) -> str:
    """Send the report that a form makes about a case; returns the word for its result.

    Raises `FormError` and `Refused`.
    """
    console = console_of(request)
    body = BODIES[kind](**filled(kind, fields, console.office, console.now()))
    # The id is kept, so no account number may be recoverable from it, not even with the form's key.
    told = {name: pseudonym(console.secret, text) if name in NUMBERS else text for name, text in fields.items()}
    try:
        reported = await report(request, case, body, feedback_id(fields.get("key", ""), kind, told))
    except Refused as refused:
        if refused.error == "wrong-payment":
            raise why_wrong(console.view.case(case), body) from None
        if refused.error != "id-taken":
            raise
        return kind  # pressed twice: only the moment until which the case is put off differs
    if kind == "outcome" and reported.shown and reported.case.status != "closed":
        return "passed-up"
    return kind if reported.shown else "sent"


def _saying(kind: Kind) -> Any:
    async def say(request: Request, case: str) -> Response:
        fields = await authorisation.form(request)
        asks_loss = False
        try:
            done = await _said(request, case, kind, fields)
        except FormError as error:
            wrong, status = word(request, error.word, **error.about), HTTPStatus.UNPROCESSABLE_ENTITY
        except Refused as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                raise
            wrong, status = _why_not(request, case, refused), refused.status
            asks_loss = refused.error == "loss-differs"
        else:
            spot = f"#{anchor(console_of(request).view.case(case), fields)}" if done in ABOUT_PAYMENTS else ""
            return RedirectResponse(f"/cases/{quote(case, safe='')}?done={done}{spot}", HTTPStatus.SEE_OTHER)
        found = await authorisation.readable_case(request, case)
        return await _case(request, found, status, wrong=wrong, wrong_kind=kind, typed=fields, asks_loss=asks_loss)

    say.__doc__ = f"{BODIES[kind].__doc__} Leads back to the case, or shows the form again with what is wrong."
    return say


for _kind, _body in BODIES.items():
    router.add_api_route(
        f"/cases/{{case}}/{_kind}",
        _saying(_kind),
        methods=["POST"],
        name=f"page-{_kind}",
        dependencies=[authorisation.requires(_body.action)],
    )


def _why_not(request: Request, case: str, refused: Refused) -> str:
    """The sentence that says beside the form why it was not accepted."""
    if refused.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return word(request, "wrong.503")
    key = f"wrong.{refused.error}"
    if key not in WORDS:
        return word(request, "wrong.not-possible")
    console = console_of(request)
    known = console.view.case(case)
    paid = 0.0 if known is None else paid_cny(known)
    return word(request, key, n=console.office.rules.unreachable_attempts, paid=f"{paid:,.0f}")


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
    asks_loss: bool = False,
) -> Response:
    """The page of a case; the audit log records it, unless the caller passes a number and so has recorded that."""
    if not number:
        await authorisation.note(request, "shown-case", case=found.case)
    console, scene, user = console_of(request), scene_of(request), authorisation.user(request)
    shown = case_page(found, scene, console.playbooks)
    sayable = possible(request, found)
    above = console.office.stations.above(found.unit)
    written = typed or {}
    payments = payment_panels(found, scene, may_say="payment-step" in sayable)
    place = place_of(written) if wrong and wrong_kind == "payment-step" else None

    def key(kind: Kind) -> str:
        """The key of a form: the same again if it was not accepted, because its report may have arrived all the same.

        Otherwise a new one.
        """
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
        may_show=may_be_called(found, scene.now) and authorisation.has_now(console, user, found),
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
        asks_loss=asks_loss,
        version=fingerprint(found, shown.order.marks),
        payments_version=fingerprint(found.payments, "payment-step" in sayable),
        forms_version=fingerprint(sayable, found.unit, shown.next),
    )


def _units(scene: Scene, without: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The units that a case can be transferred to, by sub-bureau."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for unit in scene.stations.units.values():
        group = unit.parent if unit.tier == "station" else unit.id
        if unit.id != without:
            groups.setdefault(scene.unit(group), []).append((unit.id, scene.unit(unit.id)))
    return list(groups.items())
