"""The app: puts one console's routes together with their authorisation and the middleware around them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, FastAPI

from streams.console import api, audit_lines, authorisation, description, listening, look_ups, signing, user_changes
from streams.console.console import Console
from streams.console.middleware import LARGEST_BODY, Middleware
from streams.console.refusals import Page, answer_refusals


class Pages(NamedTuple):
    """The pages that people see in a browser, in addition to the API."""

    router: APIRouter
    """Its routes have full paths, and each has an authorisation rule."""
    refusal: Page
    """Shows a refusal of a request outside ``/api/``."""
    files: Path
    """The folder served under ``/static``."""


def make_app(console: Console, pages: Pages | None = None) -> FastAPI:
    """The app of a console; raises RuntimeError when a route has no authorisation rule."""
    app = FastAPI(
        title="Forewarn's console",
        docs_url=None,  # its page loads scripts from other hosts
        redoc_url=None,
        openapi_url=None,  # description.py serves it, with an authorisation rule
        form_limits={"max_fields": authorisation.MOST_FIELDS, "max_files": 0, "max_part_size": LARGEST_BODY},
        telemetry={"tracing": False, "metrics": False, "logs": False},
        redirect_slashes=False,
    )
    app.state.console = console
    app.add_middleware(Middleware, secure=console.secure)
    for routes in (signing, api, listening, look_ups, audit_lines, user_changes, description):
        app.include_router(routes.router)
    kinds = [kind for routes in (signing, api, look_ups, audit_lines, user_changes) for kind in routes.KINDS]
    app.state.description = description.describe(app, kinds)
    if pages is not None:
        app.include_router(pages.router)
        app.mount("/static", authorisation.PublicFiles(directory=pages.files), name="static")
    answer_refusals(app, None if pages is None else pages.refusal)
    authorisation.demand_rules(app)
    return app
