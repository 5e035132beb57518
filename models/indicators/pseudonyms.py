"""Pseudonyms: other numbers in the place of people's, under a key, by which indicators match as they did before.

Two numbers that begin with the same digits have pseudonyms that begin with the same digits, so a prefix stays one
(prefix-preserving, as Crypto-PAn is for addresses). The first six digits stay: they say the country and the kind of
number, by which it is read. Hotlines stay, because what they are counts.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final

from models.indicators.numbers import hotline

KEPT: Final = 6
"""The first digits, which stay."""
_MOST_REMEMBERED: Final = 1 << 17
_LETTERS: Final = str.maketrans("0123456789abcdef", "ghijklmnopabcdef")


class Pseudonyms:
    """The pseudonyms under one key; the same key gives the same ones. Without it, nobody finds the numbers.

    Whoever has the key can try all numbers, so it belongs where the private keys are.
    """

    def __init__(self, key: bytes) -> None:
        derived = blake2b(key, digest_size=32, person=b"fw pseudonyms").digest()
        self._digits = blake2b(digest_size=1, key=derived, person=b"digits")
        self._names = blake2b(digest_size=10, key=derived, person=b"names")
        self.number = lru_cache(maxsize=_MOST_REMEMBERED)(self._number)
        """The pseudonym of a number in normal form; of a hotline, the number itself."""

    @property
    def fingerprint(self) -> str:
        """A short name of the key, by which two recordings show that they have the same one."""
        return self.name("")[:8]

    def prefix(self, prefix: str) -> str:
        """The prefix of the pseudonyms of all numbers that begin with a prefix, except hotlines.

        >>> names = Pseudonyms(b"k" * 16)
        >>> names.number("8613800000001").startswith(names.prefix("861380000")), names.number("95588")
        (True, '95588')
        """
        digits = [prefix[:KEPT]]
        for place in range(KEPT, len(prefix)):
            shift = self._digits.copy()
            shift.update(prefix[:place].encode())
            digits.append(str((int(prefix[place]) + shift.digest()[0]) % 10))
        return "".join(digits)

    def name(self, name: str) -> str:
        """The pseudonym of an id, or of a sender that is no number: letters that stand for nothing."""
        digest = self._names.copy()
        digest.update(name.encode("utf-8", "replace"))
        return digest.hexdigest().translate(_LETTERS)

    def _number(self, number: str) -> str:
        return number if hotline(number) is not None else self.prefix(number)
