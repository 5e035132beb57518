"""Printable text: foreign text on a terminal or in a log, without what would control the terminal or feign a line."""

from __future__ import annotations

import unicodedata
from typing import Final

REPLACED: Final = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    r"""The text with each character that is not printed replaced: line ends, escapes, and marks that turn a line round.

    Spaces of every width stay.

    >>> printable("case A-1"), printable("A\x1b[2J\nB"), printable("gnp.\u202ecod")
    ('case A-1', 'A\ufffd[2J\ufffdB', 'gnp.\ufffdcod')
    """
    return text if text.isprintable() else "".join(sign if _is_shown(sign) else REPLACED for sign in text)


def _is_shown(sign: str) -> bool:
    return sign.isprintable() or unicodedata.category(sign) == "Zs"
