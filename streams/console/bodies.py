"""Bodies: the contents of a report about a case, one type for each kind, from JSON or from a page's form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, ClassVar, Final, Literal, TypeVar

import msgspec
from fastapi import Request
from msgspec import Meta, Struct

from models.access.rights import Action
from models.casework.cases import Answered, Kind, Means, Note
from models.casework.cases import Outcome as HowItEnded
from models.events.event import Id, RecordError, Time, decode_one
from streams.console.refusals import Refused

T = TypeVar("T")


class Body(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields that every report has."""

    kind: ClassVar[Kind]
    action: ClassVar[Action]
    """The right that the report needs."""

    at: Time | None = None
    """When it was done (epoch ms); now by default."""
    note: Note = ""


class Acknowledged(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody is working on the case."""

    kind: ClassVar[Kind] = "acknowledged"
    action: ClassVar[Action] = "acknowledge"


class Attempt(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody has tried to reach the person."""

    kind: ClassVar[Kind] = "attempt"
    action: ClassVar[Action] = "attempt"

    means: Means
    reached: bool
    """Whether the person was reached: true exactly if they answered."""
    answered: Answered | None = None
    """Who answered the phone or the door: `person` after an identity question; leave it out if nobody did."""


class Returned(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The case goes back to the unit above."""

    kind: ClassVar[Kind] = "returned"
    action: ClassVar[Action] = "return"


class Transferred(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The case goes to another unit."""

    kind: ClassVar[Kind] = "transferred"
    action: ClassVar[Action] = "transfer"

    to: Annotated[str, Meta(min_length=1, max_length=100)]


class Snoozed(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The case is put off."""

    kind: ClassVar[Kind] = "snoozed"
    action: ClassVar[Action] = "snooze"

    until: Time


class Outcome(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The outcome of the case, or a correction of it."""

    kind: ClassVar[Kind] = "outcome"
    action: ClassVar[Action] = "outcome"

    outcome: HowItEnded
    loss_cny: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    """Money lost, in yuan; needed for `already-harmed`."""
    loss_checked: bool = False
    """Whether a loss was checked that is not what the paid stop-payments add up to."""


class Remark(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A note for the next unit or officer."""

    kind: ClassVar[Kind] = "note"
    action: ClassVar[Action] = "attempt"  # anybody who may work on a case

    note: Annotated[str, Meta(min_length=1, max_length=1000)]


AccountNumber = Annotated[str, Meta(min_length=8, max_length=64)]
"""The whole number, as on the card or the receipt; only its masked form is kept."""
Money = Annotated[float, Meta(gt=0, le=1e10)]


class StopAsked(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A payment is to be stopped."""

    kind: ClassVar[Kind] = "stop-payment"
    action: ClassVar[Action] = "request-stop-payment"

    victim: AccountNumber
    payee: AccountNumber
    bank: Annotated[str, Meta(min_length=1, max_length=200)]
    """The payee's bank."""
    amount_cny: Money
    paid_at: Time | None = None
    """Leave it out if the money has not been paid yet."""


class PaymentStep(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Progress on one account of a payment."""

    kind: ClassVar[Kind] = "payment-step"
    action: ClassVar[Action] = "request-stop-payment"

    payment: Id
    """The id of the stop-payment."""
    step: Literal["traced", "accepted", "frozen", "failed", "requested"]
    account: AccountNumber
    """The account number, or the key of a traced account."""
    parent: str = ""
    """For `traced`: the number or key of the account from which the money came."""
    bank: str = ""
    received_cny: float = 0
    frozen_cny: float = 0
    reason: str = ""


BODIES: Final[Mapping[Kind, type[Body]]] = {
    body.kind: body
    for body in (Acknowledged, Attempt, Returned, Transferred, Snoozed, Outcome, Remark, StopAsked, PaymentStep)
}
CSRF_FIELD: Final = "csrf"
ID_FIELD: Final = "id"
_ECHO: Final = re.compile(r"value '.*'", re.DOTALL)
_DECODERS: Final = {kind: msgspec.json.Decoder(body) for kind, body in BODIES.items()}


async def body_of_json(request: Request, kind: Kind) -> Body:
    """The report in the JSON body of a request; an empty body counts as an empty object. Raises `Refused`."""
    return await decoded(request, _DECODERS[kind])


async def decoded(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """The JSON body of a request, decoded; raises `Refused`."""
    content = await request.body() or b"{}"
    if content != b"{}" and request.headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not-json", "The body must be JSON, with Content-Type: application/json."
        )
    try:
        return decode_one(decoder, content)
    except RecordError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, error.reason, str(error)) from None


def said_of(error: msgspec.ValidationError) -> str:
    """What is wrong and where, without the value sent."""
    return f"{_ECHO.sub('value', str(error))}."
