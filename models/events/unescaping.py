"""Unescaping: turns the strings of JSON records into texts in UTF-8 without escapes.

`models.events.scanning` finds the strings. This module accepts what JSON and UTF-8 allow and nothing else (RFC 8259,
section 7; RFC 3629); any other text is left to msgspec.
"""

from __future__ import annotations

from typing import Any, Final

from models.base.compiled import compiled

_QUOTE: Final = 34
_BACKSLASH: Final = 92


@compiled
def _hex(buffer: Any, at: int) -> int:
    """The value of four hexadecimal digits, or -1."""
    value = 0
    for index in range(4):
        sign = buffer[at + index]
        if 48 <= sign <= 57:
            value = value * 16 + sign - 48
        elif 97 <= sign <= 102:
            value = value * 16 + sign - 87
        elif 65 <= sign <= 70:
            value = value * 16 + sign - 55
        else:
            return -1
    return value


@compiled
def _sequence(buffer: Any, at: int, end: int) -> int:
    """The length in bytes of a UTF-8 sequence that begins with a byte above ASCII; 0 when it is not sound."""
    lead = buffer[at]
    if lead < 0xC2 or lead > 0xF4:
        return 0
    size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if at + size > end:
        return 0
    for index in range(1, size):
        if buffer[at + index] & 0xC0 != 0x80:
            return 0
    second = buffer[at + 1]
    if (lead == 0xE0 and second < 0xA0) or (lead == 0xED and second > 0x9F):
        return 0
    if (lead == 0xF0 and second < 0x90) or (lead == 0xF4 and second > 0x8F):
        return 0
    return size


@compiled
def _spell(code: int, texts: Any, to: int) -> int:
    """Write a code point above ASCII as UTF-8; returns the place after it."""
    if code < 0x800:
        texts[to] = 0xC0 | (code >> 6)
        texts[to + 1] = 0x80 | (code & 0x3F)
        return to + 2
    if code < 0x10000:
        texts[to] = 0xE0 | (code >> 12)
        texts[to + 1] = 0x80 | ((code >> 6) & 0x3F)
        texts[to + 2] = 0x80 | (code & 0x3F)
        return to + 3
    texts[to] = 0xF0 | (code >> 18)
    texts[to + 1] = 0x80 | ((code >> 12) & 0x3F)
    texts[to + 2] = 0x80 | ((code >> 6) & 0x3F)
    texts[to + 3] = 0x80 | (code & 0x3F)
    return to + 4


@compiled
def _escape(buffer: Any, at: int, end: int, texts: Any, to: int) -> tuple[int, int]:
    """Undo the escape after a backslash; returns the places after it in both buffers, -1 when it is not sound."""
    if at >= end:
        return -1, to
    sign = buffer[at]
    if sign == 117:  # u
        code = _hex(buffer, at + 1) if at + 5 <= end else -1
        at += 5
        if 0xD800 <= code <= 0xDBFF:
            low = -1
            if at + 6 <= end and buffer[at] == _BACKSLASH and buffer[at + 1] == 117:
                low = _hex(buffer, at + 2)
            at += 6
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) if 0xDC00 <= low <= 0xDFFF else -1
        elif 0xDC00 <= code <= 0xDFFF:
            code = -1
        if code < 0:
            return -1, to
        if code < 0x80:
            texts[to] = code
            return at, to + 1
        return at, _spell(code, texts, to)
    if sign == 110:  # n
        sign = 10
    elif sign == 116:  # t
        sign = 9
    elif sign == 114:  # r
        sign = 13
    elif sign == 98:  # b
        sign = 8
    elif sign == 102:  # f
        sign = 12
    elif sign != _QUOTE and sign != _BACKSLASH and sign != 47:
        return -1, to
    texts[to] = sign
    return at + 1, to + 1


@compiled
def _text(buffer: Any, at: int, end: int, texts: Any, to: int) -> int:
    """Write a text without its escapes; returns the place after it, -1 when it is not sound."""
    while at < end:
        sign = buffer[at]
        if sign == _BACKSLASH:
            at, to = _escape(buffer, at + 1, end, texts, to)
            if at < 0:
                return -1
        elif sign < 32:
            return -1
        elif sign < 128:
            texts[to] = sign
            at += 1
            to += 1
        else:
            size = _sequence(buffer, at, end)
            if size == 0:
                return -1
            for _ in range(size):
                texts[to] = buffer[at]
                at += 1
                to += 1
    return to


@compiled
def spell(buffer: Any, begins: Any, ends: Any, texts: Any, text_ends: Any, sound: Any) -> None:
    """Write the strings at ``begins`` to ``ends`` of a buffer into ``texts`` without escapes, one after the other.

    Fills ``text_ends`` (int64) with the end of each text and ``sound`` (a mask) with whether it is valid; an invalid
    text is empty. ``texts`` must have at least as many bytes as all strings together, since no string grows.
    """
    to = 0
    for row in range(begins.size):
        behind = _text(buffer, begins[row], ends[row], texts, to)
        sound[row] = behind >= 0
        if behind >= 0:
            to = behind
        text_ends[row] = to
