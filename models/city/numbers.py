"""Numbers of the city: made-up ones that nobody can have, and whose figures say nothing about who has them.

Chinese handsets begin with 13 to 19, so none has a number that begins with 8610000; 999 is no country's code. Hotlines
alone are real.
"""

from __future__ import annotations

from typing import Any, Final

HERE: Final = 861_000_000_000_000
ABROAD: Final = 999_000_000_000_000
_ROOM: Final = 10**8
_STRIDE: Final = 61_803_399
"""Without a common factor with the room, and near the golden section of it: neighbours lie far apart."""


def here(index: Any, seed: int) -> Any:
    """The number of the city's line of this index, below 100 million; of ints and arrays of them."""
    return HERE + (index * _STRIDE + _shift(seed)) % _ROOM


def abroad(index: Any, seed: int) -> Any:
    """The same of a line abroad."""
    return ABROAD + (index * _STRIDE + _shift(seed)) % _ROOM


def _shift(seed: int) -> int:
    return seed * 27_182_818 % _ROOM


BANKS: Final = (95588, 95599, 95566, 95533, 95555, 95580)
"""Hotlines of banks, from which they also write."""
SENDERS: Final = (106_900_001, 106_900_002, 106_900_003)
"""Made-up numbers from which platforms send codes and adverts."""
CHECKS: Final = (110, 110, 96110, 96110, 114, 12381)
"""Whom people ring who have doubts, by how often."""
