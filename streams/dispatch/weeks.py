"""Weeks: the ISO weeks of a bulletin, which begin at midnight of Monday by the city's clock."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from models.casework.bulletin import WEEKS

_WRITTEN: Final = re.compile(r"([0-9]{4})-W([0-9]{2})")
_WEEK: Final = timedelta(weeks=1)


class WeekError(ValueError):
    """There is no bulletin of that week; one sentence says why and what to write."""


class Week(NamedTuple):
    """An ISO week."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year}-W{self.number:02}"

    @property
    def monday(self) -> date:
        """Its first day."""
        return date.fromisocalendar(self.year, self.number, 1)

    def before(self, weeks: int = 1) -> Week:
        """The week that many weeks earlier."""
        return _week(self.monday - weeks * _WEEK)


def parse(text: str) -> Week:
    """A week as people write it; raises `WeekError` for what is none.

    >>> str(parse("2026-W11"))
    '2026-W11'
    >>> parse("2025-W53")
    Traceback (most recent call last):
        ...
    streams.dispatch.weeks.WeekError: the year 2025 has no week 53: its last one is 2025-W52
    """
    found = _WRITTEN.fullmatch(text.strip().upper())
    # No record is from before 1971 or after 9998, and the weeks before and after must exist as well.
    if found is None or not 1971 <= int(found[1]) <= 9998 or not 1 <= int(found[2]) <= 53:
        raise WeekError(f"{text[:20]!r} is no week: write the year and the ISO week, for example 2026-W11")
    week = Week(int(found[1]), int(found[2]))
    last = _week(date(week.year, 12, 28))
    if week > last:
        raise WeekError(f"the year {week.year} has no week {week.number}: its last one is {last}")
    return week


def last_whole(now: int, zone: ZoneInfo) -> Week:
    """The last week that is over at a moment (epoch ms).

    >>> str(last_whole(1_773_590_399_999, ZoneInfo("Asia/Shanghai")))  # a second before Monday
    '2026-W10'
    """
    return week_of(now, zone).before()


def week_of(moment: int, zone: ZoneInfo) -> Week:
    """The week of a moment (epoch ms)."""
    return _week(datetime.fromtimestamp(moment / 1000, UTC).astimezone(zone).date())


def edges(week: Week, zone: ZoneInfo) -> tuple[int, ...]:
    """The beginnings of as many weeks as a bulletin looks at, of which this is the last, and its end (epoch ms)."""
    return tuple(_midnight(week.monday + at * _WEEK, zone) for at in range(1 - WEEKS, 2))


def _week(day: date) -> Week:
    return Week(*day.isocalendar()[:2])


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp() * 1000)
