"""Users for administrators: who they are, and every change of them; passwords and tokens are shown once.

Each change is in the audit log first, as with ``forewarn users``. Nobody may change their own role or disable
themselves, so that a site does not lose its last administrator by a slip.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated, Final, Literal, get_args

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct

from models.access.rights import AccessError, Role, user
from streams.access.accounts import UserAccount, UserChangeError
from streams.access.passwords import random_password
from streams.access.users import Users
from streams.console import authorisation
from streams.console.bodies import decoded
from streams.console.console import console_of
from streams.console.description import described
from streams.console.refusals import Refused
from streams.console.sheets import answer

router = APIRouter()

Change = Literal["add", "assign", "disable", "enable", "password", "add-token", "revoke-token"]
CHANGES: Final[tuple[Change, ...]] = get_args(Change)
_NOT_ONESELF: Final = frozenset({"assign", "disable"})


class NewDetails(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a change needs: `add` and `assign` a role, and a unit if the role has one; those of tokens a label."""

    role: Role = "officer"
    unit: Annotated[str, Meta(max_length=200)] = ""
    label: Annotated[str, Meta(max_length=64)] = ""


class TokenLine(Struct, frozen=True):
    """A token of a user."""

    label: str
    made: str
    """ISO 8601, UTC."""


class UserLine(Struct, frozen=True, kw_only=True):
    """A user."""

    name: str
    role: Role
    unit: str
    disabled: bool
    tokens: list[TokenLine]


class UserLines(Struct, frozen=True):
    """All users, by name."""

    users: list[UserLine]


class Changed(Struct, frozen=True, kw_only=True):
    """The user after a change."""

    user: UserLine
    secret: str = ""
    """The new password or token, which cannot be shown again."""


_decoder: Final = msgspec.json.Decoder(NewDetails)


@router.get("/api/v1/users", dependencies=[authorisation.requires("manage-users")], openapi_extra=described(UserLines))
async def users(request: Request) -> Response:
    """All users, with their roles, units and tokens."""
    return answer(UserLines([line_of(account) for account in console_of(request).users.all()]))


@router.post(
    "/api/v1/users/{name}/{change}",
    dependencies=[authorisation.requires("manage-users")],
    openapi_extra=described(Changed, NewDetails),
)
async def change_user(request: Request, name: str, change: Change) -> Response:
    """Add or change a user; a password or token is random, and this answer is the only one that has it."""
    return answer(await changed(request, name, change, await decoded(request, _decoder)))


async def changed(request: Request, name: str, change: Change, details: NewDetails) -> Changed:
    """Make a change; raises `Refused`, `UsersError` and `AuditError`, and then nothing has changed."""
    known, by = console_of(request).users, authorisation.user(request).name
    if name == by and change in _NOT_ONESELF:
        raise Refused(HTTPStatus.CONFLICT, "yourself", "You may not do this to yourself: ask another administrator.")
    try:
        secret = await asyncio.to_thread(_change, known, name, change, details, by)
        account = known.get(name)
    except AccessError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong-field", f"{error}.") from None
    except UserChangeError as error:
        said = str(error).partition(":")[0]  # what follows is about the command
        raise Refused(HTTPStatus.CONFLICT, "not-possible", f"{said}.") from None
    if account is None:  # removed from the file by hand at this very moment
        raise unknown()
    return Changed(user=line_of(account), secret=secret)


def unknown() -> Refused:
    """The refusal for a name that no user has."""
    return Refused(HTTPStatus.NOT_FOUND, "unknown-user", "There is no such user.")


def line_of(account: UserAccount) -> UserLine:
    """What may be shown of a user."""
    who = account.user
    tokens = [TokenLine(each.label, each.made) for each in account.tokens]
    return UserLine(name=who.name, role=who.role, unit=who.unit, disabled=who.disabled, tokens=tokens)


def _change(known: Users, name: str, change: Change, details: NewDetails, by: str) -> str:
    """Make a change and return the new password or token, if there is one; blocks while a password is hashed."""
    secret = random_password() if change in ("add", "password") else ""
    match change:
        case "add":
            known.add(user(name, details.role, details.unit), secret, by=by)
        case "assign":
            known.assign(name, details.role, details.unit, by=by)
        case "disable":
            known.disable(name, by=by)
        case "enable":
            known.enable(name, by=by)
        case "password":
            known.set_password(name, secret, by=by)
        case "add-token":
            secret = known.add_token(name, details.label, by=by)
        case "revoke-token":
            known.revoke_token(name, details.label, by=by)
    return secret


KINDS: Final[tuple[type, ...]] = (UserLines, NewDetails, Changed)
"""All types of these routes' requests and answers."""
