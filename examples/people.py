"""The people of the example: numbers that nobody can have, the cells where people live, and stories about people.

Chinese handsets begin with 13 to 19, so none has a number that begins with 8610000. No country has the code 999. Only
the hotlines (110, 95588, …) are real numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from examples.day import MIDNIGHT, Step, clock
from models.policy.policy import Severity
from models.policy.stages import Stage

STATIONS = tuple(f"ps-{bureau:02d}{station:02d}" for bureau in range(1, 5) for station in range(1, 7))
"""Made-up police stations: four sub-bureaus of six each."""


def subscriber(index: int) -> str:
    """The number of a protected person (0 to 499,999)."""
    return f"8610000{index:06d}"


def acquaintance(index: int) -> str:
    """The number of an acquaintance of a protected person, in China (0 to 399,999)."""
    return subscriber(500_000 + index)


def business(index: int) -> str:
    """The number from which a shop, courier, school or other business calls and writes (0 to 99,999)."""
    return subscriber(900_000 + index)


def abroad(index: int) -> str:
    """The number of a harmless person abroad (0 to 999,999)."""
    return f"999003{index:06d}"


def cell(subscriber: str) -> str:
    """The cell where a person spends the day; 001-01 is the code of test networks (ITU-T E.212)."""
    return f"001-01-{1000 + int(subscriber[-6:]) % 240}-{int(subscriber[-6:]) % 3}"


class Subscriber(Struct, frozen=True, omit_defaults=True):
    """A person's record, as on the topic ``subscribers``."""

    subscriber: str
    station: str
    language: str
    age_band: str
    flags: tuple[str, ...] = ()


class Label(Struct, frozen=True, omit_defaults=True):
    """The truth about a scripted person, to compare alerts with; everybody without a label is harmless background.

    ``severity`` and ``stage`` are the least that must stand at the end of the day; ``money_at`` is when the money left.
    """

    subscriber: str
    role: Literal["victim", "look-alike"]
    story: str
    zh: str
    en: str
    scam_type: str | None = None
    severity: Severity | None = None
    stage: Stage | None = None
    money_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class Story:
    """One scripted person: who they are, what happens, and for a victim the scam type and how far it goes."""

    name: str
    zh: str
    en: str
    steps: tuple[Step, ...]
    age_band: str
    language: str = "zh"
    flags: tuple[str, ...] = ()
    scam_type: str | None = None
    severity: Severity | None = None
    stage: Stage | None = None
    money: str | None = None
    """The time of day at which the money left."""

    def label(self, subscriber: str) -> Label:
        """The label of the person with this number."""
        return Label(
            subscriber,
            "victim" if self.scam_type else "look-alike",
            self.name,
            self.zh,
            self.en,
            self.scam_type,
            self.severity,
            self.stage,
            None if self.money is None else MIDNIGHT + clock(self.money),
        )

    def record(self, subscriber: str) -> Subscriber:
        """The record of the person with this number."""
        station = STATIONS[int(subscriber[-6:]) % len(STATIONS)]
        return Subscriber(subscriber, station, self.language, self.age_band, self.flags)
