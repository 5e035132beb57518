"""Codes: a phone number as one 64-bit integer, so that columns of them are arrays.

The digits' value and their count together: `0110` and `110` are two numbers, and have two codes.
"""

from __future__ import annotations

from typing import Final

LENGTH_STEP: Final = 10**15
"""A code is count * PLACES + value; a number has at most 15 digits (ITU-T E.164)."""


def key_of(number: str) -> int:
    """The code of a number of 1 to 15 ASCII digits.

    >>> code_of("110"), code_of("0110")
    (3000000000000110, 4000000000000110)
    """
    return len(number) * LENGTH_STEP + int(number)


def number_of(code: int) -> str:
    """The number of a code.

    >>> number_of(code_of("0110"))
    '0110'
    """
    count, value = divmod(int(code), LENGTH_STEP)
    return f"{value:0{count}}"
