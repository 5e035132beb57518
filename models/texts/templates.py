"""Templates: one number for all texts that differ only in links, digits and punctuation, like copies of a mailing."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.base.compiled import compiled

_OFFSET: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)


def templates_of(texts: NDArray[np.uint8], begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """The template of each text in UTF-8, from its begin to before its end: the FNV-1a hash of the reduced text.

    A run of ASCII characters without spaces is reduced to its letters in lower case, or to a gap if any character is
    not a letter. Spaces are dropped, and all other characters are kept.

    >>> texts = "卡停用 http://a.top/x9", "卡停用https://b.vip/", "卡已用 http://a.top/x9"
    >>> spelt = [text.encode() for text in texts]
    >>> ends = np.cumsum([len(each) for each in spelt])
    >>> found = templates_of(np.frombuffer(b"".join(spelt), dtype=np.uint8), np.append(0, ends[:-1]), ends).tolist()
    >>> found[0] == found[1], found[0] == found[2]
    (True, False)
    """
    found = np.empty(len(begins), dtype=np.int64)
    _hash(texts, begins, ends, found)
    return found


@compiled
def _hash(texts: Any, begins: Any, ends: Any, found: Any) -> None:
    for index in range(begins.size):
        value = _OFFSET
        at, end = begins[index], ends[index]
        while at < end:
            sign = texts[at]
            if sign >= 128:
                value = (value ^ np.uint64(sign)) * _PRIME
                at += 1
                continue
            if sign <= 32:
                at += 1
                continue
            stop = at
            letters = True
            while stop < end and 32 < texts[stop] < 128:
                letters = letters and 97 <= (texts[stop] | 32) <= 122
                stop += 1
            if not letters:
                value = (value ^ np.uint64(1)) * _PRIME
            else:
                for place in range(at, stop):
                    value = (value ^ np.uint64(texts[place] | 32)) * _PRIME
            at = stop
        found[index] = np.int64(value >> np.uint64(1))
