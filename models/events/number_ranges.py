"""Number ranges: the forms of Chinese numbers whose normal form follows from the written key by an addition.

A range holds written keys of one length (`models.base.number_keys`), so a whole column is looked up in one table. The
table is a short cut: each range says what `models.events.numbering.Numbering.normal` says, and a test holds them equal.
A form that is in no range is asked about there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from models.base.number_keys import LENGTH_STEP, LONGEST_NUMBER, PORT_STEP
from models.indicators.numbers import landlines


class Range(NamedTuple):
    """The written keys from ``low`` to ``high``, both included, and what is added to get the normal form's key."""

    low: int
    high: int
    delta: int


def _keys(count: int, low: int, high: int, delta: int = 0) -> Range:
    """The range of the numbers of ``count`` digits from ``low`` to ``high``."""
    return Range(count * LENGTH_STEP + low, count * LENGTH_STEP + high, delta)


@cache
def chinese_ranges() -> list[Range]:
    """The ranges for numbers of China with the country code 86 and the trunk prefix 0, in order."""
    return sorted([*_short_codes(), *_ports(), *_national_forms()])


def _short_codes() -> Iterator[Range]:
    """Short codes and services: 2 to 6 digits, 95… and 96…, and 7 or 8 digits that begin with 1."""
    for count in range(2, 7):
        scale = 10 ** (count - 2)
        yield _keys(count, 10 * scale, 86 * scale - 1)
        yield _keys(count, 87 * scale, 100 * scale - 1)
    for count in (7, 8):
        scale = 10 ** (count - 2)
        yield _keys(count, 10 * scale, 20 * scale - 1)
        yield _keys(count, 95 * scale, 97 * scale - 1)


def _ports() -> Iterator[Range]:
    """SMS ports, 106 and up to 17 digits; those of 7 and 8 digits are among the short codes."""
    for count in range(9, 16):
        yield _keys(count, 106 * 10 ** (count - 3), 107 * 10 ** (count - 3) - 1)
    for count in range(16, 21):
        first = (count - 14) * PORT_STEP
        yield Range(first + 6 * 10 ** (count - 3), first + 7 * 10 ** (count - 3) - 1, 0)


def _national_forms() -> Iterator[Range]:
    """Handsets and landlines with 86, with 0, and with 00 (or +) and 86; handsets of 11 digits alone, too."""
    for count, low, high in (*_handsets(), *_landlines()):
        code = 86 * 10**count
        yield _keys(count + 2, code + low, code + high)
        if count + 4 <= LONGEST_NUMBER:
            yield _keys(count + 4, code + low, code + high, -2 * LENGTH_STEP)
        if count < 13:  # of those with 13 digits, few are possible behind a 0
            yield _keys(count + 1, low, high, LENGTH_STEP + code)
    for count, low, high in _handsets():
        if count == 11:
            yield _keys(count, low, high, 2 * LENGTH_STEP + 86 * 10**count)


def _handsets() -> Iterator[tuple[int, int, int]]:
    """National numbers of handsets: their count of digits, the first and the last; 106… and 12… are no handsets."""
    for count in (11, 13):
        scale = 10 ** (count - 3)
        for low, high in ((100, 105), (107, 119), (130, 199)):
            yield count, low * scale, (high + 1) * scale - 1


def _landlines() -> Iterator[tuple[int, int, int]]:
    """National numbers of landlines by area and first digit, in the same form."""
    known = landlines()
    for area in (10, *range(20, 30), *range(300, 1000)):
        for local in (7, 8):
            for first in range(2, 9):
                low, high = f"{area}{first}{'0' * (local - 1)}", f"{area}{first}{'9' * (local - 1)}"
                if known.fullmatch(low) and known.fullmatch(high):
                    yield len(low), int(low), int(high)
