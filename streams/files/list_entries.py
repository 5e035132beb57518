"""List entries: what one line of a list of indicators can give."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import msgspec

from models.indicators.indicator import IndicatorType


class Entry(msgspec.Struct, kw_only=True, frozen=True):
    """An indicator as a line says it, unchecked; every field except the value may be missing."""

    value: str
    type: IndicatorType | None = None
    scam_type: str | None = None
    confidence: int | None = None
    source: str | None = None
    valid_from: int | str | None = None
    valid_until: int | str | None = None
    revoked: bool = False
    case: str | None = None


class Wrong(NamedTuple):
    """A line, or a part of it, that should be an indicator and is none."""

    reason: str


class LeftOut(NamedTuple):
    """A part of a list that is read and is not meant as an indicator, such as an exception."""

    what: str
    """In the plural, for example ``exceptions``."""


Read = Callable[[str], Iterable[Entry | Wrong | LeftOut]]
"""Reads one line, without its line break."""

EXCEPTIONS = LeftOut("exceptions")

_FORMULA: Final = re.compile(r'="(.*)"')
_PAIRS: Final = frozenset(('""', "''", "``", "“”", "‘’", "«»"))


def unquoted(written: str) -> str:
    """The text of a cell or a line without quotation marks around it, and without a spreadsheet's marks of a text.

    >>> [unquoted(each) for each in ('="99900123456"', "'99900123456", "“evil.example”")]
    ['99900123456', '99900123456', 'evil.example']
    """
    text = written.strip()
    if formula := _FORMULA.fullmatch(text):
        text = formula[1].strip()
    if text[:1] + text[1:][-1:] in _PAIRS:
        text = text[1:-1].strip()
    return text.removeprefix("'")
