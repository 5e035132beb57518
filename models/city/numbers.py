"""Numbers of the city: made-up phone numbers that nobody can have, and whose digits say nothing about their owners.

Chinese mobile numbers begin with 13 to 19, so none begins with 8610000. No country has the code 999. Only the hotlines
are real.
"""

from __future__ import annotations

from typing import Any, Final

HERE: Final = 861_000_000_000_000
ABROAD: Final = 999_000_000_000_000
_ROOM: Final = 10**8
_STRIDE: Final = 61_803_399
"""Coprime to the room and near its golden section, so that neighbouring indices get distant numbers."""


def here(index: Any, seed: int) -> Any:
    """The number of the city's phone line with this index (below 100 million); takes an int or an array of ints."""
    return HERE + (index * _STRIDE + _shift(seed)) % _ROOM


def abroad(index: Any, seed: int) -> Any:
    """The number of the phone line abroad with this index; otherwise like `here`."""
    return ABROAD + (index * _STRIDE + _shift(seed)) % _ROOM


def _shift(seed: int) -> int:
    return seed * 27_182_818 % _ROOM


BANKS: Final = (95588, 95599, 95566, 95533, 95555, 95580)
"""Hotlines of banks, which also send SMS from them."""
SENDERS: Final = (106_900_001, 106_900_002, 106_900_003)
"""Made-up numbers from which platforms send verification codes and adverts."""
CHECKS: Final = (110, 110, 96110, 96110, 114, 12381)
"""Numbers that people call when they have doubts; a repeated number is called more often."""
