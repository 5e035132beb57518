"""Assumptions: what the simulated city does not know about stations, victims and banks, each with its source.

A published figure is named with its source; where none was found, the source says "assumed". The page shows what each
one changes between its low and its high value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple

from models.base.durations import MINUTE
from models.capacity.orders import Steps
from models.capacity.roster import Roster, Shift
from models.city.chance import BEGIN
from models.city.scripts import Spread

FACTOR: Final = 2.0
"""The factor around each median of minutes within which two thirds of all values lie. Assumed."""
PEOPLE_OF_A_STATION: Final = 20_000
"""The people in the area of one station. Assumed."""
DAY_BEGINS: Final = 8
NIGHT_BEGINS: Final = 22
"""The hours at which the two shifts begin. Assumed."""

_ANKANG = "weekly reports on 110 by the police of Ankang"
_JAPAN = "[Japan, 2019](http://japan.haiwainet.cn/n/2020/0110/c3541611-31697751.html)"
_ALIPAY = "[police and Alipay, 2019](http://hznews.hangzhou.com.cn/shehui/content/2019-07/25/content_7233648.htm)"
_AARP = "AARP, 2003, in [Scheibe and others, 2014](https://pubmed.ncbi.nlm.nih.gov/25328263/)"
_SINGAPORE = "[Singapore](https://www.straitstimes.com/singapore/anti-scam-centre-recovers-over-21m-in-past-year)"


def _assumed(value: float, low: float, high: float, words: str, source: str) -> Any:
    return field(default=value, metadata={"low": low, "high": high, "words": words, "source": source})


@dataclass(frozen=True)
class Assumptions:
    """All assumptions of the play. Times are minutes, chances are shares."""

    delay: float = _assumed(
        1, 0, 10, "minutes from a call or SMS to its order at the station", "assumed; Forewarn itself takes seconds"
    )
    day_officers: float = _assumed(
        2,
        1,
        4,
        f"officers for the orders of {PEOPLE_OF_A_STATION:,} people, {DAY_BEGINS}:00 to {NIGHT_BEGINS}:00",
        "assumed",
    )
    night_officers: float = _assumed(1, 1, 2, "the same at night", "assumed")
    acknowledge: float = _assumed(
        0.5, 0.25, 2, "minutes to acknowledge, once an officer is free", f"98 % within 30 seconds: {_ANKANG}"
    )
    call: float = _assumed(
        14,
        7,
        20,
        "minutes of an officer by phone for each order",
        "four on duty around the clock for 400 warnings a day: Changsha (Sanxiang Metropolis Daily, January 2020)",
    )
    travel: float = _assumed(
        10, 5, 20, "minutes to the door, and as many back", f"8.1 minutes from a call to 110, in the mean: {_JAPAN}"
    )
    visit: float = _assumed(
        30, 15, 60, "minutes at the door", f"56 % of orders reported back within an hour of being given: {_ANKANG}"
    )
    answered: float = _assumed(
        0.6,
        0.4,
        0.8,
        "people who take the call",
        "40 % of warning calls refused: police of Guangdong (Guangzhou Daily, January 2020)",
    )
    relative: float = _assumed(
        0.3, 0, 0.6, "people who do not, but whom a relative reaches ten minutes later", "assumed; often told by police"
    )
    home: float = _assumed(0.7, 0.5, 0.9, "people who are found when an officer comes", "assumed")
    heeds_early: float = _assumed(
        0.5,
        0.3,
        0.7,
        "people who believe a call, or a relative, before stage deep",
        f"a warning by phone halves consent: {_AARP}",
    )
    heeds_deep: float = _assumed(
        0.4,
        0.2,
        0.6,
        "the same from stage deep on",
        f"6 of 10 who saw a warning still believed the fraudster: {_ALIPAY}",
    )
    heeds_visit: float = _assumed(
        0.8,
        0.5,
        0.95,
        "people who believe an officer at the door",
        "87 % of 6,432 whom Yangxin warned, in danger or not (Hubei Daily, August 2022)",
    )
    stop: float = _assumed(10, 2, 30, "minutes from talking to a stop-payment that has its effect", "assumed")
    frozen: float = _assumed(
        0.66,
        0.41,
        0.82,
        "money that a stop-payment holds at once",
        f"66 % (2024) and 82 % (2020) of the money: FBI, Internet Crime Reports; 41 % (2020): {_SINGAPORE}",
    )
    half_life: float = _assumed(
        30,
        10,
        120,
        "minutes after which half of that has gone on",
        "the “golden half hour” in the advice of Chinese police: until then gangs move it on",
    )

    def steps(self) -> Steps:
        """How long the steps of an order take."""
        return Steps(
            acknowledge=Spread(median=self.acknowledge, factor=FACTOR),
            call=Spread(median=self.call, factor=FACTOR),
            travel=Spread(median=self.travel, factor=FACTOR),
            visit=Spread(median=self.visit, factor=FACTOR),
            answered=self.answered,
        )

    def roster(self) -> Roster:
        """The officers of a station on duty for its orders."""
        day = Shift(since=DAY_BEGINS, officers=int(self.day_officers))
        return Roster([day, Shift(since=NIGHT_BEGINS, officers=int(self.night_officers))], BEGIN)

    def heeds(self, is_deep: bool) -> float:
        """The chance that a person believes a call or a relative."""
        return self.heeds_deep if is_deep else self.heeds_early

    def stopped(self, ms: int) -> float:
        """The share of a payment that is held when officers first speak with the victim this long after it."""
        minutes = ms / MINUTE + self.stop
        return float(self.frozen * 0.5 ** (minutes / self.half_life))


class Row(NamedTuple):
    """One assumption as the page shows it."""

    name: str
    value: float
    low: float
    high: float
    words: str
    source: str


def rows() -> Iterator[Row]:
    """All assumptions, in their order."""
    for each in fields(Assumptions):
        yield Row(each.name, getattr(Assumptions(), each.name), **each.metadata)
