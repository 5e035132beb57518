"""Text numbers: finds the texts of a batch in which a known number may be written, in one compiled pass over the bytes.

People write a number in groups, with or without its country code, and with full-width digits. However it is written, it
ends in the same eight digits. So the pass looks only for those of the known numbers, and for known prefixes at the
begin of a group. `models.events.named_numbers` decides what a run of groups says.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from models.base.compiled import compiled
from models.base.number_keys import LENGTH_STEP
from models.indicators.prefilter import Prefilter

MOST_RUNS: Final = 8
"""How many runs of digits that may hold a known number are read in one text."""

LONG: Final = 9
"""The fewest digits of a number that shows itself; fewer may be a code, a count or a date as well."""

# As in `models.base.number_keys` and `models.indicators.prefilter`; machine code would not notice a change there.
_LENGTH_STEP: Final = 10**15
_SPREAD: Final = np.uint64(2**64 - 7046029254386353131)
_ENDING: Final = 8
"""The digits at the end of a number by which it is found. A shorter number is found by all of its digits."""
_ENDINGS: Final = 10**_ENDING
_LONGEST_PREFIX: Final = 14
_MOST_JOINTS: Final = 4
"""The signs that may stand between two groups of one number, as in ``) - ``."""
_MOST_ZEROS: Final = 4
"""The zeros that are left out before a prefix: 00 and the trunk prefix, before and behind the country code."""
_MOST_BYTES: Final = 40_000
"""The bytes of a text that are searched: at least as many characters as `models.texts.extraction` reads."""


class TextNumberPrefilter(Prefilter):
    """The endings of known numbers and the digits of known prefixes; it finds texts in which one may be written."""

    def __init__(self) -> None:
        super().__init__()
        self._lengths = np.zeros(0, dtype=np.int64)
        self._shortest = _ENDING

    def add_number(self, number: str) -> None:
        """Keep texts with this normalised number from now on."""
        ending = number[-_ENDING:]
        self.add(len(ending) * LENGTH_STEP + int(ending))
        self._shortest = min(self._shortest, len(ending))

    def add_prefix(self, prefix: str) -> None:
        """Keep texts with a number of this prefix from now on."""
        self.add(len(prefix) * LENGTH_STEP + int(prefix))
        self._lengths = np.union1d(self._lengths, [len(prefix)]).astype(np.int64)

    def may_hold(self, texts: Any, begins: Any, ends: Any) -> Any:
        """A mask of the texts (UTF-8 at ``begins`` to ``ends`` of ``texts``) that may hold a known number."""
        kept = np.zeros(len(ends), dtype=np.bool_)
        if self.count:
            _filter(self.table, self._lengths, self._shortest, texts, begins, ends, kept)
        return kept

    def runs(self, text: Any) -> list[tuple[int, int]]:
        """Where the runs of digits begin and end in a text (UTF-8) that may hold a known number: `MOST_RUNS` at most.

        A run is a row of groups of digits that could all be one number.
        """
        spans = np.zeros((MOST_RUNS, 2), dtype=np.int64)
        count = _spans(self.table, self._lengths, self._shortest, text, 0, len(text), spans) if self.count else 0
        return [(begin, end) for begin, end in spans[:count].tolist()]


def long_runs(texts: Any, begins: Any, ends: Any) -> tuple[Any, Any, Any]:
    """The runs of digits that are long enough for a phone number: the index of the text of each, its begin and its end.

    The texts are UTF-8 at ``begins`` to ``ends`` of ``texts``. Each has `MOST_RUNS` at most.
    """
    found = np.empty((len(ends) // 4, 3), dtype=np.int64)
    count = _long_runs(texts, begins, ends, found)
    if count > len(found):
        found = np.empty((count, 3), dtype=np.int64)
        _long_runs(texts, begins, ends, found)
    return found[:count, 0], found[:count, 1], found[:count, 2]


@compiled
def _holds(table: Any, key: int) -> bool:
    """Whether the table holds a key."""
    mask = table.size - 1
    # Signed numbers must not overflow where the compiler knows the range of the key: it would take the product as sure.
    spread = np.uint64(key) * _SPREAD
    slot = np.int64(spread ^ (spread >> np.uint64(32))) & mask
    while table[slot] != 0 and table[slot] != key:
        slot = (slot + 1) & mask
    return bool(table[slot] == key)


@compiled
def _digit(texts: Any, at: int, end: int) -> int:
    """The digit at a place, ASCII or full-width; -1 if there is none."""
    sign = texts[at]
    if 48 <= sign <= 57:
        return int(sign) - 48
    if sign == 0xEF and at + 2 < end and texts[at + 1] == 0xBC and 0x90 <= texts[at + 2] <= 0x99:
        return int(texts[at + 2]) - 0x90
    return -1


@compiled
def _joint(texts: Any, at: int, end: int) -> int:
    """The bytes of the sign at a place if it may stand between two groups of a number, else 0.

    These are blanks, dashes, dots, brackets and invisible signs. A dot before a blank ends a sentence.
    """
    sign = texts[at]
    if sign < 128:
        if sign == 46:
            return 0 if at + 1 < end and texts[at + 1] <= 32 else 1
        return 1 if sign in (9, 32, 40, 41, 45, 91, 93) else 0
    following = texts[at + 1] if at + 1 < end else 0
    if sign == 0xC2:
        return 2 if following in (0xA0, 0xAD, 0xB7) else 0
    third = texts[at + 2] if at + 2 < end else 0
    if sign == 0xE2 and following == 0x80:  # blanks, dashes, a bullet, and signs that nobody sees
        return 3 if third <= 0x95 or third == 0xA2 or third >= 0xAA else 0
    if sign == 0xE2:  # the word joiner and the minus
        return 3 if (following == 0x81 and third == 0xA0) or (following == 0x88 and third == 0x92) else 0
    if sign == 0xE3:  # the blank of Chinese text
        return 3 if following == 0x80 and third == 0x80 else 0
    if sign == 0xEF and following == 0xBC:  # （ ） － ．
        return 3 if third in (0x88, 0x89, 0x8D, 0x8E) else 0
    return 3 if sign == 0xEF and following == 0xBB and third == 0xBF else 0  # the byte order mark


@compiled
def _begins_prefix(table: Any, lengths: Any, texts: Any, at: int, end: int) -> bool:
    """Whether the digits from a place on begin with a known prefix, as they are or behind the country code 86."""
    value = count = joints = zeros = 0
    while at < end and count < _LONGEST_PREFIX and joints <= _MOST_JOINTS:
        digit = _digit(texts, at, end)
        if digit >= 0:
            joints = 0
            at += 1 if texts[at] < 128 else 3
            if digit == 0 and (count == 0 or value == 86) and zeros < _MOST_ZEROS:
                zeros += 1
                continue
            value = value * 10 + digit
            count += 1
        else:
            size = _joint(texts, at, end)
            if size == 0:
                break
            joints += 1
            at += size
    for length in lengths:
        if length <= count and _holds(table, length * _LENGTH_STEP + value // 10 ** (count - length)):
            return True
        behind = length - 2
        if 0 < behind <= count:
            national = 86 * 10**behind + value // 10 ** (count - behind)
            if _holds(table, length * _LENGTH_STEP + national):
                return True
    return False


@compiled
def _next_group(texts: Any, at: int, end: int) -> int:
    """Where the next group of a number begins, behind the signs at a place; -1 if these join nothing."""
    joints = 0
    while at < end and joints < _MOST_JOINTS:
        size = _joint(texts, at, end)
        if size == 0:
            break
        at += size
        joints += 1
    return at if joints and at < end and _digit(texts, at, end) >= 0 else -1


@compiled
def _length_of(texts: Any, at: int, end: int) -> tuple[int, int]:
    """The end of the run of groups that begins at a place, and its count of digits."""
    count = 0
    while True:
        while at < end and _digit(texts, at, end) >= 0:
            count += 1
            at += 1 if texts[at] < 128 else 3
        behind = at
        at = _next_group(texts, behind, end)
        if at < 0:
            return behind, count


@compiled
def _long_runs(texts: Any, begins: Any, ends: Any, found: Any) -> int:
    """Fill in the text, begin and end of the long runs, as many as there is room for; returns the count of all."""
    count = 0
    for index in range(ends.size):
        at = begins[index]
        end = min(ends[index], at + _MOST_BYTES)
        left = MOST_RUNS
        while at < end and left:
            sign = texts[at]
            if 48 <= sign <= 57 or (sign == 0xEF and _digit(texts, at, end) >= 0):
                behind, digits = _length_of(texts, at, end)
                if digits >= LONG:
                    if count < len(found):
                        found[count, 0] = index
                        found[count, 1] = at
                        found[count, 2] = behind
                    count += 1
                    left -= 1
                at = behind
            else:
                at += 1
    return count


@compiled
def _run(table: Any, lengths: Any, shortest: int, texts: Any, at: int, end: int) -> tuple[int, bool]:
    """The end of the run of groups that begins at a place, and whether it may hold a known number."""
    found = False
    ending = count = 0
    while True:
        own = own_count = 0
        if lengths.size and not found:
            found = _begins_prefix(table, lengths, texts, at, end)
        while at < end:
            digit = _digit(texts, at, end)
            if digit < 0:
                break
            ending = (ending * 10 + digit) % _ENDINGS
            own = (own * 10 + digit) % _ENDINGS
            own_count += 1
            at += 1 if texts[at] < 128 else 3
        count += own_count
        behind = at
        if not found and count >= _ENDING:
            found = _holds(table, _ENDING * _LENGTH_STEP + ending)
        if not found and shortest <= own_count < _ENDING:
            found = _holds(table, own_count * _LENGTH_STEP + own)
        at = _next_group(texts, behind, end)
        if at < 0:
            return behind, found


@compiled
def _spans(table: Any, lengths: Any, shortest: int, texts: Any, begin: int, end: int, spans: Any) -> int:
    """Fill in the spans of the runs that may hold a known number, as many as there is room for; returns their count."""
    count = 0
    at = begin
    while at < end and count < len(spans):
        sign = texts[at]
        if 48 <= sign <= 57 or (sign == 0xEF and _digit(texts, at, end) >= 0):
            behind, found = _run(table, lengths, shortest, texts, at, end)
            if found:
                spans[count, 0] = at
                spans[count, 1] = behind
                count += 1
            at = behind
        else:
            at += 1
    return count


@compiled
def _filter(table: Any, lengths: Any, shortest: int, texts: Any, begins: Any, ends: Any, kept: Any) -> None:
    spans = np.zeros((1, 2), dtype=np.int64)
    for index in range(ends.size):
        end = min(ends[index], begins[index] + _MOST_BYTES)
        kept[index] = _spans(table, lengths, shortest, texts, begins[index], end, spans) > 0
