"""The city: its records hour by hour in event time, and the truth about them at the end.

Memory is bounded by the number of people and by the gangs' plans. At most one hour of ordinary life is in memory.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import count
from random import Random
from typing import Any, Final

import numpy as np
from msgspec import Struct

from models.base.durations import DAY, HOUR
from models.city.acting import Happening, Lines, Truth, day_of_gangs
from models.city.chance import BEGIN, random_of
from models.city.life import Life
from models.city.population import populate
from models.city.record_writer import RecordWriter
from models.city.scripts import AGE_BANDS, Script
from models.indicators.indicator import Indicator

SOURCE: Final = "simulated city"
MISTAKES: Final = 0.03
"""The share of telemarketers' numbers that are wrongly reported as fraud."""


class Resident(Struct, frozen=True, omit_defaults=True):
    """A person's record, as on the topic ``subscribers``."""

    subscriber: str
    station: str
    language: str
    age_band: str
    flags: tuple[str, ...] = ()


class City:
    """A city of ``people`` people for ``days`` days; the same arguments always give the same city.

    The names in ``scripts`` appear in the truth. ``known_share`` of the gangs' numbers and domains become known, half
    of those within ``known_after_h`` hours of their first use. ``prevalence`` is the share of the scripts' gangs that
    there are; ordinary life, with all harmless strangers and the reports against them, does not depend on it.
    """

    def __init__(
        self,
        people: int,
        days: int,
        seed: int,
        scripts: Sequence[tuple[str, Script]],
        known_share: float,
        known_after_h: float,
        prevalence: float = 1.0,
    ) -> None:
        self._seed, self._scripts, self._prevalence = seed, scripts, prevalence
        self.days = days
        self.end = BEGIN + days * DAY
        """The end of the last day, in epoch milliseconds."""
        self._population = populate(people, seed)
        self._life = Life(self._population, seed, self._population.entities)
        self._lines = Lines(seed, self._life.next_index, known_share, known_after_h)
        self.truths: list[Truth] = []
        """The truth about each person that a gang has tried so far."""
        weights = [np.array([script.ages.get(band, 1.0) for band in AGE_BANDS]) for _, script in scripts]
        self._reaches = {
            name: np.cumsum(weight[self._population.ages]) for (name, _), weight in zip(scripts, weights, strict=True)
        }

    def __len__(self) -> int:
        return len(self._population)

    def residents(self) -> Iterator[Resident]:
        """The record of every person."""
        people = self._population
        for person in range(len(people)):
            yield Resident(
                self._number(person),
                people.station(person),
                "en" if people.english[person] else "zh",
                AGE_BANDS[people.ages[person]],
                ("lives-alone",) if people.alone[person] else (),
            )

    def hours(self) -> Iterator[tuple[list[str], list[str]]]:
        """The JSON lines of calls and of SMS, one hour at a time, in event time."""
        recording = RecordWriter(self._population, self._seed, self._life.telemarketers)
        planned: list[tuple[int, int, Happening]] = []
        order = count()
        for hour in range(self.days * 24):
            if hour % 24 == 0:
                for happened, truth in self._gangs(hour // 24):
                    self.truths.append(truth)
                    for happening in happened:
                        heapq.heappush(planned, (happening.at, next(order), happening))
            upto = BEGIN + (hour + 1) * HOUR
            due: list[Happening] = []
            while planned and planned[0][0] < upto:
                due.append(heapq.heappop(planned)[2])
            yield recording.hour(hour, *self._life.hour(hour), due)

    def indicators(self) -> list[Indicator]:
        """The indicators for the numbers and domains used so far, and the wrong ones against innocent telemarketers.

        Each is valid from the time at which it becomes known.
        """
        rng = random_of(self._seed, "indicators")
        found = [
            _indicator(used.type, used.value, used.scam_type, rng.randint(70, 95), used.known_at)
            for used in self._lines.used
            if used.known_at is not None and used.known_at < self.end
        ]
        rng = random_of(self._seed, "mistakes")
        for number in self._life.telemarketers:
            if rng.random() < MISTAKES:
                at = BEGIN + int(rng.random() * (self.end - BEGIN))
                found.append(_indicator("number", str(number), "other", rng.randint(50, 75), at))
        return sorted(found, key=lambda each: (each.valid_from, each.key))

    def _gangs(self, day: int) -> Iterator[tuple[list[Happening], Truth]]:
        hunted = len(self._population) * self._prevalence
        return day_of_gangs(self._scripts, day, self._seed, self._lines, hunted, self._pick, self._number, self.end)

    def _pick(self, name: str, rng: Random) -> int:
        """The person that a gang with the script of this name tries."""
        reach = self._reaches[name]
        return int(np.searchsorted(reach, rng.random() * reach[-1], side="right"))

    def _number(self, person: int) -> str:
        return str(self._population.numbers[person])


def _indicator(type_: Any, value: str, scam_type: str, confidence: int, at: int) -> Indicator:
    return Indicator(type=type_, value=value, scam_type=scam_type, confidence=confidence, source=SOURCE, valid_from=at)
