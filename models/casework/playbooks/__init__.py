"""Playbooks: what station officers say and check when they call or knock, one for each scam type, as data.

A playbook is one YAML file (`docs/playbooks.md` explains each field; `streams.files.playbook_files` reads it). Officers
read it on a phone during a call, so every text is short, and is given in Chinese and in English. A playbook is refused
if a field is unknown or missing, or if a text is too long or in the wrong language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from models.base.field_paths import field_path
from models.base.yaml_size import check_size

Language = Literal["zh", "en"]

LONGEST_ZH: Final = 120
LONGEST_EN: Final = 220
"""The most characters of one text: as much as a reader takes in at a glance, in either language."""

FALLBACK: Final = "other"
"""The scam type whose playbook serves types without their own: the list of types is open."""

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")


class PlaybookError(ValueError):
    """A playbook cannot be used; the message says why, and ``path`` says where, as in ``.never[0].zh``."""

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(problem)
        self.path = path


class Text(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same text in Chinese and in English."""

    zh: Annotated[str, Meta(min_length=1, max_length=LONGEST_ZH)]
    en: Annotated[str, Meta(min_length=1, max_length=LONGEST_EN)]

    def said(self, language: Language) -> str:
        """The text in one of the languages."""
        return self.zh if language == "zh" else self.en


class Question(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question that breaks the scammer's story, and what its answer means."""

    ask: Text
    means: Text


Part = Literal["story", "opening", "questions", "never", "check", "at_the_door_nobody", "money_gone"]
"""A part of a playbook, by its field."""


class Source(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where advice was published that the playbook puts into its own words."""

    by: Annotated[str, Meta(min_length=1, max_length=120)]
    """Who published it, and when."""
    url: Annotated[str, Meta(pattern=r"^https?://[!-~]+$", max_length=300)]
    parts: Annotated[tuple[Part, ...], Meta(min_length=1)]
    """The parts that rest on it."""


class Playbook(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an officer says and checks in one type of scam."""

    scam_type: Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{0,39}$")]
    story: Annotated[tuple[Text, ...], Meta(min_length=3, max_length=6)]
    """The caller's story, sentence by sentence, so that the officer recognises it."""
    opening: Annotated[tuple[Text, ...], Meta(min_length=2, max_length=2)]
    """The officer's first two sentences: who they are, and how the person can verify it."""
    questions: Annotated[tuple[Question, ...], Meta(min_length=4, max_length=7)]
    never: Annotated[tuple[Text, ...], Meta(min_length=2, max_length=4)]
    """Plain facts: what an authority, a shop or a bank never does."""
    check: Annotated[tuple[Text, ...], Meta(min_length=2, max_length=7)]
    """What to check on the spot."""
    at_the_door_nobody: Annotated[tuple[Text, ...], Meta(min_length=2, max_length=7)]
    """What to do if nobody is at home or the phone is busy."""
    money_gone: Annotated[tuple[Text, ...], Meta(min_length=2, max_length=7)]
    """The first steps if money was paid within the last minutes."""
    sources: Annotated[tuple[Source, ...], Meta(max_length=8)] = ()


def parse(content: bytes) -> Playbook:
    r"""Read a playbook from YAML; raises `PlaybookError` naming the field.

    >>> parse(b"scam_type: loan\nstory: long")
    Traceback (most recent call last):
        ...
    models.casework.playbooks.PlaybookError: Expected `array`, got `str` - at `$.story`
    """
    try:
        check_size(content)
        playbook = msgspec.yaml.decode(content, type=Playbook)
    except msgspec.ValidationError as error:
        raise PlaybookError(str(error), field_path(error)) from None
    except Exception as error:  # PyYAML has its own error classes, and msgspec wraps only some
        raise PlaybookError(f"This is not YAML: {' '.join(str(error).split())}.") from None
    for path, problem in _problems(playbook):
        raise PlaybookError(f"{problem} - at `${path}`", path)
    return playbook


def playbook_for(playbooks: Mapping[str, Playbook], scam_type: str) -> Playbook:
    """The playbook of a scam type, or the one of `FALLBACK` if the type has none."""
    return playbooks.get(scam_type) or playbooks[FALLBACK]


def texts(value: Any, path: str = "") -> Iterator[tuple[str, Text]]:
    """Every text of a playbook with its path, in an officer's reading order."""
    if isinstance(value, Text):
        yield path, value
    elif isinstance(value, tuple):
        for place, each in enumerate(value):
            yield from texts(each, f"{path}[{place}]")
    elif isinstance(value, Playbook | Question):
        for field in value.__struct_fields__:
            yield from texts(getattr(value, field), f"{path}.{field}")


def _problems(playbook: Playbook) -> Iterator[tuple[str, str]]:
    """The problems that the types do not exclude, each with the path of its text."""
    for path, text in texts(playbook):
        for language in ("zh", "en"):
            said = getattr(text, language)
            if not said.isprintable() or said != said.strip():
                yield f"{path}.{language}", "A text is one line, without blanks around it"
        if not _HAN.search(text.zh):
            yield f"{path}.zh", "The Chinese text has no Chinese character"
        if wide := next((sign for sign in text.en if unicodedata.east_asian_width(sign) in "WF"), None):
            yield f"{path}.en", f"The English text has a Chinese sign, {wide}"
