"""The gate: who asks, what the route takes, and whose case it is; every route says its rule or the app does not start.

A session's cookie or a token in ``Authorization: Bearer`` says who it is. Whoever comes with a cookie and changes
something must also send what only a page of his session knows, in ``X-CSRF-Token`` or the form's field ``csrf``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from fastapi import Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from models.access.rights import MEANINGS, Action, User, acts, may, sees
from models.casework.cases import Case
from streams.access.sessions import csrf_of, is_csrf_of
from streams.audit import Deed
from streams.console.bodies import CSRF_FIELD
from streams.console.console import Console, console_of
from streams.console.refusals import Refused

CSRF_HEADER: Final = "X-CSRF-Token"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
BY_ITSELF: Final = "X-By-Itself"
"""A page that asks again by itself says so in this header: nobody need be there, so his session lives no longer."""
MOST_FIELDS: Final = 50
"""Fields of a form."""


class Visitor(NamedTuple):
    """Who asks; without a session he has come with a token."""

    user: User
    session: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What a route takes: a right, or nothing but to be somebody; or it is for everybody."""

    action: Action | None = None
    public: bool = False
    wakes: bool = True
    """Whether a session lives longer because of such a request; not where a page asks by itself."""

    async def __call__(self, request: Request) -> None:
        """Let a request through, or raise `Refused`; what the door raises is answered as well."""
        if request.method not in SAFE and "Authorization" not in request.headers:
            _demand_own_page(request)
        if self.public:
            return
        visitor = request.state.visitor = await _came(request, self.wakes and BY_ITSELF not in request.headers)
        if visitor.session and request.method not in SAFE:
            await _demand_csrf(request, visitor.session)
        if self.action is not None and not may(visitor.user, self.action):
            raise _not_for(visitor.user, self.action)


def requires(action: Action, *, wakes: bool = True) -> Any:
    """The rule of a route for those who have this right: ``dependencies=[requires("acknowledge")]``."""
    return Depends(Rule(action, wakes=wakes))


public: Final[Any] = Depends(Rule(public=True))
"""The rule of a route for everybody."""
signed_in: Final[Any] = Depends(Rule())
"""The rule of a route for whoever is known."""


class PublicFiles(StaticFiles):
    """Files for everybody, to be mounted; a browser keeps them and asks each time whether they are still the same."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file of a path."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def user(request: Request) -> User:
    """Who asks; only in routes that are not public."""
    visitor: Visitor = request.state.visitor
    return visitor.user


def csrf(request: Request) -> str:
    """What a form has to carry in its field ``csrf``; empty for whoever has come with a token."""
    session = request.state.visitor.session
    return csrf_of(session) if session else ""


async def renewed(request: Request, action: Action) -> bool:
    """Whether whoever asks still may, with the rights that he has by now; it does not keep his session alive."""
    try:
        request.state.visitor = await _came(request, wakes=False)
    except Refused:
        return False
    return may(user(request), action)


async def sign_in(request: Request, response: Response, name: str, password: str) -> None:
    """Begin a session, whose cookie goes with the response; raises what the door raises."""
    console = console_of(request)
    address = request.client.host if request.client is not None else ""
    token = await console.door.sign_in(name, password, address)
    found = await console.door.user_of_session(token)
    if found is None:  # disabled in this very moment
        raise _unknown()
    request.state.visitor = Visitor(found, token)
    response.set_cookie(cookie_name(console), token, path="/", secure=console.secure, httponly=True, samesite="strict")


async def sign_out(request: Request, response: Response) -> None:
    """End the session that the request has come with, and its cookie."""
    console = console_of(request)
    session = request.state.visitor.session
    if session:
        await console.door.sign_out(session)
    response.delete_cookie(cookie_name(console), path="/", secure=console.secure, httponly=True, samesite="strict")


def cookie_name(console: Console) -> str:
    """The name of the session's cookie; with TLS one that no other host or path can set."""
    return "__Host-forewarn" if console.secure else "forewarn"


def sees_case(console: Console, user: User, case: Case) -> bool:
    """Whether a user may read a case."""
    return may(user, "read-orders") and sees(user, console.chain(case.unit), [console.chain(unit) for unit in case.had])


def acts_on(console: Console, user: User, action: Action, case: Case) -> bool:
    """Whether a user may do something to a case; a unit from which it went up may come late and take it back."""
    return any(acts(user, action, console.chain(unit)) for unit in (case.unit, *case.late))


def has_now(console: Console, user: User, case: Case) -> bool:
    """Whether a user's unit, or one below it, has the case at this moment."""
    return acts(user, "read-orders", console.chain(case.unit))


