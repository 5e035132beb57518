"""Prefilters: which numbers and texts of a batch may match an indicator, found in one compiled pass.

A prefilter keeps every known number or host and seldom any other. It holds 64-bit keys in a table with open addressing
and ignores validity. `models.indicators.matching` decides about everything that it keeps. A million keys take 16 MB.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Self

import numpy as np

from models.base.compiled import compiled
from models.base.number_keys import key_of
from models.texts.signs import ENDS

_FEWEST: Final = 1024
# As in `models.base.number_keys`; cached machine code would not notice a change there.
_LENGTH_STEP: Final = 10**15
_PORT_STEP: Final = 10**18
_FIRST_NAME: Final = 7 * 10**18
_SPREAD: Final = -7046029254386353131  # 2**64 divided by the golden ratio, as a signed number (Knuth, TAOCP 3, 6.4)
_BASIS: Final = -3750763034362895579  # FNV-1a's, as signed numbers (draft-eastlake-fnv)
_PRIME: Final = 1099511628211
_MOST_BYTES: Final = 40_000
"""The bytes of a text that are searched: at least as many characters as `models.texts.extraction` reads."""


class Prefilter:
    """A growing set of keys; keys are never removed, since a superfluous key costs only a closer look."""

    def __init__(self) -> None:
        self.table = np.zeros(_FEWEST, dtype=np.int64)
        self.count = 0
        """The keys in it."""

    def add(self, key: int) -> None:
        """Add a key; 0 is not a key."""
        if self.count * 2 >= len(self.table):
            grown = np.zeros(len(self.table) * 2, dtype=np.int64)
            _insert(grown, self.table)
            self.table = grown
        self.count += _put(self.table, key)

    def add_all(self, keys: Iterable[int]) -> None:
        """Add many keys in one compiled pass."""
        many = np.unique(np.concatenate([self.table, np.fromiter(keys, dtype=np.int64)]))
        many = many[many != 0]
        self.count = len(many)
        self.table = np.zeros(max(_FEWEST, 1 << (2 * self.count).bit_length()), dtype=np.int64)
        _insert(self.table, many)

    def copy(self) -> Self:
        """A prefilter with the same keys that grows on its own."""
        twin = type(self)()
        vars(twin).update(vars(self), table=self.table.copy())
        return twin


class NumberPrefilter(Prefilter):
    """The number keys of known numbers and known prefixes, with the lengths of the prefixes."""

    def __init__(self) -> None:
        super().__init__()
        self._lengths = np.zeros(0, dtype=np.int64)

    def add_number(self, number: str) -> None:
        """Keep this number from now on."""
        self.add(key_of(number))

    def add_prefix(self, prefix: str) -> None:
        """Keep every number with this prefix from now on."""
        self.add(key_of(prefix))
        self._lengths = np.union1d(self._lengths, [len(prefix)]).astype(np.int64)

    def may_hold(self, keys: Any) -> Any:
        """A mask of the number keys (int64) that may be known."""
        kept = np.empty(len(keys), dtype=np.bool_)
        _filter_numbers(self.table, self._lengths, keys, kept)
        return kept


class HostPrefilter(Prefilter):
    """The keys of hosts with an indicator; it keeps texts that may hold one of these hosts or a host below one."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0
        """The characters of the longest host; no longer part of a text can be one."""

    def add_host(self, host: str) -> None:
        """Keep texts with this normalised host, or a host below it, from now on."""
        self.longest = max(self.longest, len(host))
        self.add(int(_host_key(np.frombuffer(host.encode(), dtype=np.uint8))))

    def may_hold(self, texts: Any, begins: Any, ends: Any) -> Any:
        """A mask of the texts (UTF-8 at ``begins`` to ``ends`` of ``texts``) that may hold a known host.

        The texts must not have the trait `DISGUISE` (`models.texts.prefilter`). In a dropped text
        `models.texts.extraction.read` finds neither a host that was added here nor a host below one.
        """
        kept = np.empty(len(ends), dtype=np.bool_)
        _filter_texts(self.table, self.longest, ENDS, texts, begins, ends, _MOST_BYTES, kept)
        return kept


