"""Path hashes: keyed hashes of a link, by which a URL that is listed later finds the link, though nobody can read it.

A link often has a person's token in it, so the ledger keeps none. It keeps a hash of each beginning of the link that a
listed URL may be (`models.indicators.url_starts.starts_of`), under a key of the site. With the key, one asks whether a
link begins with a given URL. Without it, nothing can be tried.

The hash is SipHash-2-4 (Aumasson and Bernstein, 2012), a pseudorandom function of 64 bits. It takes the bytes one after
the other, so all beginnings of a link cost little more than the whole link.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.base.compiled import compiled
from models.indicators.url_starts import DEEPEST, split_url
from models.texts.domains import normalise_url

NEXT_LINK: Final = 0
"""Stands between the hashes of two links of one text."""

_KEY_BYTES: Final = 16


class PathHashes:
    """Hashes links and listed URLs under a ``key``, of which 16 bytes count.

    Shared between threads: nothing changes it.
    """

    def __init__(self, key: bytes = b"") -> None:
        self._key = np.frombuffer(key.ljust(_KEY_BYTES, b"\0")[:_KEY_BYTES], dtype="<u8")

    def of_listed(self, value: str) -> int:
        """The hash of a listed URL in its normal form.

        >>> PathHashes().of_listed("evil.top/a") in PathHashes().of_links(["https://evil.top/a/b?token=x"])
        True
        >>> PathHashes(b"a site's key").of_listed("evil.top/a") == PathHashes().of_listed("evil.top/a")
        False
        """
        return self.of_all_listed([value])[0]

    def of_all_listed(self, values: Sequence[str]) -> list[int]:
        """The hash of each of these listed URLs, in much less time than one after the other."""
        sizes = np.array([len(value) for value in values], dtype=np.int64)
        ends = np.cumsum(sizes)
        spelt = np.frombuffer("".join(values).encode("ascii"), dtype=np.uint8)
        hashes: list[int] = self.of_plain(spelt, ends - sizes, ends, ends)[0].tolist()
        return hashes

    def of_links(self, links: Iterable[str]) -> list[int]:
        """The hashes of the beginnings of each link, the shortest first, with `NEXT_LINK` between two links.

        What is no URL has none.
        """
        found: list[int] = []
        for link in links:
            try:
                value = normalise_url(link)
            except ValueError:
                continue
            found += [NEXT_LINK, *self._of(value, len(split_url(value)[0]))]
        return found[1:]

    def of_plain(self, texts: Any, begins: Any, host_ends: Any, ends: Any) -> tuple[NDArray[np.int64], Any]:
        """The hashes of plain links (`models.texts.plain_links`), one after the other, and where those of each end.

        Each link begins with its host at ``begins`` of ``texts`` and ends at ``ends``.
        """
        most = np.minimum(ends - host_ends, DEEPEST) + 2
        hashes, hash_ends = np.empty(int(most.sum()), dtype=np.uint64), np.empty(len(ends), dtype=np.int64)
        count = _hash_starts(self._key, DEEPEST, texts, begins, host_ends, ends, hashes, hash_ends)
        return hashes[:count].view(np.int64), hash_ends

    def _of(self, value: str, host_end: int) -> Sequence[int]:
        spelt = np.frombuffer(value.encode(), dtype=np.uint8)
        begin, host, end = (np.array([place]) for place in (0, host_end, len(spelt)))
        hashes: list[int] = self.of_plain(spelt, begin, host, end)[0].tolist()
        return hashes


PUBLIC: Final = PathHashes()
"""Hashes that anybody can make. For a ledger that never leaves this process."""

_C: Final = tuple(map(np.uint64, (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)))
_C0, _C1, _C2, _C3 = _C
_NOTHING: Final = np.uint64(0)
_LAST: Final = np.uint64(0xFF)
_WORD: Final = np.uint64(64)
_R13, _R16, _R17, _R21, _R32, _TOP = map(np.uint64, (13, 16, 17, 21, 32, 56))


@compiled
def _turned(value: Any, by: Any) -> Any:
    return (value << by) | (value >> (_WORD - by))


@compiled
def _mixed(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    """One round."""
    v0, v2 = v0 + v1, v2 + v3
    v1, v3 = _turned(v1, _R13) ^ v0, _turned(v3, _R16) ^ v2
    v0, v2 = _turned(v0, _R32) + v3, v2 + v1
    v1, v3 = _turned(v1, _R17) ^ v2, _turned(v3, _R21) ^ v0
    return v0, v1, _turned(v2, _R32), v3


@compiled
def _taken(v0: Any, v1: Any, v2: Any, v3: Any, word: Any) -> Any:
    """The state after one more word of eight bytes."""
    v0, v1, v2, v3 = _mixed(v0, v1, v2, v3 ^ word)
    v0, v1, v2, v3 = _mixed(v0, v1, v2, v3)
    return v0 ^ word, v1, v2, v3


@compiled
def _hash(v0: Any, v1: Any, v2: Any, v3: Any, word: Any, size: int) -> Any:
    """The hash of ``size`` bytes, of which those after the last whole word are in ``word``."""
    v0, v1, v2, v3 = _taken(v0, v1, v2, v3, word | (np.uint64(size & 255) << _TOP))
    v2 = v2 ^ _LAST
    for _ in range(4):
        v0, v1, v2, v3 = _mixed(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@compiled
def _hash_starts(
    key: Any, deepest: int, texts: Any, begins: Any, host_ends: Any, ends: Any, hashes: Any, hash_ends: Any
) -> int:
    """Fill in the hashes of each link's beginnings; returns how many there are.

    They are the host, the path up to each of its first ``deepest`` slashes, the whole path, and that with the query.
    """
    to = 0
    for index in range(begins.size):
        v0, v1 = np.uint64(key[0]) ^ _C0, np.uint64(key[1]) ^ _C1
        v2, v3 = np.uint64(key[0]) ^ _C2, np.uint64(key[1]) ^ _C3
        word, size, slashes, is_path = _NOTHING, 0, 0, True
        end = ends[index]
        for at in range(begins[index], end):
            sign = texts[at]
            if is_path and at >= host_ends[index]:
                if sign == 47:  # a slash
                    if at + 1 < end and texts[at + 1] == 63:
                        continue  # the normal form has no slash before the query
                    if slashes < deepest:
                        hashes[to] = _hash(v0, v1, v2, v3, word, size)
                        to += 1
                        slashes += 1
                elif sign == 63:  # the query
                    is_path = False
                    hashes[to] = _hash(v0, v1, v2, v3, word, size)
                    to += 1
            word |= np.uint64(sign) << np.uint64(8 * (size & 7))
            size += 1
            if size & 7 == 0:
                v0, v1, v2, v3 = _taken(v0, v1, v2, v3, word)
                word = _NOTHING
        hashes[to] = _hash(v0, v1, v2, v3, word, size)
        to += 1
        hash_ends[index] = to
    return to
