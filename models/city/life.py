"""Life: the ordinary calls and SMS of all people, one hour at a time, as columns.

They are between people who know each other, or with harmless strangers: couriers, telemarketers, agents who sell flats
and insurance, debt collectors, banks and platforms. Nothing here depends on the gangs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.base.durations import HOUR, MINUTE
from models.city import numbers
from models.city.chance import BEGIN, numpy_of
from models.city.population import TIES, Population
from models.city.texts import TEXTS

NAMES: Final = tuple(name for name in ("chat", "code", "bank-notice", "delivery", "advert", "reply"))
ORDINARY: Final = tuple(text for name in NAMES for text in TEXTS[name])
"""The texts of ordinary life; columns refer to them by position."""

# The day's contacts by hour, as relative weights.
_FREE: Final = np.array(
    [6, 3, 2, 1, 1, 2, 8, 24, 40, 46, 50, 58, 60, 46, 44, 48, 54, 68, 80, 84, 82, 70, 44, 18], float
)
_WORKING: Final = np.array(
    [0, 0, 0, 0, 0, 0, 3, 18, 70, 95, 98, 80, 50, 62, 86, 92, 88, 70, 36, 20, 12, 6, 2, 0], float
)
_OUTWARD: Final = 0.56
"""The share of contacts with outsiders that the city's people start."""
_LONGEST_S: Final = 14_400.0
_WEEKEND: Final = 0.35
"""Working contacts on a Saturday or Sunday, as a share of those on a working day."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A kind of stranger: how often people have contact with it, from how many numbers, and how the contact goes."""

    a_day: float
    """Contacts per person and day."""
    per_100k: int
    """Numbers per 100,000 people."""
    missed: float = 0.0
    talk_s: float = 0.0
    talk_factor: float = 2.0
    text: str = ""
    """The name of the texts that the stranger sends; if empty, the stranger calls."""
    bursts: bool = False
    """Whether the stranger tries the same few people again and again."""
    senders: tuple[int, ...] = ()
    """Shared numbers that the stranger uses instead of its own."""
    is_out: bool = False
    """Whether the person calls the stranger."""
    codes: float = 0.0
    """Share of answered calls during which a platform's verification code arrives, for a registration for example."""
    again: float = 0.0
    """Share of answered calls after which the stranger calls back within the hour, with the answer to a question."""
    answered: float = 0.0
    """Share of its texts that people answer; the stranger calls half of these people within hours."""


STRANGERS: Final = {
    "courier": Stranger(0.40, 900, missed=0.22, talk_s=22, talk_factor=1.8, again=0.03),
    "courier-back": Stranger(0.04, 900, missed=0.2, talk_s=30, is_out=True),
    "courier-text": Stranger(0.05, 900, text="delivery", talk_s=22, talk_factor=1.8, answered=0.05),
    "telemarketer": Stranger(0.25, 260, missed=0.55, talk_s=14, talk_factor=3.0, again=0.01),
    "debt-collector": Stranger(0.03, 40, missed=0.6, talk_s=60, talk_factor=2.5, bursts=True),
    "agent": Stranger(0.06, 400, missed=0.4, talk_s=40, talk_factor=3.0, codes=0.005, again=0.05),
    "agent-back": Stranger(0.006, 400, missed=0.2, talk_s=70, talk_factor=2.6, is_out=True),
    "agent-text": Stranger(0.05, 400, text="advert", talk_s=80, talk_factor=2.6, answered=0.02),
    "office": Stranger(0.12, 2500, missed=0.2, talk_s=75, talk_factor=2.6, codes=0.005, again=0.05),
    "office-back": Stranger(0.12, 2500, missed=0.15, talk_s=90, talk_factor=2.6, is_out=True),
    "bank-hotline": Stranger(0.008, 0, talk_s=210, senders=numbers.BANKS, is_out=True),
    "check": Stranger(0.002, 0, talk_s=120, senders=numbers.CHECKS, is_out=True),
    "delivery": Stranger(0.40, 300, text="delivery"),
    "advert": Stranger(0.50, 0, text="advert", senders=numbers.SENDERS),
    "login": Stranger(0.25, 0, text="code", senders=numbers.SENDERS),
    "card": Stranger(0.35, 0, text="bank-notice", senders=numbers.BANKS),
}
"""The strangers by name. Purchases, with a code and soon a bank's notice, are separate (`_PURCHASES`)."""
_PURCHASES: Final = 0.12
"""Purchases per person and day that need a verification code from a bank."""


