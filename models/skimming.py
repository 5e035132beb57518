"""Skimming: which texts of a batch need reading at all and how closely, found in one pass over all of them.

Almost every text holds neither a host nor a code nor a bank's notice, and even a short look at each would cost more
than everything else about it. An Aho-Corasick automaton (`ahocorasick_rs`) finds every mark of them in the texts of a
whole batch at once; `models.texts` reads those that have one, and only as closely as their marks ask for.
"""

from __future__ import annotations

import re
import string
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from models.disguises import COMMON_ENDINGS, HIDDEN_CHARACTERS, OTHER_DOTS
from models.notices import CODE_MARKS, MOVEMENT_WORDS

# What a text has that may mean something; bits of plain integers, for an enumeration's cost as much as the rest.
DOT: Final = 1
"""A dot in front of a letter or figure, a scheme or `www`: there may be a host."""
DISGUISE: Final = 2
"""Something that may stand for a dot, hide one, or be an address of mail: there may be a host in disguise."""
WORD: Final = 4
"""A word of verification codes or of money that has moved: there may be a flag."""

_LETTERS = string.ascii_lowercase + string.digits
_SPACES = (" ", "\n", "\t", "\r")
_BRACKETS = "[({<（【"
_FANCY = (*range(0xFF10, 0xFF1A), *range(0xFF41, 0xFF5B), *range(0x2460, 0x249C), *range(0x24D0, 0x24EB))


def _marks() -> dict[str, int]:
    """Everything, in lower case, without which a text holds nothing, and what it is a mark of."""
    marks = {f".{letter}": DOT for letter in _LETTERS} | {"//": DOT, "www": DOT}
    disguises = [f".{space}{ending}" for space in _SPACES for ending in COMMON_ENDINGS]
    disguises += [f" .{ending}" for ending in COMMON_ENDINGS] + [f",{ending}" for ending in COMMON_ENDINGS]
    disguises += [f"{dot}{letter}" for dot in OTHER_DOTS for letter in _LETTERS]
    disguises += [opening + dot for opening in _BRACKETS for dot in (*".:。点點", "dot", "d0t", *_SPACES)]
    disguises += [f"//{space}" for space in _SPACES] + [" dot ", "\\", "@", "&amp;", "._"]
    disguises += [*map(chr, _FANCY), *HIDDEN_CHARACTERS, "．", "․"]
    marks |= dict.fromkeys(disguises, DISGUISE)
    return marks | dict.fromkeys((*CODE_MARKS, *MOVEMENT_WORDS), WORD)


class _Automaton:
    """Finds marks; ``kinds`` says of each what it is a mark of, and at its end of those found without the automaton."""

    def __init__(self, marks: Iterable[tuple[str, int]]) -> None:
        patterns, kinds = zip(*sorted(marks), strict=True)
        self.kinds: tuple[int, ...] = (*kinds, DISGUISE)
        self._finder = AhoCorasick(
            patterns, matchkind=MatchKind.Standard, implementation=Implementation.DFA, store_patterns=False
        )

    def find(self, low: str) -> list[tuple[int, int, int]]:
        """Every mark with where it begins and ends, in order of the ends."""
        try:
            return self._finder.find_matches_as_indexes(low, overlapping=True)
        except UnicodeEncodeError:  # half a surrogate pair: no letter, and nothing that UTF-8 could spell
            return self._finder.find_matches_as_indexes(low.encode("utf-8", "replace").decode(), overlapping=True)


_plain = _Automaton((mark, kind) for mark, kind in _marks().items() if mark.isascii())
_every = _Automaton(_marks().items())
# Too many letters for the automaton, and too rarely met: after a dot, and those of mathematics anywhere.
_RARE = re.compile("\\.[^\x00-\x7f]|[\U0001d400-\U0001d7ff]")


def skim(texts: Sequence[str]) -> list[tuple[int, int]]:
    """The texts that may hold a host or earn a flag: their indices in order, each with the bits of its marks.

    >>> skim(["see you at 7", "visit evil.top", "code 482913", "好的。"])
    [(1, 1), (2, 4)]
    """
    others = [index for index, text in enumerate(texts) if not text.isascii()]
    if not others:
        return _skim(texts, _plain)
    plain = [index for index, text in enumerate(texts) if text.isascii()]
    found = [(plain[index], kinds) for index, kinds in _skim([texts[index] for index in plain], _plain)]
    # A letter like İ has two in lower case: only of the lower case itself can places be counted.
    low = [texts[index].lower() for index in others]
    found += [(others[index], kinds) for index, kinds in _skim(low, _every)]
    found.sort()
    return found


def _skim(texts: Sequence[str], automaton: _Automaton) -> list[tuple[int, int]]:
    low = "\n".join(texts).lower()
    found = automaton.find(low)
    if not low.isascii():
        rare = len(automaton.kinds) - 1
        found += [(rare, match.start(), match.end()) for match in _RARE.finditer(low)]
        found.sort(key=lambda mark: mark[2])
    if not found:
        return []
    ends = list(accumulate([len(text) + 1 for text in texts]))
    kinds = automaton.kinds
    marked: list[tuple[int, int]] = []
    index, beyond, bits = -1, 0, 0
    for mark, _, end in found:
        if end > beyond:
            if bits:
                marked.append((index, bits))
            index = bisect_left(ends, end)
            beyond, bits = ends[index], kinds[mark]
        else:
            bits |= kinds[mark]
    marked.append((index, bits))
    return marked
