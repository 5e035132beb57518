"""The description of the API in OpenAPI, generated from the routes and the types of their requests and answers."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from msgspec import Struct

from models.casework.cases import Kind
from streams.console import authorisation
from streams.console.sheets import answer

router = APIRouter()

AT: Final = "/api/openapi.json"
_REF: Final = "#/components/schemas/{name}"


class Refusal(Struct, frozen=True, omit_defaults=True):
    """The answer to a request that is refused."""

    error: str
    """A kebab-case word for programs."""
    message: str
    """One sentence for people."""
    possible: list[Kind] | None = None
    """The reports that the case takes instead, if the state of the case is the reason."""


class Taken(Struct, frozen=True):
    """The report has arrived, but the case does not show it yet."""

    id: str


def described(answers: type | None, takes: type | None = None, **more: type) -> dict[str, Any]:
    """The types that a route adds to its description: its answer and its body; ``more``: by status, ``s202=Taken``."""
    responses = {} if answers is None else {"200": _content(answers, "Done.")}
    responses |= {status[1:]: _content(kind, HTTPStatus(int(status[1:])).phrase) for status, kind in more.items()}
    said: dict[str, Any] = {"responses": responses | {"default": _content(Refusal, "Not done.")}}
    return said if takes is None else said | {"requestBody": _content(takes, "")}


def describe(app: FastAPI, kinds: Sequence[type]) -> dict[str, Any]:
    """The whole document; ``kinds`` are all types that routes refer to."""
    document = get_openapi(title=app.title, version="1", description=__doc__, routes=app.routes)
    _, components = msgspec.json.schema_components([*kinds, Refusal, Taken], ref_template=_REF)
    document["components"] = {
        "schemas": components,
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": authorisation.cookie_name(app.state.console)},
        },
    }
    open_to_all = {path for path, _, rule in authorisation.rules(app) if rule is not None and rule.public}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["responses"].pop("422", None)  # FastAPI's own format, which the console does not answer with
            operation["security"] = [] if path in open_to_all else [{"token": []}, {"session": []}]
    return document


@router.get(AT, dependencies=[authorisation.public], include_in_schema=False)
async def openapi(request: Request) -> Response:
    """The description, for generating clients; it says nothing that the source does not."""
    return answer(request.app.state.description)


def _content(kind: type, description: str) -> dict[str, Any]:
    schema = {"$ref": _REF.format(name=kind.__name__)}
    said: dict[str, Any] = {"content": {"application/json": {"schema": schema}}}
    return said | {"description": description} if description else said
