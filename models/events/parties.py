"""Parties: who is at the two ends of each record, as number keys in normal form, in one compiled pass.

`models.events.scanning` has found the strings. Nearly all subscribers and peers are in a range of numbers for which the
table of `models.events.numbering` knows the normal form. The others are marked, and asked about once for each number.
"""

from __future__ import annotations

from typing import Any, Final

from models.base.compiled import compiled

_QUOTE: Final = 34
_BACKSLASH: Final = 92

# The same as in `models.base.number_keys` and `models.events.scanning`; cached machine code would not notice a change.
_LENGTH_STEP: Final = 10**15
_PORT_STEP: Final = 10**18
_NOBODY: Final = 1
_FIRST_NAME: Final = 7 * 10**18
_BASIS: Final = -3750763034362895579  # FNV-1a's, as signed numbers (draft-eastlake-fnv)
_PRIME: Final = 1099511628211
_FOLD: Final = (1 << 60) - 1
_REFUSED: Final = 0
_TAKEN: Final = -2

ASK_SUBSCRIBER: Final = 1
"""Whether the subscriber is in normal form is not in the table."""
ASK_PEER: Final = 2
"""The normal form of the peer is not in the table."""


@compiled
def _number(buffer: Any, at: int) -> tuple[int, int]:
    """The key of a number as it is written, and the place after it; key 0 for another string, place -1 when it is none.

    ``at`` is the place after the opening quote of a plain string. ``+`` counts as ``00``.
    """
    is_abroad = buffer[at] == 43  # +
    if is_abroad:
        at += 1
    value = rest = count = 0
    while 48 <= buffer[at] <= 57 and count <= 20:
        digit = int(buffer[at]) - 48
        if count < 15:
            value = value * 10 + digit
        else:
            rest = rest * 10 + digit
        count += 1
        at += 1
    if buffer[at] != _QUOTE:
        return 0, at
    if is_abroad:
        return ((count + 2) * _LENGTH_STEP + value, at) if 2 <= count <= 13 else (0, -1)
    if value == 0 and count <= 15:
        return _NOBODY, at
    if count <= 15:
        return (count * _LENGTH_STEP + value, at) if count >= 2 else (0, -1)
    if count > 20 or value // 10**13 != 10:
        return 0, -1
    head = value - 10**14
    for _ in range(count - 15):
        head *= 10
    return (count - 14) * _PORT_STEP + head + rest, at


@compiled
def _name(buffer: Any, at: int, withheld: Any) -> int:
    """The key of a name in ASCII, or of nobody if it is a word for that (``withheld``: hashes); 0 for any other string.

    A name has a letter, and no colon, which would begin an address (``tel:``).
    """
    key, word, has_letter = _BASIS, _BASIS, False
    while buffer[at] != _QUOTE:
        sign = buffer[at]
        if sign == 58:  # :
            return 0
        key = (key ^ sign) * _PRIME
        small = sign | 32
        if 97 <= small <= 122:
            word = (word ^ small) * _PRIME
            has_letter = True
        elif 48 <= sign <= 57:
            word = (word ^ sign) * _PRIME
        at += 1
    if not has_letter:
        return 0
    for nobody in withheld:
        if nobody == word:
            return _NOBODY
    return _FIRST_NAME + ((key >> 4) & _FOLD)


@compiled
def _peer(buffer: Any, at: int, is_call: bool, withheld: Any) -> int:
    """The key of a peer as it is written; 0 for one that is left to msgspec. Only an SMS comes from a name."""
    if at < 0 or buffer[at] == 110:  # missing or null
        return _NOBODY
    if buffer[at] != _QUOTE:
        return 0
    key, behind = _number(buffer, at + 1)
    if key == 0 and behind >= 0:
        key = _name(buffer, at + 1, withheld)
        return 0 if is_call and key != _NOBODY else key
    return key


@compiled
def _source(buffer: Any, at: int, names: Any, name_ends: Any) -> int:
    """The code of a source: 0 for none, 1 for an unknown one, from 2 on the declared ones."""
    if at < 0 or buffer[at] == 110:  # missing or null
        return 0
    if buffer[at] != _QUOTE:
        return 1
    start = 0
    for code in range(name_ends.size):
        size = name_ends[code] - start
        same = buffer[at + 1 + size] == _QUOTE if at + 1 + size < buffer.size else False
        for index in range(size):
            if not same:
                break
            same = buffer[at + 1 + index] == names[start + index]
        if same:
            return code + 2
        start = name_ends[code]
    return 1


@compiled
def _range_of(lows: Any, highs: Any, low: int, high: int, key: int) -> int:
    """The index, from ``low`` to before ``high``, of the range that holds a key; -1 when none does."""
    end = high
    begin = low
    while low < high:
        middle = (low + high) >> 1
        if lows[middle] <= key:
            low = middle + 1
        else:
            high = middle
    place = low - 1
    return place if begin <= place < end and key <= highs[place] else -1


@compiled
def read_parties(
    buffer: Any,
    peer_begins: Any,
    source_begins: Any,
    is_call: bool,
    withheld: Any,
    names: Any,
    name_ends: Any,
    table_of: Any,
    table_begins: Any,
    lows: Any,
    highs: Any,
    deltas: Any,
    forms: Any,
    subscribers: Any,
    peers: Any,
    sources: Any,
    asked: Any,
) -> None:
    """Read the parties of the records that were scanned, and mark those that need a closer look.

    The arguments up to ``deltas`` are those of the scan and of `models.events.numbering.Tables`. Brings ``peers`` into
    normal form, and fills ``sources`` (codes, uint8) and ``asked`` (the bits `ASK_SUBSCRIBER` and `ASK_PEER`, uint8). A
    record whose peer is no plain number gets the form `models.events.scanning.REFUSED`.
    """
    near_subscriber = near_peer = 0
    for row in range(forms.size):
        asked[row] = sources[row] = 0
        if forms[row] == _REFUSED:
            continue
        source = _source(buffer, source_begins[row], names, name_ends)
        key = peers[row] if peer_begins[row] == _TAKEN else _peer(buffer, peer_begins[row], is_call, withheld)
        if key == 0:
            forms[row] = _REFUSED
            continue
        table = table_of[source]
        low, high = table_begins[table], table_begins[table + 1]
        who = subscribers[row]
        # Neighbours mostly lie in the same range.
        if not (low <= near_subscriber < high and lows[near_subscriber] <= who <= highs[near_subscriber]):
            near_subscriber = _range_of(lows, highs, low, high, who)
        if near_subscriber < 0 or deltas[near_subscriber] != 0:
            asked[row] = ASK_SUBSCRIBER
        if key != _NOBODY and key < _FIRST_NAME:
            if not (low <= near_peer < high and lows[near_peer] <= key <= highs[near_peer]):
                near_peer = _range_of(lows, highs, low, high, key)
            if near_peer >= 0:
                key += deltas[near_peer]
            elif key < _PORT_STEP and key % _LENGTH_STEP == 0:  # zeros alone
                key = _NOBODY
            else:
                asked[row] |= ASK_PEER
        sources[row] = source
        peers[row] = key
