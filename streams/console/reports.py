"""Reports: takes a user's report about a case from a JSON route or a page's form."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from fastapi import Request

from models.casework.cases import RULE, Case, Feedback, FeedbackError, Kind
from models.casework.reporting import possible as sayable
from models.events.event import Id
from streams.console import authorisation, stopping
from streams.console.bodies import BODIES, Body
from streams.console.console import console_of
from streams.console.feedback_topic import NotConfirmedError
from streams.console.refusals import Refused, busy
from streams.console.reporter import Reported

_STATUS: Final[Mapping[str, HTTPStatus]] = {
    "incomplete": HTTPStatus.UNPROCESSABLE_ENTITY,
    "no-other-case": HTTPStatus.UNPROCESSABLE_ENTITY,
    "sms-reaches-nobody": HTTPStatus.UNPROCESSABLE_ENTITY,
    "who-answered": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown-unit": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown-case": HTTPStatus.NOT_FOUND,
}
"""The status for each reason of a refusal; every other reason is a conflict with the present state of the case."""

_FreeId = Annotated[Id, msgspec.Meta(pattern=r"\A[!-~]+\Z")]


def possible(request: Request, case: Case) -> tuple[Kind, ...]:
    """The reports that the user can send about a case now, for the page's buttons."""
    console, user = console_of(request), authorisation.user(request)
    return tuple(
        kind
        for kind in sayable(console.office, case)
        if authorisation.acts_on(console, user, BODIES[kind].action, case)
    )


async def report(request: Request, name: str, body: Body, id: str = "") -> Reported:
    """Send a report about a case in the user's name, with the user's id or a new one; raises `Refused`.

    Once it returns, Kafka has the report, and the case shows it if ``shown`` is true.
    """
    console, user = console_of(request), authorisation.user(request)
    id = _checked(id) if id else secrets.token_hex(12)
    case = await authorisation.readable_case(request, name)
    if not console.reporter.knows(case, id):  # a repeated report may have moved the case away from the user's unit
        case = await authorisation.own_case(request, name, body.action)
    now = console.now()
    payment = stopping.said(body, case, console.secret, now)
    feedback = Feedback(
        id=id,
        case=case.case,
        kind=body.kind,
        at=now if body.at is None else body.at,
        unit=user.unit,
        officer=user.name,
        means=getattr(body, "means", None),
        reached=getattr(body, "reached", None),
        answered=getattr(body, "answered", None),
        to=getattr(body, "to", ""),
        until=getattr(body, "until", None),
        outcome=getattr(body, "outcome", None),
        loss_cny=getattr(body, "loss_cny", None),
        loss_checked=getattr(body, "loss_checked", False) or None,
        note=body.note,
        rule=RULE,
        **payment,
    )
    to_centre = stopping.request(body, feedback, case, now)
    first = None if to_centre is None else partial(console.ask_to_stop, to_centre)
    try:
        return await console.reporter.report(console.office, feedback, console.now, first)
    except FeedbackError as error:
        status = _STATUS.get(error.reason, HTTPStatus.CONFLICT)
        as_now = console.view.case(name)
        choices = possible(request, as_now) if as_now is not None and status == HTTPStatus.CONFLICT else None
        raise Refused(status, error.reason, str(error), possible=choices) from None
    except NotConfirmedError:
        raise busy("It is not known whether this has arrived: send it again with the same id.") from None


def _checked(id: str) -> str:
    try:
        return msgspec.convert(id, _FreeId)
    except msgspec.ValidationError:
        raise Refused(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "wrong-id",
            "An id has 1 to 128 ASCII letters, digits and signs, without spaces.",
        ) from None
