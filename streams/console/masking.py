"""Masking: a person's number as it is shown unless a user asks for the whole number.

A mask must leave so many numbers that nobody finds the right one by trying. Neither the range nor the length is shown:
they name a carrier and a town, or tell the few landlines and foreign numbers from the rest. The arithmetic is in
``docs/security.md``.
"""

from __future__ import annotations

from typing import Final

SHOWN: Final = 2
"""The digits shown, at the end: every hundredth number of a city has the same ones."""
_HIDDEN: Final = "*****"


def masked(number: str) -> str:
    """A number of which only the last digits are shown; its owner recognises it, but nobody can call it.

    >>> masked("8610000000001"), masked("861000000001")
    ('*****01', '*****01')
    """
    return _HIDDEN + number[-SHOWN:]
