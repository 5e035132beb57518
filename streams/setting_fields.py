"""How a setting is declared and read: a field with its help and parser, and the variable that gives its value."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from streams.secret_files import ExposedError, read_secret

T = TypeVar("T")

PREFIX = "FOREWARN_"
_FOR_TESTS = ("FOREWARN_TEST_", "FOREWARN_DATA")


class SettingsError(ValueError):
    """The settings cannot be used: one line for each mistake, with the variables and what they take."""


def setting(
    parse: Callable[[str], T],
    text: str,
    default: object = None,
    *,
    make: Callable[[], object] | None = None,
    shown: str | None = None,
    secret: bool = False,
    private: bool = False,
    empty: bool = False,
    repeated: bool = True,
) -> Any:
    """A documented field of `streams.settings.Settings`; returns Any, so the field's annotation gives its type.

    ``parse`` reads the variable's text, and ``text`` is its help. ``make`` computes the default, and ``shown`` is how
    the page writes the default. A ``secret`` may come from a file and is not in the repr; nobody else may be able to
    read that file if it is ``private``. With ``empty``, an empty variable is a value; otherwise it counts as unset.
    A wrong value is ``repeated`` in the message unless it may be a secret that was put into the wrong place.
    """
    shown = shown if shown is not None else ("" if default is None else str(default))
    metadata = {"parse": parse, "help": text, "shown": shown, "secret": secret, "private": private, "empty": empty}
    metadata["repeated"] = repeated and not secret
    if make is not None:
        return dataclasses.field(default_factory=make, repr=not secret, metadata=metadata)
    return dataclasses.field(default=default, repr=not secret, metadata=metadata)


def values_of(cls: type[Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The values that these variables give to the fields of ``cls``, a dataclass of `setting` fields.

    The variable of a field is ``FOREWARN_`` and the field's name in capitals. Raises :class:`SettingsError` with a line
    for every variable that is unknown or has a wrong value, and for every file of a secret that cannot be read.
    """
    values: dict[str, Any] = {}
    mistakes = list(_unknown(cls, environ))
    for field in dataclasses.fields(cls):
        variable = PREFIX + field.name.upper()
        try:
            text = _text_of(field, variable, environ)
            if text is not None:
                values[field.name] = field.metadata["parse"](text)
        except ValueError as error:
            # The message does not repeat the value of a secret, because error messages end up in logs.
            got = repr(environ.get(variable)) if field.metadata["repeated"] else "its present value"
            mistakes.append(f"{variable} takes {error}; not {got}")
        except ExposedError as error:
            mistakes.append(f"{variable}_FILE is refused: {error}")
        except OSError as error:
            mistakes.append(f"{variable}_FILE cannot be read: {error.strerror} ({error.filename})")
    if mistakes:
        raise SettingsError("\n".join(mistakes))
    return values


def _variables(cls: type[Any]) -> dict[str, dataclasses.Field[Any]]:
    """Every known variable with its field; a secret has a second variable, for a file."""
    known = {PREFIX + field.name.upper(): field for field in dataclasses.fields(cls)}
    return known | {f"{variable}_FILE": field for variable, field in known.items() if field.metadata["secret"]}


def _unknown(cls: type[Any], environ: Mapping[str, str]) -> Iterator[str]:
    known = _variables(cls)
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in known and not variable.startswith(_FOR_TESTS):
            near = difflib.get_close_matches(variable, known, n=1)
            advice = f"did you mean {near[0]}?" if near else "docs/settings.md lists all settings"
            yield f"{variable} is not a setting; {advice}"


def _text_of(field: dataclasses.Field[Any], variable: str, environ: Mapping[str, str]) -> str | None:
    """The text of a field's variable or, for a secret, of its file; None when it is not set.

    Raises ValueError when both the variable and its file are set, and what `read_secret` raises.
    """
    text = environ.get(variable)
    path = environ.get(f"{variable}_FILE") if field.metadata["secret"] else None
    if path:
        if text:
            raise ValueError(f"its value or a file ({variable}_FILE), not both")
        text = read_secret(Path(path), private=field.metadata["private"])
    return text if text or (text is not None and field.metadata["empty"]) else None
