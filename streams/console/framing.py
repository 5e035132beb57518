"""The frame of every page: the user, the language, the navigation, and the age of the cases shown."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from models.access.rights import RIGHTS, Action, User, may
from models.casework.playbooks import Language
from streams.console import authorisation
from streams.console.console import console_of
from streams.console.presenting import Scene
from streams.console.rendering import rendered
from streams.console.words import LANGUAGES

LANGUAGE_COOKIE: Final = "language"
CHANGES: Final = "/api/v1/changes"
"""Where a page listens for changes."""
STALE_MS: Final = 15_000
"""The age from which a page says that its cases are old."""

_PAGES: Final[tuple[tuple[str, str, Action], ...]] = (
    ("orders", "/orders", "read-orders"),
    ("centre", "/centre", "see-statistics"),
    ("bulletin", "/bulletin", "read-bulletins"),
    ("look-up", "/look-up", "look-up"),
    ("risks", "/risks", "decide-risks"),
    ("audit", "/audit", "read-audit"),
    ("users", "/users", "manage-users"),
)
"""The pages of the navigation, and the right that each needs."""


def page(request: Request, template: str, status: HTTPStatus = HTTPStatus.OK, **about: Any) -> Response:
    """A page from a template, together with the values that every page shows."""
    visitor: authorisation.Visitor | None = getattr(request.state, "visitor", None)
    user = None if visitor is None else visitor.user
    scene = scene_of(request)
    frame = {
        "now": scene.now,
        "user": user,
        "unit_name": scene.unit(user.unit) if user is not None and user.unit else "",
        "nav": () if user is None else nav(user),
        "here": "",
        "back": request.url.path
        if request.method in authorisation.SAFE
        else about.get("address") or about.get("after", "/"),
        "csrf_token": "" if visitor is None else authorisation.csrf(request),
        "changes": "",
        "case": "",
        "address": "",
        "stale": _stale(request, scene) if user is not None else "",
    }
    return HTMLResponse(rendered(template, scene.language, frame | about), status)


def nav(user: User) -> tuple[tuple[str, str], ...]:
    """The pages that a user may see; the first is their start page."""
    found = tuple((name, path) for name, path, action in _PAGES if may(user, action))
    return found[1::-1] + found[2:] if RIGHTS[user.role].reach == "all" else found


def scene_of(request: Request) -> Scene:
    """The scene in which cases are shown to the user of this request."""
    console = console_of(request)
    visitor: authorisation.Visitor | None = getattr(request.state, "visitor", None)
    return Scene(
        console.now(),
        _language(request),
        console.office.stations,
        lambda case: visitor is not None and authorisation.sees_case(console, visitor.user, case),
    )


def _language(request: Request) -> Language:
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return next((each for each in LANGUAGES if each == chosen), LANGUAGES[0])


def word(request: Request, key: str, **about: object) -> str:
    """A word of the table, in the user's language."""
    return scene_of(request).word(key, **about)


def local_path(path: str) -> str:
    """A path of this console to redirect to; ``/`` for a path that a browser could take for another host."""
    fine = path.startswith("/") and not path.startswith("//") and path.isprintable() and "\\" not in path
    return path if fine else "/"


def _stale(request: Request, scene: Scene) -> str:
    """The time up to which the cases are known; empty if that is recent."""
    as_of = console_of(request).view.as_of
    return scene.at(as_of, True) if as_of is not None and as_of < scene.now - STALE_MS else ""
