"""Kept texts: what a recording keeps of an SMS's text: exactly what deciding needs, written as a short text of its own.

The links, the phone numbers that it names, and whether it holds a verification code or a bank notice are written one on
a line, so that the decoder and every indicator read the same in it as in the text. What a person wrote is left out. A
text that cannot be kept exactly in this way is kept as nearly as possible, and counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.events.named_numbers import numbers_at
from models.events.numbering import Numbering
from models.indicators.text_numbers import MOST_RUNS, TextNumberPrefilter
from models.texts.extraction import LONGEST, Reading, read
from models.texts.notices import BANK_NOTICE, VERIFICATION_CODE

_FLAGS: Final = {VERIFICATION_CODE: "验证码000000", BANK_NOTICE: "账户支出1元"}
_SPELLINGS: Final = ("请拨打+{}", "请拨打{}")
"""How a number is written so that it is read as one, whatever country it is from; short ones have no country code."""
_DIGIT: Final = re.compile("[0-9０-９]")
_MOST_REMEMBERED: Final = 1 << 14


class Kept(NamedTuple):
    """What is kept of a text, and whether everything is read in it that was read in the text."""

    text: str
    exact: bool


def _every_number() -> TextNumberPrefilter:
    found = TextNumberPrefilter()
    for digit in "123456789":
        found.add_prefix(digit)
    return found


_EVERY: Final = _every_number()


class KeptTexts:
    """Reads texts and writes what is kept of them; copies of a mass mailing are read once.

    ``rename`` gives each number that a text names the one that is written in its place, the same one by default.
    """

    def __init__(self, rename: Callable[[str], str] = str) -> None:
        self._remembered = lru_cache(maxsize=_MOST_REMEMBERED)(partial(_kept, rename))

    def of(self, text: str, numbering: Numbering | None) -> Kept:
        r"""What is kept of a text; ``numbering`` is that of its source, None for a text that names nobody a number.

        >>> KeptTexts().of("妈妈，我手机坏了，加我 http://evil.example/a 或拨打 95588", Numbering())
        Kept(text='http://evil.example/a\n请拨打95588\n', exact=True)
        >>> KeptTexts().of("晚上七点见", Numbering())
        Kept(text='', exact=True)
        """
        return self._remembered(text[:LONGEST], numbering)


def _kept(rename: Callable[[str], str], text: str, numbering: Numbering | None) -> Kept:
    reading, numbers = read(text), tuple(map(rename, named(text, numbering)))
    links = reading.urls if _hosts(reading.urls) == reading.domains else (*reading.domains, *reading.urls)
    lines = [*links, *_told(numbers, numbering), *(_FLAGS[flag] for flag in reading.flags)]
    kept = "".join(f"{line}\n" for line in lines)
    again = read(kept)
    exact = set(again.flags) == set(reading.flags) and named(kept, numbering) == numbers and _same_links(again, reading)
    return Kept(kept, exact)


def named(text: str, numbering: Numbering | None) -> tuple[str, ...]:
    """Every number that a text names, in order, whether or not anybody knows it; none without a numbering."""
    if numbering is None or _DIGIT.search(text) is None:
        return ()
    spelt = np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8)
    return tuple(number for begin, end in _runs(spelt) for number in numbers_at(spelt, begin, end, numbering))


def _runs(spelt: NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
    """All runs of digits in a text; the prefilter gives some at a time."""
    at = 0
    while runs := _EVERY.runs(spelt[at:]):
        yield from ((at + begin, at + end) for begin, end in runs)
        if len(runs) < MOST_RUNS:
            return
        at += runs[-1][1]


def _told(numbers: Sequence[str], numbering: Numbering | None) -> Iterator[str]:
    """Each number in a sentence in which it is read as that number."""
    for number in numbers:
        spellings = [spelling.format(number) for spelling in _SPELLINGS]
        yield next((each for each in spellings if named(each, numbering) == (number,)), spellings[0])


def _hosts(urls: Sequence[str]) -> tuple[str, ...]:
    return read("".join(f"{url}\n" for url in urls)).domains


def _same_links(one: Reading, other: Reading) -> bool:
    return one.domains == other.domains and one.urls == other.urls
