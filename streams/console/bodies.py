"""Bodies: what somebody sends to say something of a case, one form for each kind, of JSON or of a page's form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar

import msgspec
from fastapi import Request
from msgspec import Meta, Struct

from models.access.rights import Action
from models.casework.cases import Kind, Means, Note
from models.casework.cases import Outcome as HowItEnded
from models.events.event import Id, RecordError, Time, decode_one
from streams.console.refusals import Refused

T = TypeVar("T")


class Body(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every one may have."""

    kind: ClassVar[Kind]
    action: ClassVar[Action]
    """The right that it takes."""

    at: Time | None = None
    """When it was done, epoch ms; now unless it is said."""
    note: Note = ""


class Acknowledged(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody is on it."""

    kind: ClassVar[Kind] = "acknowledged"
    action: ClassVar[Action] = "acknowledge"


class Attempt(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody has tried to reach the person."""

    kind: ClassVar[Kind] = "attempt"
    action: ClassVar[Action] = "attempt"

    means: Means
    reached: bool


class Returned(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """It goes back to the unit above."""

    kind: ClassVar[Kind] = "returned"
    action: ClassVar[Action] = "return"


class Transferred(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """It goes on to another unit."""

    kind: ClassVar[Kind] = "transferred"
    action: ClassVar[Action] = "transfer"

    to: Annotated[str, Meta(min_length=1, max_length=100)]


class Snoozed(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """It is put off."""

    kind: ClassVar[Kind] = "snoozed"
    action: ClassVar[Action] = "snooze"

    until: Time


class Outcome(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """It has ended, or ended otherwise than was said before."""

    kind: ClassVar[Kind] = "outcome"
    action: ClassVar[Action] = "outcome"

    outcome: HowItEnded
    loss_cny: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    """Money lost, in yuan; needed for `already-harmed`."""


class Remark(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A note for whoever has the case next."""

    kind: ClassVar[Kind] = "note"
    action: ClassVar[Action] = "attempt"  # whoever may work on a case

    note: Annotated[str, Meta(min_length=1, max_length=1000)]


AccountNumber = Annotated[str, Meta(min_length=8, max_length=64)]
"""Whole, as it stands on the card or the receipt; it is kept masked."""
Money = Annotated[float, Meta(gt=0, le=1e10)]


class StopAsked(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A payment is to be stopped."""

    kind: ClassVar[Kind] = "stop-payment"
    action: ClassVar[Action] = "request-stop-payment"

    victim: AccountNumber
    payee: AccountNumber
    bank: Annotated[str, Meta(min_length=1, max_length=200)]
    """The payee's."""
    amount_cny: Money
    paid_at: Time | None = None
    """Left out when it has not been paid yet."""


class PaymentStep(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something has become of one account of a payment."""

    kind: ClassVar[Kind] = "payment-step"
    action: ClassVar[Action] = "request-stop-payment"

    payment: Id
    """The id under which its stop was asked for."""
    step: Literal["traced", "accepted", "frozen", "failed", "requested"]
    account: AccountNumber
    """Or the key of one that was traced."""
    parent: str = ""
    """Traced: from which account, its number or key."""
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
    """What a request of this kind says in JSON; nothing at all is an empty object. Raises `Refused`."""
    return await decoded(request, _DECODERS[kind])


async def decoded(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """What a request says in JSON; raises `Refused`."""
    content = await request.body() or b"{}"
    if content != b"{}" and request.headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not-json", "The body must be JSON, with Content-Type: application/json."
        )
    try:
        return decode_one(decoder, content)
    except RecordError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, error.reason, str(error)) from None


def body_of_form(kind: Kind, form: Mapping[str, Any]) -> Body:
    """What a page's form says; fields that were left empty say nothing. Raises `Refused`."""
    fields = {name: value for name, value in form.items() if value != "" and name not in (CSRF_FIELD, ID_FIELD)}
    try:
        return msgspec.convert(fields, BODIES[kind], strict=False)
    except msgspec.ValidationError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong-field", said_of(error)) from None


def said_of(error: msgspec.ValidationError) -> str:
    """What is wrong and where, without the value that was sent."""
    return f"{_ECHO.sub('value', str(error))}."
