"""Plain links: compiled code that finds the only plain link of each text of a batch, or that there is none.

Nearly every text with a link has one `https://host/path` and nothing else that may be a link. Nearly every other dot
without a space is between two sentences ("ok.see you"). An answer of this module always equals that of
`models.texts.extraction.read_with_traits`, and a test compares the two. Every other text is left to that function.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from models.base.compiled import compiled
from models.texts.domains import top_levels
from models.texts.tlds import Ending, ending

CLOSELY: Final = -1
"""The begin of the host in a text that needs a close reading."""
NOTHING: Final = -2
"""The begin of the host in a text without a host."""

_LONG: Final = 10_000
"""The bytes of a text of which perhaps only the beginning is read (`models.texts.extraction.LONGEST`)."""
_FULL: Final = (66, 67, 152, 153)
"""The lengths of full parts (`models.texts.parts.FULL`)."""
_TOP_LEVEL: Final = 1
_NAME: Final = 2
_SLOTS: Final = 1 << 16
_BASIS: Final = 5381
_FACTOR: Final = 33


def plain_links(texts: Any, begins: Any, ends: Any) -> tuple[Any, Any, Any]:
    """The only link of each text (UTF-8 at ``begins`` to ``ends`` of ``texts``); no text may have the trait `DISGUISE`.

    Returns where each host begins (or `CLOSELY` or `NOTHING`), where it ends, and where its URL ends, as places in
    ``texts``. The URL begins with the scheme before the host. `models.texts.hosts` decides whether the host is valid.
    """
    host_begins, host_ends, url_ends = (np.empty(len(ends), dtype=np.int64) for _ in range(3))
    _find_links(_ENDINGS, texts, begins, ends, host_begins, host_ends, url_ends)
    return host_begins, host_ends, url_ends


def _endings() -> Any:
    """What each top-level domain proves, by a hash of its letters; a slot has the bits of all domains with its hash."""
    table = np.zeros(_SLOTS, dtype=np.uint8)
    for name in top_levels():
        slot = _BASIS
        for sign in name.encode():
            slot = (slot * _FACTOR + sign) % _SLOTS
        table[slot] |= _TOP_LEVEL | (_NAME if ending(name) is Ending.NAME else 0)
    return table


_ENDINGS: Final = _endings()


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
def _is_of_run(sign: int) -> bool:
    return _kind(sign) > 0 or sign == 45 or sign == 46 or sign == 95


@compiled
def _is_of_path(sign: int) -> bool:
    """Whether a byte is a letter, a digit, or one of ``/?&=_%.~+-``."""
    return (
        _kind(sign) > 0
        or 45 <= sign <= 47
        or (sign == 63 or sign == 38 or sign == 61 or sign == 95 or sign == 37 or sign == 126 or sign == 43)
    )


@compiled
def _is_white(sign: int) -> bool:
    return sign == 32 or 9 <= sign <= 13 or 28 <= sign <= 31


@compiled
def _proves(endings: Any, texts: Any, begin: int, end: int) -> int:
    """What a label, or a part of it up to a change of kind, proves, as bits."""
    slot, proof = _BASIS, 0
    for at in range(begin, end):
        sign = texts[at]
        kind = _kind(sign)
        if kind == 2:
            sign += 32
        slot = (slot * _FACTOR + sign) % _SLOTS
        if at + 1 == end or _kind(texts[at + 1]) != kind:
            proof |= endings[slot]
    return proof


@compiled
def _is_title(texts: Any, begin: int, end: int) -> bool:
    """Whether a label is a capital followed by small letters."""
    if end - begin < 2 or _kind(texts[begin]) != 2:
        return False
    for at in range(begin + 1, end):  # noqa: SIM110 - compiled code has no generators
        if _kind(texts[at]) != 1:
            return False
    return True


@compiled
def _is_no_host(endings: Any, texts: Any, begin: int, end: int, low: int, high: int) -> bool:
    """Whether the run of labels ``begin`` to ``end`` in the text ``low`` to ``high`` neither is nor holds a host."""
    before = texts[begin - 1] if begin > low else 32
    after = texts[end] if end < high else 32
    if before >= 128 or before == 47 or before == 58 or before == 92 or before == 59:
        return False
    if after >= 128 or after == 47 or after == 58 or after == 92 or after == 63 or after == 35:
        return False
    dots, figures, titled = 0, 0, False
    at = begin
    while at < end:
        stop = at
        while stop < end and texts[stop] != 46:
            stop += 1
        figures += dots > 0 and at < stop and _kind(texts[at]) == 3
        if dots:
            proof = _proves(endings, texts, at, stop)
            if proof & _NAME or (proof and (titled or not _is_title(texts, at, stop) or dots > 1 or stop < end)):
                return False
        titled = _kind(texts[at]) == 2 if at < stop else titled
        dots += 1
        at = stop + 1
    return figures < 3  # with three it may be an address, whatever is joined to its first part


@compiled
def _find_links(
    endings: Any, texts: Any, begins: Any, ends: Any, host_begins: Any, host_ends: Any, url_ends: Any
) -> None:
    for index in range(ends.size):
        low, high = begins[index], ends[index]
        host_begins[index], host_ends[index], url_ends[index] = NOTHING, NOTHING, NOTHING
        if high - low >= _LONG:
            host_begins[index] = CLOSELY
            continue
        at, ws = low, 0
        while at < high:
            sign = texts[at]
            ws = ws + 1 if sign | 32 == 119 else 0
            if ws == 3:
                host_begins[index] = CLOSELY
                break
            if sign == 47 and at + 1 < high and texts[at + 1] == 47:
                if host_begins[index] != NOTHING:
                    host_begins[index] = CLOSELY
                    break
                end = _link(texts, low, high, at, index, host_begins, host_ends, url_ends)
                if end < 0:
                    host_begins[index] = CLOSELY
                    break
                at, ws = end, 0
                continue
            if sign == 46 and at > low and at + 1 < high and _kind(texts[at + 1]) > 0:
                if texts[at - 1] >= 128 or texts[at - 1] == 45 or texts[at - 1] == 95:
                    host_begins[index] = CLOSELY
                    break
                if _kind(texts[at - 1]) > 0:
                    begin, end = at, at
                    while begin > low and _is_of_run(texts[begin - 1]):
                        begin -= 1
                    while end < high and _is_of_run(texts[end]):
                        end += 1
                    if not _is_no_host(endings, texts, begin, end, low, high):
                        host_begins[index] = CLOSELY
                        break
                    for place in range(at, end - 2):
                        if texts[place] | 32 == 119 and texts[place + 1] | 32 == 119 and texts[place + 2] | 32 == 119:
                            host_begins[index] = CLOSELY
                    if host_begins[index] == CLOSELY:
                        break
                    at, ws = end, 0
                    continue
            at += 1


@compiled
def _is_far_eastern_before(texts: Any, at: int, low: int) -> bool:
    """Whether a character of a script without spaces, or of its punctuation, ends right before a place."""
    while at > low:
        at -= 1
        if texts[at] & 0xC0 != 0x80:
            return bool(texts[at] >= 0xE2)
    return False


@compiled
def _is_full(texts: Any, low: int, high: int) -> bool:
    """Whether a text may be a full part of a long SMS, in which a link at the end may have been cut."""
    size = 0
    for at in range(low, high):
        size += (texts[at] & 0xC0 != 0x80) + (texts[at] >= 0xF0)
    return size in _FULL


@compiled
def _link(
    texts: Any, low: int, high: int, slashes: int, index: int, host_begins: Any, host_ends: Any, url_ends: Any
) -> int:
    """Record the plain link around the slashes at a place; returns where it ends, -1 when it is not a plain link."""
    scheme = slashes - 1
    if scheme < low or texts[scheme] != 58:  # :
        return -1
    if scheme - 1 >= low and texts[scheme - 1] == 115:  # s
        scheme -= 1
    scheme -= 4
    if scheme < low or (scheme > low and texts[scheme - 1] != 32 and not _is_far_eastern_before(texts, scheme, low)):
        return -1
    if texts[scheme] != 104 or texts[scheme + 1] != 116 or texts[scheme + 2] != 116 or texts[scheme + 3] != 112:
        return -1
    at = begin = slashes + 2
    dots, ws = 0, 0
    while at < high and (texts[at] == 45 or texts[at] == 46 or texts[at] == 95 or _kind(texts[at]) & 1):
        sign = texts[at]
        if sign == 46:
            dots += 1
            if texts[at - 1] == 95:
                return -1
        if (at == begin or texts[at - 1] == 46) and (sign == 45 or sign == 46 or (at == begin and sign == 95)):
            return -1
        ws = ws + 1 if sign == 119 else 0
        if ws > 3 or (ws == 3 and at != begin + 2):
            return -1
        at += 1
    if dots == 0 or _kind(texts[at - 1]) != 1:
        return -1
    host_end, ws = at, 0
    if at < high and texts[at] == 47:
        while at < high and _is_of_path(texts[at]):
            ws = ws + 1 if texts[at] | 32 == 119 else 0
            if ws == 3 or (texts[at] == 47 and texts[at - 1] == 47):
                return -1
            at += 1
        if at < host_end + 2 or _kind(texts[at - 1]) == 0:
            return -1
    if at < high and not _is_white(texts[at]) and (at == host_end or texts[at] < 0xE2):
        return -1
    if at == high and at == host_end and _is_full(texts, low, high):
        return -1
    host_begins[index], host_ends[index], url_ends[index] = begin, host_end, at
    return at
