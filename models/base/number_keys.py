"""Number keys: who is at an end of a call or SMS, as one 64-bit integer, so that a column of them is an array.

| key | who |
|---|---|
| 1 | nobody is known: the caller is withheld, or the record names no sender |
| `digits * 10^15 + value` | a phone number of up to 15 digits: `0110` and `110` have different keys |
| `(digits - 14) * 10^18 + value behind the 10` | an SMS port of 16 to 20 digits, which begins with `10` |
| from `7 * 10^18` on | a name or address that sends SMS: a hash |

Keys of numbers and ports can be read back. The key of a name cannot, and no number has it. The ledger's other keys lie
in the gaps (`models.lookback.contacts`). `docs/decisions/0019-numbers-as-carriers-write-them.md` says why.
"""

from __future__ import annotations

from typing import Final

LENGTH_STEP: Final = 10**15
"""The step between the keys of phone numbers of one length and the next; ITU-T E.164 has at most 15 digits."""
PORT_STEP: Final = 10**18
"""The same for SMS ports; the first port's key is twice this."""
LONGEST_NUMBER: Final = 15
LONGEST_PORT: Final = 20
NOBODY: Final = 1
FIRST_NAME: Final = 7 * PORT_STEP
"""The least key of a name; the greatest is below 2^63."""

_BASIS: Final = 0xCBF29CE484222325
_PRIME: Final = 0x100000001B3
_ALL: Final = (1 << 64) - 1


def key_of(number: str) -> int:
    """The key of a phone number of 1 to 15 ASCII digits, or of an SMS port of 16 to 20 that begins with ``10``.

    The empty string has the key of nobody. Raises `ValueError` for anything else.

    >>> key_of("110"), key_of("0110"), key_of("")
    (3000000000000110, 4000000000000110, 1)
    >>> key_of("10690000000000000001")
    6690000000000000001
    """
    count = len(number)
    if count <= LONGEST_NUMBER:
        return count * LENGTH_STEP + int(number) if count else NOBODY
    if count > LONGEST_PORT or not number.startswith("10"):
        raise ValueError("only SMS ports that begin with 10 have 16 to 20 digits")
    return (count - 14) * PORT_STEP + int(number[2:])


def name_key(name: str) -> int:
    """The key of a sender that is no number: a hash of its UTF-8, FNV-1a folded to 60 bits.

    >>> is_number(name_key("USPS")), name_key("USPS") == name_key("usps")
    (False, False)
    """
    return FIRST_NAME + (fnv1a(name) >> 4)


def fnv1a(text: str) -> int:
    """The FNV-1a hash of a text's UTF-8: 64 bits, without a sign (draft-eastlake-fnv)."""
    key = _BASIS
    for sign in text.encode():
        key = ((key ^ sign) * _PRIME) & _ALL
    return key


def is_number(key: int) -> bool:
    """Whether a key is that of a number or a port, so that `number_of` can read it back."""
    return LENGTH_STEP <= key < FIRST_NAME


def number_of(key: int) -> str:
    """The phone number or port that a key stands for; empty for nobody and for names.

    >>> number_of(key_of("0110")), number_of(key_of("10690000000000000001")), number_of(name_key("USPS"))
    ('0110', '10690000000000000001', '')
    """
    key = int(key)
    if key >= 2 * PORT_STEP:
        count, value = divmod(key, PORT_STEP)
        return f"10{value:0{count + 12}}" if key < FIRST_NAME else ""
    count, value = divmod(key, LENGTH_STEP)
    return f"{value:0{count}}" if count else ""
