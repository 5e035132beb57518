"""Instants: reads the time that a person, a spreadsheet or a program has written.

A time is read only if it can mean one thing. The order of day and month, a year of another calendar and the name of a
time zone that several countries use are questions for the sender of a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SPREADSHEET: Final = datetime(1899, 12, 30, tzinfo=UTC)
_SERIALS: Final = range(29_221, 73_051)
"""Days that a spreadsheet counts from 1980 to 2099."""
_DATE: Final = (
    r"(?P<year>\d{4})(?:(?P<sign>[-/.])(?P<month>\d{1,2})(?P=sign)(?P<day>\d{1,2})"
    r"|\s*[年년]\s*(?P<month2>\d{1,2})\s*[月월]\s*(?P<day2>\d{1,2})\s*[日号號일]?)"
)
_DAY_FIRST: Final = r"(?P<one>\d{1,2})(?P<sign>[-/.])(?P<two>\d{1,2})(?P=sign)(?P<year>\d{4})"
_TIME: Final = (
    r"(?:[T\s]*(?P<half>上午|下午|中午|晚上|凌晨|[AaPp]\.?[Mm]\.?)?\s*(?P<hour>\d{1,2})"
    r"(?:[:：](?P<minute>\d{2})(?:[:：](?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?"
    r"|[时時点點]\s*(?:(?P<minute2>\d{1,2})分\s*(?:(?P<second2>\d{1,2})秒)?)?)"
    r"(?:\s*(?P<half2>[AaPp]\.?[Mm]\.?))?"
    r"(?:\s*\[?(?P<zone>Z|(?:UTC|GMT)?\s*[+-]\d{1,2}(?::?\d{2})?|UTC|GMT|[A-Za-z]+(?:/[A-Za-z0-9_+-]+)+)\]?)?)?"
)
_FORMS: Final = (re.compile(_DATE + _TIME, re.ASCII), re.compile(_DAY_FIRST + _TIME, re.ASCII))
_WRITTEN_OUT: Final = (
    "%a %b %d %H:%M:%S %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%d %b %Y",
    "%d %b %Y %H:%M:%S",
    "%B %d, %Y",
    "%b %d, %Y",
)
_YEARS: Final = frozenset((*range(1970, 2200), 9999))
"""Years that a list means by the common calendar; 9999 is for ever, and 2569 is 2026 in Thailand."""
_OTHER_YEAR: Final = "the year of this date is not clear; write four digits of the common calendar: 2024-11-05"
_OTHER: Final = "a time is written 2024-11-05, 2024-11-05T08:00:00+08:00 or in epoch ms"


def instant(written: int | str) -> int:
    """Epoch milliseconds of a time as people write it: as milliseconds, or as a date with an optional time.

    A time without an offset is UTC. Raises ``ValueError`` with one sentence when the time is none, or not clear.

    >>> instant("2024-11-05"), instant("2024/1/5 08:30"), instant("2024-11-05T08:00:00+08:00"), instant("0")
    (1730764800000, 1704443400000, 1730764800000, 0)
    >>> instant("20241105000000"), instant("45601"), instant("2024年11月5日"), instant("2024-11-05 08:00 Asia/Shanghai")
    (1730764800000, 1730764800000, 1730764800000, 1730764800000)
    """
    if isinstance(written, int):
        is_compact = len(str(written)) == 14 and _compact(str(written)) is not None
        return instant(str(written)) if is_compact else written
    text = written.strip()
    if len(text) > 60:
        raise ValueError(_OTHER)
    try:
        at = _read(text)
        if isinstance(at, int):
            return at
        if at.year not in _YEARS:
            raise ValueError(_OTHER_YEAR)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return (at - _EPOCH) // timedelta(milliseconds=1)
    except OverflowError:
        raise ValueError(_OTHER) from None


def _read(text: str) -> datetime | int:
    if text.isascii() and re.fullmatch(r"\d{5}(?:\.\d+)?", text) and int(text[:5]) in _SERIALS:
        return _SPREADSHEET + timedelta(seconds=round(float(text) * 86_400))
    if text.isascii() and text.isdigit():
        return _of_digits(text)
    for form in _FORMS:
        found = form.fullmatch(text)
        if found is not None:
            return _of_parts(found.groupdict())
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for written in _WRITTEN_OUT:
        try:
            return datetime.strptime(" ".join(text.split()), written)
        except ValueError:
            continue
    if re.match(r"\d{2,3}[-/.年]\d{1,2}[-/.月]\d{1,2}", text):
        raise ValueError(_OTHER_YEAR)
    raise ValueError(_OTHER)


def _of_digits(text: str) -> datetime | int:
    """A time of digits only: epoch ms, or a date without signs, which 8, 12 and 14 digits are."""
    if len(text) in (8, 12, 14):
        at = _compact(text)
        if at is not None:
            return at
        if len(text) != 12:
            raise ValueError(_OTHER)
    if len(text) > 15:
        raise ValueError(f"a time in epoch milliseconds has 13 digits, and this has {len(text)}")
    return int(text)


def _compact(text: str) -> datetime | None:
    """The time of 8, 12 or 14 digits (year, month, day, hours, minutes, seconds); None when they are none."""
    if text[:2] not in ("19", "20"):
        return None
    year, month, day, hour, minute, second = text[:4], *(text[at : at + 2] or "0" for at in range(4, 14, 2))
    try:
        return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        return None


def _of_parts(parts: Mapping[str, str | None]) -> datetime:
    year = int(parts["year"] or 0)
    if "one" in parts:
        month, day = _month_and_day(int(parts["one"] or 0), int(parts["two"] or 0))
    else:
        month, day = int(parts["month"] or parts["month2"] or 0), int(parts["day"] or parts["day2"] or 0)
    hour = _hour(int(parts["hour"] or 0), (parts["half"] or parts["half2"] or "").replace(".", "").lower())
    minute, second = int(parts["minute"] or parts["minute2"] or 0), int(parts["second"] or parts["second2"] or 0)
    part = int((parts["part"] or "").ljust(6, "0")[:6])
    try:
        at = datetime(year, month, day, tzinfo=_zone(parts["zone"] or ""))
    except ValueError as error:
        raise ValueError(f"this is no date: {error}") from None
    is_end = (hour, minute, second, part) == (24, 0, 0, 0)
    if not (is_end or (hour < 24 and minute < 60 and (second < 60 or (minute == 59 and second == 60)))):
        raise ValueError("this is no time of day")
    return at + timedelta(hours=hour, minutes=minute, seconds=second, microseconds=part)  # 24:00 and leap seconds too


def _month_and_day(one: int, two: int) -> tuple[int, int]:
    """The month and the day of a date that begins with one of them; raises ValueError if either could be meant."""
    if one == two or two > 12:
        return one, two
    if one > 12:
        return two, one
    raise ValueError("it is unclear which is the day and which the month; write the year first: 2024-11-05")


def _hour(hour: int, half: str) -> int:
    if not half:
        return hour
    if not 0 < hour <= 12:
        return hour if half in ("上午", "凌晨", "下午", "晚上") else 99
    if half == "晚上" and hour == 12:
        return 24
    if half in ("下午", "晚上", "pm") or (half == "中午" and hour < 11):
        return hour % 12 + 12
    return hour % 12 if half in ("am", "凌晨") or (half == "上午" and hour < 12) else hour


def _zone(name: str) -> tzinfo:
    """The time zone of an offset or a place; UTC if none is named. Raises ValueError for a place of no zone."""
    if "/" in name:
        try:
            return ZoneInfo(name)
        except (OSError, ValueError, LookupError):
            raise ValueError("this is no time zone; write an offset: 2024-11-05T08:00:00+08:00") from None
    offset = re.fullmatch(r"(?:UTC|GMT)?\s*([+-])(\d{1,2}):?(\d{2})?", name)
    if offset is None:
        return UTC
    ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
    try:
        return timezone(ahead if offset[1] == "+" else -ahead)
    except ValueError:
        raise ValueError("this is no offset of a time zone; one is written +08:00") from None
