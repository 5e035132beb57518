"""Accounts: the made-up accounts through which a gang moves what its victims pay. They are in the truth alone.

No record names an account, so the records of a city do not depend on this. A gang has people pay to one account for a
few payments, and moves the money on over others that it keeps for longer. How many there are is our guess, from reports
of money that is split over two or three levels of cards.
"""

from __future__ import annotations

from random import Random
from typing import Final

from models.city.chance import random_of

PAYMENTS: Final = (1, 3)
"""The fewest and the most payments to one account before a gang has the next victim pay to another."""
BEHIND: Final = 2
"""The accounts at the second level; the gang has one at the third, where the money of all of them meets."""


class Accounts:
    """The accounts of one gang."""

    def __init__(self, seed: int, gang: str) -> None:
        self._rng = random_of(seed, "accounts", gang)
        self._second = [_number(self._rng) for _ in range(BEHIND)]
        self._third = _number(self._rng)
        self._payee, self._left = "", 0

    def way(self) -> list[str]:
        """The accounts through which the next victim's money goes, the one that they pay to first; one to three."""
        if not self._left:
            self._payee, self._left = _number(self._rng), self._rng.randint(*PAYMENTS)
        self._left -= 1
        way = [self._payee, self._rng.choice(self._second), self._third]
        return way[: self._rng.randint(1, 3)]


def _number(rng: Random) -> str:
    """An account number that no bank gives: it begins with 000."""
    return f"000{rng.randrange(10**13):013}"