@dataclass(frozen=True, slots=True, eq=False)
class CallColumns:
    """Calls as columns of one length."""

    at: NDArray[np.int64]
    person: NDArray[np.int64]
    peer: NDArray[np.int64]
    is_out: NDArray[np.bool_]
    talk_s: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SmsColumns:
    """SMS as columns of one length; ``text`` is a position in `ORDINARY`."""

    at: NDArray[np.int64]
    person: NDArray[np.int64]
    peer: NDArray[np.int64]
    is_out: NDArray[np.bool_]
    text: NDArray[np.int64]


class Life:
    """The ordinary life of a population; ``first_number`` is the first index that is free for strangers' numbers."""

    def __init__(self, population: Population, seed: int, first_number: int) -> None:
        self._population = population
        self._seed = seed
        self._reaches = [np.cumsum(rates) for rates in population.rates]
        self._pools: dict[str, Any] = {}
        self.next_index = first_number
        for name, stranger in STRANGERS.items():
            whose = name.partition("-")[0]
            if whose in self._pools:
                self._pools[name] = self._pools[whose]
            elif stranger.senders:
                self._pools[name] = np.array(stranger.senders)
            else:
                count = max(stranger.per_100k * len(population) // 100_000, 3)
                self._pools[name] = numbers.here(np.arange(self.next_index, self.next_index + count), seed)
                self.next_index += count
        self.telemarketers: list[int] = self._pools["telemarketer"].tolist()
        """Numbers that people sometimes report although they are not fraudulent."""

    def hour(self, hour: int) -> tuple[CallColumns, SmsColumns]:
        """The calls and SMS of one hour; hours count from the city's first midnight."""
        rng = numpy_of(self._seed, "life", hour)
        day, into = divmod(hour, 24)
        weekend = day % 7 >= 5
        free = _FREE[into] / _FREE.sum() * (1.15 if weekend else 1.0)
        working = _WORKING[into] / _WORKING.sum() * (_WEEKEND if weekend else 1.0)
        begin = BEGIN + hour * HOUR
        calls: list[tuple[Any, ...]] = []
        texts: list[tuple[Any, ...]] = []
        for kind, tie in enumerate(TIES):
            share = working if tie.at_work else free
            self._ties(kind, share, begin, rng, calls, texts)
        for name, stranger in STRANGERS.items():
            share = free if stranger.text or stranger.is_out else working
            self._strangers(name, stranger, share, day, begin, rng, calls, texts)
        self._purchases(free, begin, rng, texts)
        return CallColumns(*_joined(calls)), SmsColumns(*_joined(texts))

    def _ties(self, kind: int, share: float, begin: int, rng: Any, calls: list[Any], texts: list[Any]) -> None:
        tie, reach = TIES[kind], self._reaches[kind]
        if not len(reach):
            return
        for per_call, found in ((1.0, calls), (tie.texts, texts)):
            count = rng.poisson(reach[-1] * share * per_call)
            which = np.searchsorted(reach, rng.random(count) * reach[-1], side="right")
            who, whom = self._population.whos[kind][which], self._population.whoms[kind][which]
            at = begin + rng.integers(HOUR, size=count)
            both = whom < len(self._population)
            is_out = rng.random(count) < np.where(both, 0.5, _OUTWARD)
            if found is calls:
                last = np.where(rng.random(count) < tie.missed, 0, _talks(tie.talk_s, tie.talk_factor, count, rng))
            else:
                last = rng.integers(len(TEXTS["chat"]), size=count)
            peers = self._population.numbers[whom]
            found.append((at, who, peers, is_out, last))
            found.append((at[both], whom[both], self._population.numbers[who[both]], ~is_out[both], last[both]))

    def _strangers(
        self, name: str, stranger: Stranger, share: float, day: int, begin: int, rng: Any, calls: Any, texts: Any
    ) -> None:
        people, pool = len(self._population), self._pools[name]
        count = rng.poisson(stranger.a_day * people * share)
        at = begin + rng.integers(HOUR, size=count)
        peers = pool[(len(pool) * rng.random(count) ** (1.0 if stranger.senders else 1.6)).astype(np.int64)]
        if stranger.bursts:  # one person in five hundred, different people each week
            bad = max(people // 500, 1)
            who = (rng.integers(bad, size=count) * 7_919 + day // 7 * 104_729) % people
        else:
            who = rng.integers(people, size=count)
        is_out = np.full(count, stranger.is_out)
        if stranger.text:
            texts.append((at, who, peers, is_out, _texts(stranger.text, count, rng)))
            _answered(stranger, at, who, peers, rng, calls, texts)
            return
        talk = np.where(
            rng.random(count) < stranger.missed, 0, _talks(stranger.talk_s, stranger.talk_factor, count, rng)
        )
        calls.append((at, who, peers, is_out, talk))
        if stranger.codes:
            told = np.flatnonzero((rng.random(count) < stranger.codes) & (talk > 0))
            when = at[told] + (rng.random(len(told)) * talk[told] * 1000).astype(np.int64)
            senders = np.array(numbers.SENDERS)[rng.integers(len(numbers.SENDERS), size=len(told))]
            texts.append((when, who[told], senders, np.zeros(len(told), dtype=bool), _texts("code", len(told), rng)))
        if stranger.again:
            some = np.flatnonzero((rng.random(count) < stranger.again) & (talk > 0))
            when = at[some] + talk[some] * 1000 + rng.integers(2 * MINUTE, HOUR, size=len(some))
            more = _talks(2.0 * stranger.talk_s, stranger.talk_factor, len(some), rng)
            calls.append((when, who[some], peers[some], np.zeros(len(some), dtype=bool), more))

    def _purchases(self, share: float, begin: int, rng: Any, texts: list[Any]) -> None:
        people = len(self._population)
        count = rng.poisson(_PURCHASES * people * share)
        at = begin + rng.integers(HOUR, size=count)
        who = rng.integers(people, size=count)
        banks = np.array(numbers.BANKS)[rng.integers(len(numbers.BANKS), size=count)]
        is_out = np.zeros(count, dtype=bool)
        texts.append((at, who, banks, is_out, _texts("code", count, rng)))
        texts.append(
            (at + rng.integers(20_000, 240_000, size=count), who, banks, is_out, _texts("bank-notice", count, rng))
        )


def _answered(stranger: Stranger, at: Any, who: Any, peers: Any, rng: Any, calls: list[Any], texts: list[Any]) -> None:
    """Add people's answers to a stranger's texts, and the stranger's calls to half of those who answered."""
    some = np.flatnonzero(rng.random(len(at)) < stranger.answered)
    when = at[some] + rng.integers(MINUTE, HOUR, size=len(some))
    texts.append((when, who[some], peers[some], np.ones(len(some), dtype=bool), _texts("reply", len(some), rng)))
    rung = some[::2]
    then = when[::2] + rng.integers(MINUTE, 6 * HOUR, size=len(rung))
    talk = _talks(stranger.talk_s, stranger.talk_factor, len(rung), rng)
    calls.append((then, who[rung], peers[rung], np.zeros(len(rung), dtype=bool), talk))


def _talks(median: float, factor: float, count: int, rng: Any) -> Any:
    """Seconds of talk: at least one, and at most the longest call that networks allow."""
    return np.clip(median * np.exp(rng.normal(size=count) * np.log(factor)), 1.0, _LONGEST_S).astype(np.int64)


def _texts(name: str, count: int, rng: Any) -> Any:
    """Random positions in `ORDINARY` of texts with this name."""
    first = sum(len(TEXTS[before]) for before in NAMES[: NAMES.index(name)])
    return first + rng.integers(len(TEXTS[name]), size=count)


def _joined(parts: list[tuple[Any, ...]]) -> list[Any]:
    return [np.concatenate(column) for column in zip(*parts, strict=True)]
