"""Sheets: a case as users see it: its snapshot on the topic, without the person's number and what leads to it.

The number is masked. The ids of the records behind the alerts are left out, because a reader of the records would find
the number by them. The whole number needs a request of its own. It is shown only to users whose unit, or a unit below
it, has the case, only while the case is not over or a follow-up call is due, and only after the audit log has recorded
it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import Request, Response

from models.casework.cases import OVER, Case, Kind, frozen_cny, who_has
from models.casework.reporting import follow_up_is_due
from streams.console import authorisation
from streams.console.console import console_of
from streams.console.masking import masked
from streams.console.refusals import Refused
from streams.console.reports import possible


class Sheet(Case, frozen=True, omit_defaults=True, kw_only=True):
    """A case as the user may see it."""

    number_shown: bool = False
    """Whether ``subscriber`` is the whole number."""
    possible: tuple[Kind, ...] = ()
    """The reports that the user can send about the case now."""
    officer: str = ""
    """Who has it: who acknowledged the last order, or tried since to reach the person."""
    paid_cny: float = 0
    """Sum of the payments that are being stopped."""
    frozen_cny: float = 0
    """How much of that money is frozen."""


def sheet(request: Request, case: Case, number: str = "") -> Sheet:
    """The sheet of a case; it has the person's whole number, and the ids of events, only if ``number`` is given."""
    fields: dict[str, Any] = {name: getattr(case, name) for name in Case.__struct_fields__}
    if not number:
        fields["subscriber"] = masked(case.subscriber)
        fields["reasons"] = tuple(msgspec.structs.replace(each, events=()) for each in case.reasons)
    return Sheet(
        **fields,
        number_shown=bool(number),
        possible=possible(request, case),
        officer=who_has(case),
        paid_cny=sum(payment.request.amount_cny for payment in case.payments),
        frozen_cny=frozen_cny(case),
    )


def line(request: Request, case: Case) -> Sheet:
    """The sheet of a case for a list: without its history."""
    return msgspec.structs.replace(sheet(request, case), history=())


def may_be_called(case: Case, now: int) -> bool:
    """Whether anybody still has a reason to call the person: the case is not over, or a follow-up call is due."""
    return case.status not in OVER or follow_up_is_due(case, now)


async def shown_number(request: Request, case: Case) -> str:
    """The person's whole number, once the audit log has recorded that it is shown; raises `Refused`."""
    console = console_of(request)
    if not authorisation.has_now(console, authorisation.user(request), case):
        raise Refused(HTTPStatus.FORBIDDEN, "another-units-case", "Only the unit that has the case may see the number.")
    if not may_be_called(case, console.now()):
        raise Refused(HTTPStatus.CONFLICT, "over", "The number of a closed case is not shown.")
    await authorisation.note(request, "shown-number", case=case.case, about=(f"number:{case.subscriber}",))
    return case.subscriber


def answer(said: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """An answer in JSON; times are epoch ms, and default values are left out where the struct says so."""
    return Response(msgspec.json.encode(said), status, media_type="application/json")
