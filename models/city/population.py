"""Population: the city's people, their homes, households and ties.

Ties are columns: the person, the other person, and how often they are in touch. The distribution has a heavy tail: most
of a person's calls go to few people. `docs/city.md` gives the sources of the figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.city import numbers
from models.city.chance import numpy_of
from models.city.scripts import AGE_BANDS

_AGES: Final = (0.18, 0.22, 0.19, 0.17, 0.13, 0.08, 0.03)
"""Shares of the age bands among adults with their own phone."""
_HOUSEHOLDS: Final = (0.25, 0.30, 0.25, 0.14, 0.06)
"""Shares of households of one, two, … five people."""
STATIONS: Final = tuple(f"ps-{bureau:02d}{station:02d}" for bureau in range(1, 5) for station in range(1, 7))
CELLS: Final = 720

FAMILY, FRIEND, WORK, FAR = range(4)
"""Kinds of ties; the last one is with a relative or employer abroad, and has long calls."""


@dataclass(frozen=True, slots=True)
class TieKind:
    """How people with one kind of tie are in touch."""

    calls: float
    """Median number of calls a day, both directions together."""
    spread: float
    """The factor within which two thirds of the rates lie."""
    texts: float
    """SMS per call."""
    talk_s: float
    talk_factor: float
    missed: float
    """Share of the calls that are not answered."""
    at_work: bool
    """Whether contacts follow the rhythm of working hours."""


TIES: Final = (
    TieKind(0.60, 2.5, 0.2, 45, 3.4, 0.20, False),
    TieKind(0.15, 3.2, 0.3, 52, 4.4, 0.24, False),
    TieKind(0.30, 2.6, 0.1, 50, 3.4, 0.18, True),
    TieKind(0.12, 2.0, 0.3, 900, 2.2, 0.25, False),
)
_FRIENDS: Final = (24.0, 2.0)
"""Friends and acquaintances: median and factor."""
_OUTSIDE: Final = 0.7
"""The share of friends who are not subscribers of the city."""
_COLLEAGUES: Final = 7
_FAR_SHARE: Final = 0.015


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """The people as columns, and their ties."""

    numbers: NDArray[np.int64]
    """The phone numbers of people and then of outsiders, as in their records."""
    ages: NDArray[np.int8]
    """Positions in `AGE_BANDS`."""
    homes: NDArray[np.int16]
    """The cells of homes; ``works`` are cells too."""
    works: NDArray[np.int16]
    english: NDArray[np.bool_]
    alone: NDArray[np.bool_]
    """Whether the person is old and lives alone."""
    whos: tuple[NDArray[np.int32], ...]
    """By kind of tie: the index of the person."""
    whoms: tuple[NDArray[np.int32], ...]
    """By kind of tie: the index of the other person, or of an outsider if it is beyond the number of people."""
    rates: tuple[NDArray[np.float64], ...]
    """By kind of tie: calls a day."""

    def __len__(self) -> int:
        return len(self.ages)

    @property
    def entities(self) -> int:
        """The number of people and outsiders together, which is the first index with a free number."""
        return len(self.numbers)

    def station(self, person: int) -> str:
        """The police station of a person's home."""
        return STATIONS[int(self.homes[person]) * len(STATIONS) // CELLS]


def populate(people: int, seed: int) -> Population:
    """A population of ``people`` people with their ties; the same seed gives the same population."""
    rng = numpy_of(seed, "population")
    sizes = rng.choice(len(_HOUSEHOLDS), size=people, p=_HOUSEHOLDS) + 1
    household = np.repeat(np.arange(people), sizes)[:people]
    ages = rng.choice(len(AGE_BANDS), size=people, p=_AGES).astype(np.int8)
    homes = (np.arange(people) * CELLS // people).astype(np.int16)  # households with close indices live near each other
    first = np.searchsorted(household, household)
    homes = homes[first]
    is_working = (ages < 5) & (rng.random(people) < 0.8)
    workplace = np.where(is_working, (people // 14 + 1) * rng.random(people) ** 1.7, -1).astype(np.int64)
    works = np.where(is_working, (workplace * 7919) % CELLS, homes).astype(np.int16)
    ties = [_family(household), _friends(people, rng), _work(workplace, rng), _far(people, rng)]
    next_outsider, whos, whoms, rates = people, [], [], []
    for kind, (who, whom) in zip(TIES, ties, strict=True):
        outside = whom < 0
        whom = whom.copy()
        whom[outside] = next_outsider + np.arange(int(outside.sum()))
        next_outsider += int(outside.sum())
        whos.append(who.astype(np.int32))
        whoms.append(whom.astype(np.int32))
        rates.append(kind.calls * np.exp(rng.normal(size=len(who)) * np.log(kind.spread)))
    index = np.arange(next_outsider, dtype=np.int64)
    numbered = numbers.here(index, seed)
    far = np.unique(whoms[FAR])
    numbered[far] = numbers.abroad(far.astype(np.int64), seed)
    alone = (ages >= 5) & (np.bincount(household, minlength=people)[household] == 1)
    english = rng.random(people) < 0.02
    return Population(numbered, ages, homes, works, english, alone, tuple(whos), tuple(whoms), tuple(rates))


def _family(household: Any) -> tuple[Any, Any]:
    """Ties between all members of each household, whose indices are at most four apart."""
    whos, whoms = [], []
    for apart in range(1, len(_HOUSEHOLDS)):
        who = np.flatnonzero(household[:-apart] == household[apart:])
        whos.append(who)
        whoms.append(who + apart)
    return np.concatenate(whos), np.concatenate(whoms)


def _friends(people: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Ties with friends: people of the city, mostly nearby ones, and outsiders (-1)."""
    counts = np.minimum(_FRIENDS[0] * np.exp(rng.normal(size=people) * np.log(_FRIENDS[1])), 400).astype(np.int64)
    who = np.repeat(np.arange(people), counts)
    near = (who + np.rint(rng.normal(size=len(who)) * 150).astype(np.int64)) % people
    whom = np.where(rng.random(len(who)) < 0.5, near, rng.integers(people, size=len(who)))
    whom[rng.random(len(who)) < _OUTSIDE] = -1
    kept = whom != who
    return who[kept], whom[kept]


def _work(workplace: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """Ties with some colleagues: the next people in the list of each workplace."""
    order = np.argsort(workplace, kind="stable")
    order = order[workplace[order] >= 0]
    whos, whoms = [], []
    for apart in range(1, _COLLEAGUES // 2 + 2):
        same = workplace[order[:-apart]] == workplace[order[apart:]]
        kept = same & (rng.random(len(same)) < 0.85)
        whos.append(order[:-apart][kept])
        whoms.append(order[apart:][kept])
    return np.concatenate(whos), np.concatenate(whoms)


def _far(people: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Ties of a few people with a child who studies abroad, or with a boss there."""
    who = np.flatnonzero(rng.random(people) < _FAR_SHARE)
    return who, np.full(len(who), -1)
