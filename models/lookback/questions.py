"""Questions: what a look-back asks a ledger, and how it turns the contacts into an answer.

The planner of a look-back only states questions. The owner of a ledger puts them to it, in a thread or at once.
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
        """The contacts of these keys, in no particular order; some may appear twice. Empty keys find nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Question(Generic[A]):
    """The keys to look for, and the function that turns their contacts into the answer."""

    keys: Keys
    answer: Callable[[Iterable[Contact]], A]
    """Takes each contact once, in any order."""

    def put_to(self, ledger: Ledger) -> A:
        """The answer of this ledger; raises whatever its ``find`` raises."""
        return self.answer(distinct(ledger.find(self.keys)))