def units_of(console: Console, user: User) -> set[str]:
    """The units whose cases a user sees, of those that have one and those of the tree."""
    units = {*console.view.units, *console.office.stations.units}
    return {unit for unit in units if sees(user, console.chain(unit))}


async def readable_case(request: Request, name: str) -> Case:
    """The case of this id, if whoever asks may read it; else it is noted, and for him there is no such case."""
    console = console_of(request)
    case = console.cases().case(name)
    if case is None or not sees_case(console, user(request), case):
        # An id that there is not is noted as well, and takes as long.
        await note(request, "case-refused", case="" if case is None else name, about=(f"case:{name}",))
        raise Refused(HTTPStatus.NOT_FOUND, "unknown-case", "There is no such case, or you may not see it.")
    return case


async def own_case(request: Request, name: str, action: Action) -> Case:
    """The case of this id, if whoever asks may do this to it; else it is noted, and he is refused."""
    console, case = console_of(request), await readable_case(request, name)
    if not acts_on(console, user(request), action, case):
        await note(request, "case-refused", case=name, details={"action": action})
        raise Refused(HTTPStatus.FORBIDDEN, "another-units-case", f"{case.unit} has this case; you may only read it.")
    return case


async def note(
    request: Request, did: Deed, *, case: str, about: Sequence[str] = (), details: dict[str, Any] | None = None
) -> None:
    """Write a line in the audit log about whoever asks; raises `AuditError`, and nothing is to be shown then."""
    audit, who = console_of(request).audit, user(request).name
    await asyncio.to_thread(lambda: audit.note(did, who=who, case=case, about=about, details=details))


def rules(app: FastAPI) -> Iterator[tuple[str, frozenset[str], Rule | None]]:
    """Every route with its methods and its rule; None where it has none, or more than one."""
    for context in iter_route_contexts(app.routes):
        route: Any = context.original_route
        path = str(context.path)
        if isinstance(route, APIRoute):
            dependant = context.dependant
            found = [each.call for each in dependant.dependencies if isinstance(each.call, Rule)]
            yield path, frozenset(context.methods or ()), found[0] if len(found) == 1 else None
        elif isinstance(getattr(route, "app", None), PublicFiles):
            yield path, frozenset({"GET", "HEAD"}), Rule(public=True)
        else:
            yield path, frozenset(getattr(route, "methods", None) or ()), None


def demand_rules(app: FastAPI) -> None:
    """Raise RuntimeError unless every route has a rule of its own."""
    without = [path for path, _, rule in rules(app) if rule is None]
    if without:
        raise RuntimeError(f"Routes without exactly one rule of the gate: {', '.join(without)}")


async def _came(request: Request, wakes: bool) -> Visitor:
    console = console_of(request)
    sent = request.headers.get("Authorization")
    if sent is not None:
        scheme, _, token = sent.partition(" ")
        found = console.door.user_of_token(token.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise Refused(
                HTTPStatus.UNAUTHORIZED,
                "token-refused",
                "The token is not valid: send Authorization: Bearer with a token made by `forewarn users token add`.",
                headers=_CHALLENGE,
            )
        return Visitor(found, "")
    session = request.cookies.get(cookie_name(console), "")
    found = await console.door.user_of_session(session, wakes=wakes) if session else None
    if found is None:
        raise _unknown()
    return Visitor(found, session)


def _unknown() -> Refused:
    return Refused(HTTPStatus.UNAUTHORIZED, "sign-in", "Sign in first, or send a token.", headers=_CHALLENGE)


async def _demand_csrf(request: Request, session: str) -> None:
    sent = request.headers.get(CSRF_HEADER)
    if sent is None and is_form(request):
        sent = (await form(request)).get(CSRF_FIELD)
    if not is_csrf_of(session, sent or ""):
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "csrf",
            f"Send the csrf value from /api/v1/me, in {CSRF_HEADER} or the form's field {CSRF_FIELD}.",
        )


def _demand_own_page(request: Request) -> None:
    """Refuse what another site's page has a browser send."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Refused(HTTPStatus.FORBIDDEN, "another-site", "This request does not come from a page of the console.")


def is_form(request: Request) -> bool:
    """Whether a page's form was sent."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
    return kind in ("application/x-www-form-urlencoded", "multipart/form-data")


async def form(request: Request) -> dict[str, str]:
    """The fields of a form; what is sent twice counts once, and files are not taken. May be asked again."""
    fields = await request.form(max_files=0, max_fields=MOST_FIELDS)
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def _not_for(user: User, action: Action) -> Refused:
    return Refused(HTTPStatus.FORBIDDEN, "not-for-you", f"A user of role {user.role} may not {MEANINGS[action]}.")
