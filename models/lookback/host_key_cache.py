"""Host key cache: the ledger's keys of hosts as plain links spell them, found for a whole batch by compiled code.

A mass mailing repeats its hosts by the thousand, so the keys of each host are computed only once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from models.base.compiled import compiled

_MOST: Final = 1 << 16
_FEWEST: Final = 1 << 10
_UNMET: Final = -1
_BASIS: Final = -3750763034362895579  # FNV-1a's, as signed numbers (draft-eastlake-fnv)
_PRIME: Final = 1099511628211
_SPREAD: Final = -7046029254386353131  # 2**64 divided by the golden ratio (Knuth, TAOCP 3, 6.4)


class MetHosts:
    """Caches the keys that ``keys_of`` gives for each host. Forgets all hosts once it holds 65,536. For one thread."""

    def __init__(self, keys_of: Callable[[str], Sequence[int]]) -> None:
        self._keys_of = keys_of
        self._forget()

    def _forget(self) -> None:
        self._count = 0
        self._slots = np.full(_FEWEST, _UNMET, dtype=np.int32)
        self._spelt = np.empty(_FEWEST, dtype=np.uint8)
        self._keys = np.empty(_FEWEST, dtype=np.int64)
        self._spelt_ends, self._key_ends = (np.zeros(_FEWEST, dtype=np.int64) for _ in range(2))

    def keys(self, texts: Any, begins: Any, ends: Any) -> tuple[Any, Any]:
        """The keys of the hosts at ``begins`` to ``ends`` of ``texts``, one after the other, and how many each has."""
        if self._count >= _MOST:
            self._forget()
        found = self._find(texts, begins, ends)
        for place in np.flatnonzero(found == _UNMET).tolist():
            one = slice(place, place + 1)
            if self._find(texts, begins[one], ends[one])[0] == _UNMET:  # it may occur twice in the batch
                self._meet(texts[begins[place] : ends[place]])
            found[one] = self._find(texts, begins[one], ends[one])
        counts = self._key_ends[found + 1] - self._key_ends[found]
        keys = np.empty(int(counts.sum()), dtype=np.int64)
        _gather(self._keys, self._key_ends, found, keys)
        return keys, counts

    def _find(self, texts: Any, begins: Any, ends: Any) -> Any:
        found = np.empty(len(begins), dtype=np.int32)
        _find(self._slots, self._spelt, self._spelt_ends, texts, begins, ends, found)
        return found

    def _meet(self, spelt: Any) -> None:
        keys, at = self._keys_of(spelt.tobytes().decode()), self._count
        end, key_end = int(self._spelt_ends[at]) + len(spelt), int(self._key_ends[at]) + len(keys)
        self._spelt, self._keys = _with_room(self._spelt, end), _with_room(self._keys, key_end)
        self._spelt_ends, self._key_ends = _with_room(self._spelt_ends, at + 2), _with_room(self._key_ends, at + 2)
        self._spelt[end - len(spelt) : end] = spelt
        self._keys[key_end - len(keys) : key_end] = keys
        self._spelt_ends[at + 1], self._key_ends[at + 1] = end, key_end
        self._count += 1
        if self._count * 2 >= len(self._slots):
            self._slots = np.full(len(self._slots) * 2, _UNMET, dtype=np.int32)
            _enter(self._slots, self._spelt, self._spelt_ends, 0, self._count)
        else:
            _enter(self._slots, self._spelt, self._spelt_ends, at, self._count)


def _with_room(column: Any, size: int) -> Any:
    """The column, grown if it is shorter than ``size``."""
    if size <= len(column):
        return column
    grown = np.zeros(max(size, len(column) * 2), dtype=column.dtype)
    grown[: len(column)] = column
    return grown


@compiled
def _slot(slots: Any, spelt: Any, spelt_ends: Any, texts: Any, begin: int, end: int) -> int:
    """The place of a host in the table, or the empty place where it belongs."""
    code = _BASIS
    for at in range(begin, end):
        code = (code ^ texts[at]) * _PRIME
    spread = code * _SPREAD
    slot: int = (spread ^ (spread >> 32)) & (slots.size - 1)
    while slots[slot] >= 0:
        low = spelt_ends[slots[slot]]
        if spelt_ends[slots[slot] + 1] - low == end - begin:
            same = 0
            while same < end - begin and spelt[low + same] == texts[begin + same]:
                same += 1
            if same == end - begin:
                break
        slot = (slot + 1) & (slots.size - 1)
    return slot


@compiled
def _enter(slots: Any, spelt: Any, spelt_ends: Any, since: int, upto: int) -> None:
    for at in range(since, upto):
        slots[_slot(slots, spelt, spelt_ends, spelt, spelt_ends[at], spelt_ends[at + 1])] = at


@compiled
def _find(slots: Any, spelt: Any, spelt_ends: Any, texts: Any, begins: Any, ends: Any, found: Any) -> None:
    for index in range(begins.size):
        found[index] = slots[_slot(slots, spelt, spelt_ends, texts, begins[index], ends[index])]


@compiled
def _gather(keys: Any, key_ends: Any, found: Any, gathered: Any) -> None:
    to = 0
    for index in range(found.size):
        for at in range(key_ends[found[index]], key_ends[found[index] + 1]):
            gathered[to] = keys[at]
            to += 1
