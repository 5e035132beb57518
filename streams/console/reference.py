"""The reference: turns the API's description into the contents of a page; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_METHODS: Final = ("get", "post")
_REF: Final = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a type, or one parameter of a route (``where``: path, query or header)."""

    name: str
    kind: str
    needed: bool
    where: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the API."""

    method: str
    path: str
    says: str
    for_everybody: bool
    parameters: tuple[Field, ...]
    takes: str
    """The type of the body; empty if there is none."""
    answers: tuple[tuple[str, str], ...]
    """By status: the type of the answer, or else its description."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type of a request or an answer."""

    name: str
    says: str
    fields: tuple[Field, ...]


def routes_of(document: Mapping[str, Any]) -> tuple[Route, ...]:
    """The routes of an OpenAPI document, in its order."""
    return tuple(
        _route(method, path, operations[method])
        for path, operations in document["paths"].items()
        for method in _METHODS
        if method in operations
    )


def types_of(document: Mapping[str, Any]) -> tuple[Type, ...]:
    """The types of an OpenAPI document that have fields, by name."""
    found = document["components"]["schemas"]
    return tuple(
        Type(
            name,
            found[name].get("description", ""),
            tuple(
                Field(field, shape(schema), field in found[name].get("required", ()))
                for field, schema in found[name]["properties"].items()
            ),
        )
        for name in sorted(found)
        if "properties" in found[name]
    )


def shape(schema: Mapping[str, Any]) -> str:
    """A schema in a few words.

    >>> shape({"type": "array", "items": {"enum": ["call", "visit"]}}), shape({"type": "integer"})
    ('list of call | visit', 'integer')
    """
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REF)
    if "enum" in schema or "const" in schema:
        return " | ".join(map(str, schema.get("enum", [schema.get("const")])))
    some: Sequence[Mapping[str, Any]] = schema.get("anyOf") or schema.get("oneOf") or ()
    if some:
        return " or ".join(dict.fromkeys(map(shape, some)))
    if schema.get("type") == "array":
        items = schema.get("items")
        return f"list of {shape(items)}" if isinstance(items, Mapping) and items else "list"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {shape(schema['additionalProperties'])}"
    return str(schema.get("type", "anything"))


def _route(method: str, path: str, operation: Mapping[str, Any]) -> Route:
    return Route(
        method.upper(),
        path,
        operation.get("description", ""),
        operation.get("security") == [],
        tuple(
            Field(each["name"], shape(each.get("schema", {})), each.get("required", False), each["in"])
            for each in operation.get("parameters", ())
        ),
        _content(operation.get("requestBody", {})),
        tuple(
            (status, _content(answer) or answer.get("description", ""))
            for status, answer in operation["responses"].items()
            if status != "default"
        ),
    )


def _content(said: Mapping[str, Any]) -> str:
    return next((shape(each["schema"]) for each in said.get("content", {}).values() if "schema" in each), "")