@compiled
def _slot(table: Any, key: int) -> int:
    """The place of a key in the table, or the empty place where it belongs."""
    mask = table.size - 1
    spread = key * _SPREAD
    slot: int = (spread ^ (spread >> 32)) & mask
    while table[slot] != 0 and table[slot] != key:
        slot = (slot + 1) & mask
    return slot


@compiled
def _put(table: Any, key: int) -> int:
    """Put a key into the table; returns 1 if it is new, else 0."""
    slot = _slot(table, key)
    if table[slot] == key:
        return 0
    table[slot] = key
    return 1


@compiled
def _insert(table: Any, keys: Any) -> None:
    for key in keys:
        if key != 0:
            table[_slot(table, key)] = key


@compiled
def _filter_numbers(table: Any, lengths: Any, keys: Any, kept: Any) -> None:
    for index in range(keys.size):
        key = keys[index]
        found = table[_slot(table, key)] == key
        if not found and lengths.size and key < _FIRST_NAME:
            count = key // _LENGTH_STEP
            value = key - count * _LENGTH_STEP
            if key >= _PORT_STEP:  # the first 14 digits of a port, whose key leaves out the 10; no prefix is longer
                count = key // _PORT_STEP
                value = key - count * _PORT_STEP
                for _ in range(count):
                    value //= 10
                value, count = value + 10**13, 14
            for length in lengths:
                if length <= count:
                    prefix = value
                    for _ in range(count - length):
                        prefix //= 10
                    prefix += length * _LENGTH_STEP
                    found = found or table[_slot(table, prefix)] == prefix
        kept[index] = found


@compiled
def _host_key(host: Any) -> int:
    key = _BASIS
    for sign in host:
        key = (key ^ sign) * _PRIME
    return key if key != 0 else 1


@compiled
def _is_name(sign: int) -> bool:
    """Whether a byte may be part of a host's label: a letter, a digit, a hyphen or an underscore."""
    return 97 <= sign <= 122 or 48 <= sign <= 57 or 65 <= sign <= 90 or sign == 45 or sign == 95


@compiled
def _is_space(sign: int) -> bool:
    return sign == 32 or 9 <= sign <= 13 or 28 <= sign <= 31


@compiled
def _code(texts: Any, at: int, end: int) -> int:
    """The code point of the character beyond ASCII at a place of sound UTF-8."""
    lead = texts[at]
    size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    code: int = lead & (0x7F >> size)
    for place in range(at + 1, min(at + size, end)):
        code = (code << 6) | (texts[place] & 0x3F)
    return code


@compiled
def _goes_on(signs: Any, texts: Any, at: int, end: int) -> bool:
    """Whether the character at a place may belong to the name before or after it (`models.texts.signs`)."""
    if texts[at] < 128:
        return False
    code = _code(texts, at, end)
    return code >= signs.size or not signs[code]


@compiled
def _goes_on_before(signs: Any, texts: Any, at: int, begin: int) -> bool:
    """The same for the character that ends right before a place."""
    place = at - 1
    while place > begin and texts[place] & 0xC0 == 0x80:
        place -= 1
    return place >= begin and _goes_on(signs, texts, place, at)


@compiled
def _is_number(texts: Any, at: int, end: int) -> bool:
    """Whether the name at a place ends in a number: an IP address in any spelling."""
    last = at
    while at < end and (_is_name(texts[at]) or texts[at] == 46):
        if texts[at] == 46 and at + 1 < end and _is_name(texts[at + 1]):
            last = at + 1
        at += 1
    return last < end and 48 <= texts[last] <= 57


@compiled
def _is_spaced(texts: Any, at: int, end: int) -> bool:
    """Whether the label at a place ends at a space, or at a dot before a space: the rest of a host may follow."""
    while at < end and _is_name(texts[at]):
        at += 1
    if at >= end:
        return False
    return _is_space(texts[at]) or (texts[at] == 46 and at + 1 < end and _is_space(texts[at + 1]))


