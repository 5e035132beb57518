"""Scanning: the fields of a whole batch of JSON records as arrays, in one compiled pass over their bytes.

This is the first step of the hot path. Almost every record has the plain form (one object, no field twice, no escape
outside an SMS's text), and the scan checks every byte of it. A record in any other form is left to msgspec, which alone
decides whether it is sound. So a bad record affects only itself and never shifts a neighbour, and the strict reading of
the contract is in one place (`models.events.event`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from models.base.compiled import compiled

_QUOTE: Final = 34
_BACKSLASH: Final = 92

_SUBSCRIBER: Final = 1
_PEER: Final = 2
_AT: Final = 4
_ID: Final = 8
_DIRECTION: Final = 16
_PHASE: Final = 32
_DURATION: Final = 64
_TEXT: Final = 128
_DOMAINS: Final = 256
_SOURCE: Final = 512
_NEEDED: Final = _SUBSCRIBER | _AT | _ID | _DIRECTION

# The same limits as in `models.events.event`; cached machine code would not notice a change there.
_LARGEST: Final = 1_000_000
_EARLIEST: Final = 946_684_800_000
_LATEST: Final = 4_102_444_800_000
_LONGEST_ID: Final = 128
_LONGEST_DURATION: Final = 43_200.0
_LENGTH_STEP: Final = 10**15

REFUSED: Final = 0
"""Left to msgspec."""
PLAIN: Final = 1
"""Every field is in the arrays."""
LISTED: Final = 2
"""The same, but the record also lists domains itself, which are not in the arrays."""

ABSENT: Final = -1
"""The place of a field that a record lacks."""
TAKEN: Final = -2
"""The place of a peer whose number has been read."""

# The kind of an event, as bits.
OUT: Final = 1
"""The event comes from the subscriber."""
ENDED: Final = 2
"""The event is the end of a call."""


def _letters(word: str) -> Any:
    return np.frombuffer(word.encode(), dtype=np.uint8).copy()


_W_ID, _W_AT, _W_PEER, _W_TEXT = _letters("id"), _letters("at"), _letters("peer"), _letters("text")
_W_PHASE, _W_DOMAINS, _W_DIRECTION = _letters("phase"), _letters("domains"), _letters("direction")
_W_SOURCE = _letters("source")
_W_SUBSCRIBER, _W_DURATION = _letters("subscriber"), _letters("duration_s")
_W_IN, _W_OUT, _W_START, _W_END = _letters("in"), _letters("out"), _letters("start"), _letters("end")
_W_TRUE, _W_FALSE, _W_NULL = _letters("true"), _letters("false"), _letters("null")


@compiled
def _is(buffer: Any, at: int, count: int, word: Any) -> bool:
    if count != word.size:
        return False
    for index in range(count):  # noqa: SIM110 - compiled code has no generators
        if buffer[at + index] != word[index]:
            return False
    return True


@compiled
def _past_space(buffer: Any, at: int, end: int) -> int:
    while at < end and (buffer[at] == 32 or buffer[at] == 10 or buffer[at] == 13 or buffer[at] == 9):
        at += 1
    return at


@compiled
def _past_string(buffer: Any, at: int, end: int) -> int:
    """The closing quote of a string of printable ASCII without escapes; -1 when it is another string.

    ``at`` is the place after the opening quote.
    """
    while at < end:
        sign = buffer[at]
        if sign == _QUOTE:
            return at
        if sign < 32 or sign == _BACKSLASH or sign >= 127:
            return -1
        at += 1
    return -1


@compiled
def _past_value(buffer: Any, at: int, end: int) -> int:
    """The place after a plain string, number or literal; -1 for anything else."""
    if at >= end:
        return -1
    sign = buffer[at]
    if sign == _QUOTE:
        at = _past_string(buffer, at + 1, end)
        return -1 if at < 0 else at + 1
    for word in (_W_TRUE, _W_NULL):
        if end - at >= 4 and _is(buffer, at, 4, word):
            return at + 4
    if end - at >= 5 and _is(buffer, at, 5, _W_FALSE):
        return at + 5
    if sign == 45:  # -
        at += 1
    begin = at
    while at < end and 48 <= buffer[at] <= 57:
        at += 1
    if at == begin or at - begin > 15 or (buffer[begin] == 48 and at - begin > 1):
        return -1
    if at < end and buffer[at] == 46:  # .
        begin = at + 1
        at = begin
        while at < end and 48 <= buffer[at] <= 57:
            at += 1
        if at == begin:
            return -1
    return at


@compiled
def _number(buffer: Any, at: int, end: int) -> tuple[int, int]:
    """The number key of a quoted number of 2 to 15 digits, and the place after it; -1 for any other value."""
    if at >= end or buffer[at] != _QUOTE:
        return 0, -1
    at += 1
    value = count = 0
    while at < end and 48 <= buffer[at] <= 57 and count < 16:
        value = value * 10 + (buffer[at] - 48)
        count += 1
        at += 1
    if count < 2 or count > 15 or at >= end or buffer[at] != _QUOTE:
        return 0, -1
    return count * _LENGTH_STEP + value, at + 1


@compiled
def _moment(buffer: Any, at: int, end: int) -> tuple[int, int]:
    """A time in range and the place after it; -1 for any other value."""
    value, begin = 0, at
    while at < end and 48 <= buffer[at] <= 57 and at - begin < 14:
        value = value * 10 + (buffer[at] - 48)
        at += 1
    if at == begin or buffer[begin] == 48 or value < _EARLIEST or value > _LATEST:
        return 0, -1
    return value, at


@compiled
def _duration(buffer: Any, at: int, end: int) -> tuple[float, int]:
    """Seconds and the place after them; -1 for any other value.

    The digits are few enough for the quotient to be exact.
    """
    value, begin = 0, at
    while at < end and 48 <= buffer[at] <= 57 and at - begin < 9:
        value = value * 10 + (buffer[at] - 48)
        at += 1
    if at == begin or (buffer[begin] == 48 and at - begin > 1):
        return 0.0, -1
    scale = 1
    if at < end and buffer[at] == 46:  # .
        begin = at + 1
        at = begin
        while at < end and 48 <= buffer[at] <= 57 and at - begin < 6:
            value = value * 10 + (buffer[at] - 48)
            scale *= 10
            at += 1
        if at == begin:
            return 0.0, -1
    seconds = value / scale
    return (seconds, at) if seconds <= _LONGEST_DURATION else (0.0, -1)


@compiled
def _past_text(buffer: Any, at: int, end: int) -> int:
    """The closing quote of a string with or without escapes; -1 when there is none.

    ``at`` is the place after the opening quote.
    """
    while at < end:
        sign = buffer[at]
        if sign == _QUOTE:
            return at
        at += 2 if sign == _BACKSLASH else 1
    return -1


@compiled
def _past_list(buffer: Any, at: int, end: int) -> int:
    """The place after a list of plain strings; -1 for any other list.

    ``at`` is the place after the opening bracket.
    """
    at = _past_space(buffer, at, end)
    if at < end and buffer[at] == 93:  # ]
        return at + 1
    while at < end and buffer[at] == _QUOTE:
        at = _past_string(buffer, at + 1, end)
        if at < 0:
            return -1
        at = _past_space(buffer, at + 1, end)
        if at >= end:
            return -1
        if buffer[at] == 93:
            return at + 1
        if buffer[at] != 44:
            return -1
        at = _past_space(buffer, at + 1, end)
    return -1


@compiled
def _field(buffer: Any, at: int, count: int, is_call: bool) -> int:
    """The field with this name; 0 for a field that is not read."""
    if count == 2:
        if _is(buffer, at, count, _W_ID):
            return _ID
        return _AT if _is(buffer, at, count, _W_AT) else 0
    if count == 4:
        if _is(buffer, at, count, _W_PEER):
            return _PEER
        return _TEXT if not is_call and _is(buffer, at, count, _W_TEXT) else 0
    if count == 6:
        return _SOURCE if _is(buffer, at, count, _W_SOURCE) else 0
    if count == 10:
        if _is(buffer, at, count, _W_SUBSCRIBER):
            return _SUBSCRIBER
        return _DURATION if is_call and _is(buffer, at, count, _W_DURATION) else 0
    if _is(buffer, at, count, _W_DIRECTION):
        return _DIRECTION
    if is_call:
        return _PHASE if _is(buffer, at, count, _W_PHASE) else 0
    return _DOMAINS if _is(buffer, at, count, _W_DOMAINS) else 0


@compiled
def scan(
    buffer: Any,
    begins: Any,
    ends: Any,
    key_begins: Any,
    key_ends: Any,
    keyed: bool,
    is_call: bool,
    subscribers: Any,
    peers: Any,
    peer_begins: Any,
    source_begins: Any,
    times: Any,
    durations: Any,
    text_begins: Any,
    text_ends: Any,
    id_begins: Any,
    id_ends: Any,
    kinds: Any,
    forms: Any,
) -> int:
    """Scan the records at ``begins`` to ``ends`` of a buffer: calls with ``is_call``, else SMS.

    Fills these arrays, one entry a record:

    - ``subscribers`` and ``peers``: number keys as they are written, int64;
    - ``peer_begins`` and ``source_begins``: the place of a plain string, number or literal, or `ABSENT`; what it says
      is left to `models.events.parties`. `TAKEN` when the peer is a plain number, whose key is in ``peers``;
    - ``times``: epoch ms, int64;
    - ``durations``: talk time in s, float64; -1 when none is given;
    - ``text_begins`` and ``text_ends``: the string of an SMS's text, equal when there is none. Its letters and escapes
      are left to `models.events.unescaping` to check;
    - ``id_begins`` and ``id_ends``: the string of the id;
    - ``kinds``: the bits `OUT` and `ENDED`;
    - ``forms``: `REFUSED`, `PLAIN` or `LISTED`.

    With ``keyed`` the bytes at ``key_begins`` to ``key_ends`` (-1: none) must be the subscriber. Returns the count of
    refused records.
    """
    refused = 0
    for row in range(begins.size):
        text_begins[row] = text_ends[row] = 0
        peer_begins[row] = source_begins[row] = ABSENT
        at, end = begins[row], ends[row]
        form, seen, ended, outgoing, duration = PLAIN, 0, False, False, -1.0
        if at < 0 or at >= end or end - at > _LARGEST or buffer[at] != 123:  # {
            form = REFUSED
        else:
            at += 1
        while form != REFUSED:
            at = _past_space(buffer, at, end)
            if at >= end or buffer[at] != _QUOTE:
                form = REFUSED
                break
            name = at + 1
            at = _past_string(buffer, name, end)
            if at < 0:
                form = REFUSED
                break
            field = _field(buffer, name, at - name, is_call)
            at = _past_space(buffer, at + 1, end)
            if (seen & field) or at >= end or buffer[at] != 58:  # :
                form = REFUSED
                break
            seen |= field
            at = _past_space(buffer, at + 1, end)
            begin = at
            if field == _SUBSCRIBER:
                subscribers[row], at = _number(buffer, at, end)
                if keyed and at >= 0:
                    key = key_begins[row]
                    size = at - begin - 2
                    if key < 0 or key_ends[row] - key != size:
                        at = -1
                    else:
                        for index in range(size):
                            if buffer[key + index] != buffer[begin + 1 + index]:
                                at = -1
                                break
            elif field == _PEER:
                peers[row], at = _number(buffer, at, end)
                peer_begins[row] = TAKEN
                if at < 0:
                    peer_begins[row], at = begin, _past_value(buffer, begin, end)
            elif field == _SOURCE:
                source_begins[row], at = at, _past_value(buffer, at, end)
            elif field == _AT:
                times[row], at = _moment(buffer, at, end)
            elif field == _DURATION:
                duration, at = _duration(buffer, at, end)
            elif field == _TEXT and at < end and buffer[at] == _QUOTE:
                at = _past_text(buffer, at + 1, end)
                if at >= 0:
                    text_begins[row], text_ends[row] = begin + 1, at
                    at += 1
            elif field == _DOMAINS and at < end and buffer[at] == 91:  # [
                at = _past_list(buffer, at + 1, end)
                if at - begin > 2:
                    form = LISTED
            elif field in (_TEXT, _DOMAINS):
                at = at + 4 if end - at >= 4 and _is(buffer, at, 4, _W_NULL) else -1
            elif field != 0:  # a word: id, direction or phase
                at = _past_string(buffer, at + 1, end) if at < end and buffer[at] == _QUOTE else -1
                size = at - begin - 1
                if at >= 0:
                    at += 1
                    if field == _ID:
                        sound = 0 < size <= _LONGEST_ID
                        id_begins[row], id_ends[row] = begin + 1, begin + 1 + size
                    elif field == _DIRECTION:
                        outgoing = _is(buffer, begin + 1, size, _W_OUT)
                        sound = outgoing or _is(buffer, begin + 1, size, _W_IN)
                    else:
                        ended = _is(buffer, begin + 1, size, _W_END)
                        sound = ended or _is(buffer, begin + 1, size, _W_START)
                    if not sound:
                        at = -1
            else:
                at = _past_value(buffer, at, end)
            if at < 0:
                form = REFUSED
                break
            at = _past_space(buffer, at, end)
            if at >= end:
                form = REFUSED
                break
            sign = buffer[at]
            at += 1
            if sign == 125:  # }
                needed = _NEEDED | _PHASE if is_call else _NEEDED
                if _past_space(buffer, at, end) != end or seen & needed != needed or (ended and duration < 0):
                    form = REFUSED
                break
            if sign != 44:  # ,
                form = REFUSED
        if form == REFUSED:
            text_begins[row] = text_ends[row] = 0
            refused += 1
        kinds[row] = (OUT if outgoing else 0) | (ENDED if ended else 0)
        durations[row] = duration
        forms[row] = form
    return refused
