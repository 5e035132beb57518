"""The pages of the users, for administrators: the list with a form for a new one, and one user with its changes."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Request, Response

from models.access.rights import ROLES
from streams.console import authorisation
from streams.console.console import console_of
from streams.console.framing import page, scene_of, word
from streams.console.refusals import Refused
from streams.console.user_changes import Change, Changed, NewDetails, changed, line_of, unknown
from streams.console.words import WORDS

router = APIRouter(include_in_schema=False)

_RULE: Final = [authorisation.requires("manage-users")]


@router.get("/users", dependencies=_RULE)
async def users(request: Request) -> Response:
    """All users, and the form for a new one."""
    return _list(request, {})


@router.post("/users", dependencies=_RULE)
async def add(request: Request) -> Response:
    """The page of the new user with the password, or the form again with what is wrong."""
    typed = await authorisation.form(request)
    name = typed.get("name", "").strip()
    try:
        return _one(request, await changed(request, name, "add", _details(typed)))
    except Refused as refused:
        return _list(request, typed, _why(request, refused), refused.status)


@router.get("/users/{name}", dependencies=_RULE)
async def one(request: Request, name: str) -> Response:
    """One user, and what can be changed."""
    account = console_of(request).users.get(name)
    if account is None:
        raise unknown()
    return _one(request, Changed(user=line_of(account)))


@router.post("/users/{name}/{change}", dependencies=_RULE)
async def change_user(request: Request, name: str, change: Change) -> Response:
    """The user after the change, with a new password or token once; or as before, with what is wrong."""
    typed = await authorisation.form(request)
    try:
        return _one(request, await changed(request, name, change, _details(typed)), done=True)
    except Refused as refused:
        account = console_of(request).users.get(name)
        if account is None:
            raise unknown() from None
        return _one(request, Changed(user=line_of(account)), wrong=_why(request, refused), status=refused.status)


def _details(typed: Mapping[str, str]) -> NewDetails:
    """The details in a form; raises `Refused`."""
    fields = {name: typed[name].strip() for name in NewDetails.__struct_fields__ if typed.get(name, "").strip()}
    try:
        return msgspec.convert(fields, NewDetails)
    except msgspec.ValidationError:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong-field", "A field is wrong.") from None


def _why(request: Request, refused: Refused) -> str:
    key = f"users.{refused.error}"
    return word(request, key if key in WORDS else "users.not-possible")


def _list(request: Request, typed: Mapping[str, str], wrong: str = "", status: HTTPStatus = HTTPStatus.OK) -> Response:
    scene = scene_of(request)
    found = [line_of(account) for account in console_of(request).users.all()]
    return page(
        request,
        "users",
        status,
        here="users",
        address="/users",
        rows=[
            (
                each.name,
                f"/users/{quote(each.name, safe='')}",
                scene.word(f"role.{each.role}"),
                scene.unit(each.unit) if each.unit else "",
                scene.word("users.disabled" if each.disabled else "users.enabled"),
                str(len(each.tokens)),
            )
            for each in found
        ],
        typed=typed,
        wrong=wrong,
        **_choices(request),
    )


def _one(
    request: Request, found: Changed, *, done: bool = False, wrong: str = "", status: HTTPStatus = HTTPStatus.OK
) -> Response:
    name = found.user.name
    return page(
        request,
        "user",
        status,
        here="users",
        address=f"/users/{quote(name, safe='')}",
        shown=found.user,
        secret=found.secret,
        done=done and not found.secret,
        is_self=name == authorisation.user(request).name,
        wrong=wrong,
        **_choices(request),
    )


def _choices(request: Request) -> dict[str, object]:
    """The roles, and the units of the city by name, for a form."""
    scene = scene_of(request)
    return {
        "roles": [(role, scene.word(f"role.{role}")) for role in ROLES],
        "units": [(unit, scene.unit(unit)) for unit in scene.stations.units],
    }
