"""Authorisation: checks who sends a request, which right the route needs, and whose case it is about.

Every route declares its rule, or the app does not start. The session cookie or a token in ``Authorization: Bearer``
identifies the user. A request that comes with a cookie and changes something must also carry the session's CSRF value,
which only the session's own pages know, in ``X-CSRF-Token`` or in the form field ``csrf``.
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
from streams import metrics
from streams.access.sessions import csrf_of, is_csrf_of
from streams.audit import Deed
from streams.console.bodies import CSRF_FIELD
from streams.console.console import Console, console_of
from streams.console.refusals import Refused

CSRF_HEADER: Final = "X-CSRF-Token"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
BY_ITSELF: Final = "X-By-Itself"
"""A page sets this header on requests that it sends by itself: perhaps nobody is there, so they extend no session."""
MOST_FIELDS: Final = 50
"""The most fields that a form may have."""


class Visitor(NamedTuple):
    """The user of a request; ``session`` is empty for a user with a token."""

    user: User
    session: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may use a route: users with a right, any user (no ``action``), or everybody (``public``)."""

    action: Action | None = None
    public: bool = False
    wakes: bool = True
    """Whether such a request extends the session; not when a page sends it by itself."""

    async def __call__(self, request: Request) -> None:
        """Let a request through, or raise `Refused`; the authenticator's errors are answered as well."""
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
    """The rule of a route that needs this right: ``dependencies=[requires("acknowledge")]``."""
    return Depends(Rule(action, wakes=wakes))


public: Final[Any] = Depends(Rule(public=True))
"""The rule of a route that is open to everybody."""
signed_in: Final[Any] = Depends(Rule())
"""The rule of a route that is open to every user."""


class PublicFiles(StaticFiles):
    """Files for everybody, to be mounted; browsers cache them and ask each time whether they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with the file at a path."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def user(request: Request) -> User:
    """The user of a request; only in routes that are not public."""
    visitor: Visitor = request.state.visitor
    return visitor.user


def csrf(request: Request) -> str:
    """The value that a form must carry in its field ``csrf``; empty for a user with a token."""
    session = request.state.visitor.session
    return csrf_of(session) if session else ""


async def renewed(request: Request, action: Action) -> bool:
    """Whether the user still has the right to this action; asking does not extend the session."""
    try:
        request.state.visitor = await _came(request, wakes=False)
    except Refused:
        return False
    return may(user(request), action)


async def sign_in(request: Request, response: Response, name: str, password: str) -> None:
    """Begin a session and set its cookie on the response; raises what the authenticator raises."""
    console = console_of(request)
    address = request.client.host if request.client is not None else ""
    token = await console.door.sign_in(name, password, address)
    found = await console.door.user_of_session(token)
    if found is None:  # disabled at this very moment
        raise _unknown()
    request.state.visitor = Visitor(found, token)
    response.set_cookie(cookie_name(console), token, path="/", secure=console.secure, httponly=True, samesite="strict")


async def sign_out(request: Request, response: Response) -> None:
    """End the request's session and delete its cookie."""
    console = console_of(request)
    session = request.state.visitor.session
    if session:
        await console.door.sign_out(session)
    response.delete_cookie(cookie_name(console), path="/", secure=console.secure, httponly=True, samesite="strict")


def cookie_name(console: Console) -> str:
    """The name of the session cookie; with TLS, a name that no other host or path can set."""
    return "__Host-forewarn" if console.secure else "forewarn"


def sees_case(console: Console, user: User, case: Case) -> bool:
    """Whether a user may read a case."""
    return may(user, "read-orders") and sees(user, console.chain(case.unit), [console.chain(unit) for unit in case.had])


def acts_on(console: Console, user: User, action: Action, case: Case) -> bool:
    """Whether a user may do this to a case."""
    return acts(user, action, console.chain(case.unit))


def has_now(console: Console, user: User, case: Case) -> bool:
    """Whether a user's unit, or one below it, has the case at this moment."""
    return acts(user, "read-orders", console.chain(case.unit))


def units_of(console: Console, user: User) -> set[str]:
    """The units whose cases a user may see, among the units that have a case and those of the tree."""
    units = {*console.view.units, *console.office.stations.units}
    return {unit for unit in units if sees(user, console.chain(unit))}


async def readable_case(request: Request, name: str) -> Case:
    """The case of this id, if the user may read it.

    Otherwise the audit log records the attempt, and it raises `Refused` as if there were no such case.
    """
    console = console_of(request)
    case = console.cases().case(name)
    if case is None or not sees_case(console, user(request), case):
        # An unknown id is recorded as well, so its answer takes just as long.
        await note(request, "case-refused", case="" if case is None else name, about=(f"case:{name}",))
        raise Refused(HTTPStatus.NOT_FOUND, "unknown-case", "There is no such case, or you may not see it.")
    return case


async def own_case(request: Request, name: str, action: Action) -> Case:
    """The case of this id, if the user may do this to it; else the audit log records it, and it raises `Refused`."""
    console, case = console_of(request), await readable_case(request, name)
    if not acts_on(console, user(request), action, case):
        await note(request, "case-refused", case=name, details={"action": action})
        raise Refused(HTTPStatus.FORBIDDEN, "another-units-case", f"{case.unit} has this case; you may only read it.")
    return case


async def note(
    request: Request, did: Deed, *, case: str, about: Sequence[str] = (), details: dict[str, Any] | None = None
) -> None:
    """Write a line about the user to the audit log; raises `AuditError`, and then nothing may be shown."""
    console, who = console_of(request), user(request).name
    await asyncio.to_thread(lambda: console.audit.note(did, who=who, case=case, about=about, details=details))
    if console.pace.is_unusual(who, did, console.now()):
        metrics.UNUSUAL_USE.labels(did).inc()
        await note(request, "unusual-use", case=case, details={"did": did, "minutes": 60})


def rules(app: FastAPI) -> Iterator[tuple[str, frozenset[str], Rule | None]]:
    """Every route with its methods and its rule; None for a route with no rule or with more than one."""
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
    """Raise RuntimeError unless every route has exactly one rule."""
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
    """Refuse a request that another site's page made the browser send."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Refused(HTTPStatus.FORBIDDEN, "another-site", "This request does not come from a page of the console.")


def is_form(request: Request) -> bool:
    """Whether the request is a submitted form."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
    return kind in ("application/x-www-form-urlencoded", "multipart/form-data")


async def form(request: Request) -> dict[str, str]:
    """The fields of a form; a repeated field counts once, and files are not taken. May be called again."""
    fields = await request.form(max_files=0, max_fields=MOST_FIELDS)
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def _not_for(user: User, action: Action) -> Refused:
    return Refused(HTTPStatus.FORBIDDEN, "not-for-you", f"A user of role {user.role} may not {MEANINGS[action]}.")
