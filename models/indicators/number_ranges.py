"""Number ranges: the few prefixes and numbers that make up a range such as ``10000000000-10000009999``.

Lists of numbers that were assigned in blocks name them so. A range becomes indicators only if it is plainly one: both
ends are whole numbers of the same length, and few prefixes cover exactly what lies between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from models.indicators.numbers import normalise

MOST: Final = 10
"""The most prefixes and numbers that a range may need; more are no range that anybody assigns."""

_LEAST_DIGITS: Final = 9
"""Shorter numbers may be the beginning of longer ones, so a prefix would cover more than the range."""
_LONGEST: Final = 100  # characters
_RANGE: Final = re.compile(r"([+\d][\d ()（）.-]*?)\s*(?:[-‐-―−~～〜]|至|到|\bto\b)\s*([+\d][\d ()（）]*)")


def parts(value: str, region: str) -> list[str]:
    """The prefixes (with ``*``) and numbers that a range consists of, normalised, in order; empty if it is not plain.

    >>> parts("10000000000-10000009999", "CN"), parts("+999 00 123456 ~ +999 00 123457", "CN")
    (['861000000*'], ['99900123456', '99900123457'])
    >>> parts("95000-95099", "CN"), parts("+86 100-0000-0001", "CN")
    ([], [])
    """
    written = _RANGE.fullmatch(value.strip()) if len(value) <= _LONGEST else None
    if written is None:
        return []
    try:
        first, last = normalise(written[1], region), normalise(written[2], region)
    except ValueError:
        return []
    if len(first) != len(last) or len(first) < _LEAST_DIGITS or first >= last:
        return []
    found = [*islice(_covering(int(first), int(last), len(first)), MOST + 1)]
    return found if len(found) <= MOST else []


def _covering(first: int, last: int, length: int) -> Iterator[str]:
    """The largest blocks of ten, a hundred and so on that fit between two numbers, one after the other."""
    while first <= last:
        zeros = 0
        while zeros < length - 1 and first % 10 ** (zeros + 1) == 0 and first + 10 ** (zeros + 1) - 1 <= last:
            zeros += 1
        yield f"{first // 10**zeros}*" if zeros else str(first)
        first += 10**zeros