@compiled
def _is_foreign(texts: Any, at: int, end: int) -> bool:
    """Whether the authority at a place has a dot behind a character beyond ASCII: all of it is the host."""
    foreign = False
    while at < end and not (_is_space(texts[at]) or texts[at] == 47 or texts[at] == 63 or texts[at] == 35):
        if texts[at] >= 128:
            foreign = True
        elif texts[at] == 46 and foreign:
            return True
        at += 1
    return False


@compiled
def _kind(sign: int) -> int:
    """The kind of a byte: 1 small letter, 2 capital, 3 digit, 0 other.

    Where the kind changes, a name may be joined to the next sentence without a space.
    """
    if 97 <= sign <= 122:
        return 1
    if 65 <= sign <= 90:
        return 2
    return 3 if 48 <= sign <= 57 else 0


@compiled
def _holds(table: Any, longest: int, texts: Any, begin: int, end: int) -> bool:
    """Whether the table, whose names have at most ``longest`` characters, holds a part of a run of labels.

    A part begins at the start of the run or after a sign that is no letter or digit. It ends where the kind changes.
    """
    start = begin
    while start < end:
        key, dotted, following = _BASIS, False, end
        for at in range(start, min(end, start + longest)):
            sign = texts[at]
            kind = _kind(sign)
            if kind == 2:
                sign += 32
            elif kind == 0:
                dotted = dotted or sign == 46
                following = min(following, at + 1)
            key = (key ^ sign) * _PRIME
            if dotted and kind and (at + 1 == end or _kind(texts[at + 1]) != kind) and table[_slot(table, key)] == key:
                return True
        if following == end:  # a label longer than any name: the next part begins after it
            following = start + max(longest, 1)  # where no host is known, there is no longest
            while following < end and _kind(texts[following - 1]):
                following += 1
        start = following
    return False


@compiled
def _may_hold(table: Any, longest: int, signs: Any, texts: Any, begin: int, end: int) -> bool:
    """Whether a text may hold a known host or a host below one; an odd spelling may hold any host."""
    at = begin
    while at < end:
        sign = texts[at]
        if _is_name(sign):
            start, dots, ws, dots_behind_www, is_sum = at, 0, 0, -1, True
            while at < end and (_is_name(texts[at]) or texts[at] == 46):
                ws = ws + 1 if texts[at] | 32 == 119 else 0
                if ws >= 3:
                    dots_behind_www = 0
                elif texts[at] == 46:
                    dots += 1
                    dots_behind_www += dots_behind_www >= 0
                    is_sum = is_sum and (at + 1 == end or not _is_name(texts[at + 1]) or _kind(texts[at + 1]) == 3)
                at += 1
            if at + 1 < end and (
                (dots_behind_www == 0 and texts[at] == 32 and texts[at + 1] == 46)
                or (dots_behind_www == 1 and texts[at - 1] == 46 and _is_space(texts[at]))
            ):
                return True
            # A sum such as £1.50 has no top-level domain, so no sign before it makes it a host.
            if dots and (
                (not is_sum and _goes_on_before(signs, texts, start, begin))
                or (at < end and _goes_on(signs, texts, at, end))
            ):
                return True
            if dots and at + 2 < end and texts[at] == 58 and texts[at + 1] == 47 and texts[at + 2] == 47:
                return True  # a scheme follows the host without a space: evil.tophttps://
            if dots and _holds(table, longest, texts, start, at):
                return True
        elif sign == 47 and at + 1 < end and texts[at + 1] == 47:
            name = at + 2
            if _is_spaced(texts, name, end) or _is_number(texts, name, end) or _is_foreign(texts, name, end):
                return True
            at += 1
        elif (sign == 46 and at > begin and texts[at - 1] >= 128 and at + 1 < end and _is_name(texts[at + 1])) or (
            sign < 32 and sign != 9 and sign != 10 and sign != 13
        ):
            return True
        else:
            at += 1
    return False


@compiled
def _filter_texts(
    table: Any, longest: int, signs: Any, texts: Any, begins: Any, ends: Any, most: int, kept: Any
) -> None:
    for index in range(ends.size):
        end = min(ends[index], begins[index] + most)
        kept[index] = _may_hold(table, longest, signs, texts, begins[index], end)
