"""Prefilter: finds which texts of a batch need reading and how closely, in one pass over their bytes.

Almost every text holds no host, no verification code and no bank notice, and even a short reading of each would cost
more than all other work on it. A compiled Aho-Corasick automaton (Aho and Corasick, 1975) finds the traits of each
text: the signs of a host, a code or a notice. `models.texts.extraction` reads only texts with a trait, and only as
closely as their traits require.
"""

from __future__ import annotations

import string
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final

import numpy as np

from models.base.compiled import compiled
from models.texts.deobfuscation import COMMON_ENDINGS, DISGUISED_SIGNS, OTHER_DOTS
from models.texts.notices import CODE_WORDS, MOVEMENT_WORDS, WHOLE_CODE_WORDS
from models.texts.redirects import REDIRECTS

# The traits of a text, as bits of plain integers: an enumeration would cost as much as all other work.
DOT: Final = 1
"""A dot before a letter or digit, a scheme or `www`: there may be a host."""
DISGUISE: Final = 2
"""A possible substitute for a dot, a sign that may hide one, or an e-mail address: there may be a disguised host."""
WORD: Final = 4
"""A word of verification codes or of a movement of money: there may be a flag."""
READ: Final = DOT | DISGUISE | WORD
"""Any of these: `models.texts.extraction` reads the text."""
_WHOLE: Final = 8
"""The same as `WORD`, unless a letter or digit follows ("tac" in "contact"); never among the traits found."""
DIGITS: Final = 32
"""As many digits, ASCII or full-width, as a phone number that shows itself has: the text may name one."""
_DIGITS_OF_A_NUMBER: Final = 9  # as `models.indicators.text_numbers.LONG`; machine code would not notice a change there

_LETTERS = string.ascii_lowercase + string.digits
_SPACES = (" ", "\n", "\t", "\r")
_BRACKETS = "[({<（【"
# Their lower case has a different number of letters, or is an ASCII letter: a text with one of them is read closely.
_ODD_LETTERS = "İK"
_FIRST_BYTES = range(0xC2, 0xF5)
"""The first bytes of characters beyond ASCII in UTF-8."""
_BLOCK = 3
"""The first bytes of a four-byte character, which it shares with 63 others; all of them count as disguised signs."""


def _traits() -> dict[str, int]:
    """The strings, in lower case, that give a text a trait; a text without any of them holds nothing."""
    traits = {f".{letter}": DOT for letter in _LETTERS} | {"//": DOT, "www": DOT}
    disguises = [f".{space}{ending}" for space in _SPACES for ending in COMMON_ENDINGS]
    disguises += [f" .{ending}" for ending in COMMON_ENDINGS] + [f",{ending}" for ending in COMMON_ENDINGS]
    disguises += [f"{dot}{letter}" for dot in OTHER_DOTS for letter in _LETTERS]
    disguises += [
        opening + space + dot
        for opening in _BRACKETS
        for space in ("", *_SPACES)
        for dot in (*".:。点點", "dot", "d0t")
    ]
    disguises += [f"//{space}" for space in _SPACES] + [" dot ", "\\", "@", "._"]
    disguises += [f"%{digit}" for digit in "0123456789abcdef"] + REDIRECTS
    traits |= dict.fromkeys(disguises, DISGUISE)
    traits |= dict.fromkeys((*CODE_WORDS, *MOVEMENT_WORDS), WORD)
    traits |= dict.fromkeys(WHOLE_CODE_WORDS, _WHOLE)
    return traits | dict.fromkeys(_ODD_LETTERS, DISGUISE | WORD)


def _patterns(traits: Mapping[str, int]) -> Iterator[tuple[bytes, int]]:
    """The strings in UTF-8 with their traits, in both cases beyond ASCII; the automaton itself ignores ASCII case."""
    for trait, kind in traits.items():
        cases = [(sign,) if sign.isascii() or len(sign.upper()) > 1 else {sign, sign.upper()} for sign in trait]
        for spelling in product(*cases):
            yield "".join(spelling).encode(), kind
    for first in _FIRST_BYTES:
        yield bytes((ord("."), first)), DISGUISE
    for block in {sign.encode()[:_BLOCK] for sign in DISGUISED_SIGNS}:
        yield block, DISGUISE


def _automaton(patterns: Iterator[tuple[bytes, int]]) -> tuple[Any, Any]:
    """The automaton's moves (state by byte, uint16) and the traits of the patterns that end in each state (uint8)."""
    children: list[dict[int, int]] = [{}]
    kinds = [0]
    for pattern, kind in patterns:
        state = 0
        for byte in pattern:
            if byte not in children[state]:
                children[state][byte] = len(children)
                children.append({})
                kinds.append(0)
            state = children[state][byte]
        kinds[state] |= kind
    table = np.zeros((len(children), 256), dtype=np.uint16)
    fallback = [0] * len(children)
    waiting = deque([0])
    while waiting:
        state = waiting.popleft()
        kinds[state] |= kinds[fallback[state]]
        moves = table[fallback[state]].copy()  # at the root those are its own, still empty
        table[state] = moves
        for byte, child in children[state].items():
            table[state, byte] = child
            fallback[child] = int(moves[byte])
            waiting.append(child)
    table[:, ord("A") : ord("Z") + 1] = table[:, ord("a") : ord("z") + 1]
    return table, np.array(kinds, dtype=np.uint8)


_MOVES, _KINDS = _automaton(_patterns(_traits()))


def traits_of(texts: Any, ends: Any) -> Any:
    """The traits (uint8) of texts in UTF-8 that lie one after the other; ``ends`` (int64) has the end of each."""
    traits = np.empty(len(ends), dtype=np.uint8)
    _find(_MOVES, _KINDS, texts, ends, traits)
    return traits


@compiled
def _find(moves: Any, kinds: Any, texts: Any, ends: Any, traits: Any) -> None:
    at = 0
    for index in range(ends.size):
        state = found = digits = 0
        end = ends[index]
        while at < end:
            sign = texts[at]
            state = moves[state, sign]
            at += 1
            # The loop waits for the next state anyway, so that counting costs nothing.
            digits += (48 <= sign <= 57) or (0x90 <= sign <= 0x99 and at > 1 and texts[at - 2] == 0xBC)
            kind = kinds[state]
            if kind & _WHOLE and (at >= end or not _is_word(texts[at])):
                kind |= WORD
            found |= kind
        traits[index] = (found & READ) | (DIGITS if digits >= _DIGITS_OF_A_NUMBER else 0)


@compiled
def _is_word(sign: int) -> bool:
    return 97 <= sign <= 122 or 48 <= sign <= 57 or 65 <= sign <= 90


def worth_reading(texts: Sequence[str]) -> list[tuple[int, int]]:
    """The texts that may hold a host or earn a flag: their indices in order, each with the bits of its traits.

    >>> worth_reading(["see you at 7", "visit evil.top", "code 482913", "好的。"])
    [(1, 1), (2, 4)]
    """
    spelt = [text.encode("utf-8", "replace") for text in texts]  # half a surrogate pair is not a letter
    ends = np.cumsum([len(each) for each in spelt], dtype=np.int64)
    traits = traits_of(np.frombuffer(b"".join(spelt), dtype=np.uint8), ends)
    traits &= READ
    return [(int(index), int(traits[index])) for index in np.flatnonzero(traits)]
