"""Questions: what a look-back asks a ledger, and what it makes of the answer.

Whoever plans a look-back only states questions. Whoever holds a ledger puts them to it, in a thread or at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from models.lookback.hunting import Contact, distinct
from models.lookback.keys import Keys

A = TypeVar("A")


class Ledger(Protocol):
    """The contacts of all subscribers, found by key."""

    def find(self, keys: Keys) -> Iterator[Contact]:
        """The contacts of these keys, in no particular order; some may come twice. No keys find nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Question(Generic[A]):
    """The keys to look for, and the function that makes the answer out of their contacts."""

    keys: Keys
    answer: Callable[[Iterable[Contact]], A]
    """Takes each contact once, in any order."""

    def put_to(self, ledger: Ledger) -> A:
        """The answer by this ledger; raises what its ``find`` raises."""
        return self.answer(distinct(ledger.find(self.keys)))
