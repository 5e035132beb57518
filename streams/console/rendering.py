"""Rendering: fills in the console's templates in one language; all values from outside are escaped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from models.casework.playbooks import Language
from streams.console.words import LANGUAGES, WORDS, said

FOLDER: Final = Path(str(files("streams.console")))
STATIC: Final = FOLDER / "static"
"""The files that browsers fetch in addition to the pages."""
TEMPLATES: Final = FOLDER / "templates"

_environment: Final = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def rendered(template: str, language: Language, about: Mapping[str, Any]) -> str:
    """The template of this name, filled in with these values and the words of one language."""
    other = next(each for each in LANGUAGES if each != language)
    return _environment.get_template(f"{template}.html").render(
        language=language,
        other=other,
        t=partial(_said, language),
        word=lambda key: WORDS[key][LANGUAGES.index(language)],
        **about,
    )


def fingerprint(*parts: object) -> str:
    """A short word that changes when any of these parts changes."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def _said(language: Language, key: str, **about: object) -> str:
    return said(key, language, **about)
