"""Number keys: a phone number as one 64-bit integer, so that a column of numbers is an array.

A key holds the value and the count of the digits: `0110` and `110` are different numbers and have different keys.
"""

from __future__ import annotations

from typing import Final

LENGTH_STEP: Final = 10**15
"""A key is count * LENGTH_STEP + value; a number has at most 15 digits (ITU-T E.164)."""


def key_of(number: str) -> int:
    """The number key of a phone number of 1 to 15 ASCII digits.

    >>> key_of("110"), key_of("0110")
    (3000000000000110, 4000000000000110)
    """
    return len(number) * LENGTH_STEP + int(number)


def number_of(key: int) -> str:
    """The phone number that a number key stands for.

    >>> number_of(key_of("0110"))
    '0110'
    """
    count, value = divmod(int(key), LENGTH_STEP)
    return f"{value:0{count}}"
