"""Field paths: which field of a document msgspec refused, read from its message; the caller finds the line."""

from __future__ import annotations

import msgspec


def field_path(error: msgspec.ValidationError) -> str:
    """The path of the wrong field, for example ``.steps[2].do``; empty when the document itself is wrong.

    >>> field_path(msgspec.ValidationError("Expected `float`, got `str` - at `$.gangs`"))
    '.gangs'
    >>> field_path(msgspec.ValidationError("Object contains unknown field `gang` - at `$.steps[1]`"))
    '.steps[1].gang'
    """
    said = str(error)
    path = said.rpartition(" - at `$")[2].rstrip("`") if " - at `$" in said else ""
    _, unknown, field = said.partition("unknown field `")
    return f"{path}.{field.partition('`')[0]}" if unknown else path
