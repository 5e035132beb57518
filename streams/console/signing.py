"""The routes for signing in, signing out and the user's own account."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from msgspec import Meta, Struct

from models.access.rights import RIGHTS
from streams.console import authorisation
from streams.console.bodies import decoded, said_of
from streams.console.description import described
from streams.console.refusals import Refused
from streams.console.sheets import answer

router = APIRouter()


class Credentials(Struct, frozen=True, forbid_unknown_fields=True):
    """A user's name and password."""

    name: Annotated[str, Meta(max_length=200)]
    password: Annotated[str, Meta(max_length=1024)]


class Me(Struct, frozen=True):
    """The user and their rights."""

    name: str
    role: str
    unit: str
    may: list[str]
    csrf: str
    """The value to send with every request that changes something; empty for a user with a token."""


_decoder: Final = msgspec.json.Decoder(Credentials)


@router.post("/api/v1/sign-in", dependencies=[authorisation.public], openapi_extra=described(Me, Credentials))
async def sign_in(request: Request) -> Response:
    """Begin a session: takes a name and a password, sets a cookie.

    The body is JSON or a form; a form is redirected to the start page.
    """
    if not authorisation.is_form(request):
        credentials = await decoded(request, _decoder)
        response = Response(media_type="application/json")
        await authorisation.sign_in(request, response, credentials.name, credentials.password)
        response.body = msgspec.json.encode(_me(request))
        response.headers["Content-Length"] = str(len(response.body))
        return response
    credentials = credentials_of_form(await authorisation.form(request))
    led = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    await authorisation.sign_in(request, led, credentials.name, credentials.password)
    return led


@router.post(
    "/api/v1/sign-out",
    dependencies=[authorisation.signed_in],
    status_code=HTTPStatus.NO_CONTENT,
    openapi_extra=described(None),
)
async def sign_out(request: Request) -> Response:
    """End the session."""
    response = (
        RedirectResponse("/", HTTPStatus.SEE_OTHER)
        if authorisation.is_form(request)
        else Response(status_code=HTTPStatus.NO_CONTENT)
    )
    await authorisation.sign_out(request, response)
    return response


@router.get("/api/v1/me", dependencies=[authorisation.signed_in], openapi_extra=described(Me))
async def me(request: Request) -> Response:
    """The user and their rights."""
    return answer(_me(request))


def credentials_of_form(form: dict[str, Any]) -> Credentials:
    """The name and password in a form; raises `Refused`."""
    try:
        return msgspec.convert(form, Credentials)
    except msgspec.ValidationError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong-field", said_of(error)) from None


def _me(request: Request) -> Me:
    user = authorisation.user(request)
    return Me(user.name, user.role, user.unit, sorted(RIGHTS[user.role].actions), authorisation.csrf(request))


KINDS: Final[tuple[type, ...]] = (Credentials, Me)
"""All types of these routes' requests and answers."""
