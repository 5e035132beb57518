"""Times as officers read them: by the city's clock, or as the time left; all moments are epoch milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from models.base.durations import DAY, MINUTE
from models.casework.playbooks import Language
from streams.console.words import said

LOCAL_TIME: Final = timezone(timedelta(hours=8))
"""All of China has one time zone."""


def local(at: int) -> datetime:
    """A moment by the city's clock."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(LOCAL_TIME)


def midnight(now: int) -> int:
    """The beginning of a moment's day."""
    return int(local(now).replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def iso(at: int) -> str:
    """A moment for the ``datetime`` attribute of an HTML element.

    >>> iso(1_760_000_000_000)
    '2025-10-09T16:53:20+08:00'
    """
    return local(at).isoformat(timespec="seconds")


def clock(at: int, now: int, language: Language, seconds: bool = False) -> str:
    """A moment in the past or future, as short as the day allows.

    >>> clock(1_760_000_000_000, 1_760_000_060_000, "en")
    '16:53'
    >>> clock(1_760_000_000_000, 1_760_070_000_000, "en"), clock(1_760_000_000_000, 1_770_000_000_000, "en", True)
    ('yesterday 16:53', '2025-10-09 16:53:20')
    """
    moment, begun = local(at), midnight(now)
    text = moment.strftime("%H:%M:%S" if seconds else "%H:%M")
    if begun <= at < begun + DAY:
        return text
    if begun - DAY <= at < begun:
        return said("time.yesterday", language, clock=text)
    return f"{moment.strftime('%m-%d' if moment.year == local(now).year else '%Y-%m-%d')} {text}"


def lateness(length: int, language: Language) -> str:
    """How long something is overdue, in its two largest units above seconds; ``console.js`` writes the same.

    >>> [lateness(length, "en") for length in (59_999, 899_000, 7_500_000, 200_000_000)]
    ['overdue 0 min', 'overdue 14 min', 'overdue 2 h 5 min', 'overdue 2 d 7 h']
    >>> lateness(899_000, "zh")
    '超时14分钟'
    """
    minutes = length // MINUTE
    if minutes < 60:
        return said("time.late.minutes", language, m=minutes)
    if minutes < 1440:
        return said("time.late.hours", language, h=minutes // 60, m=minutes % 60)
    return said("time.late.days", language, d=minutes // 1440, h=minutes % 1440 // 60)


def span(length: int, language: Language) -> str:
    """A length of time in its two largest units; ``console.js`` writes the same while it counts down.

    >>> [span(length, "en") for length in (59_999, 3_599_000, 7_500_000, 200_000_000)]
    ['0 min 59 s', '59 min 59 s', '2 h 5 min', '2 d 7 h']
    """
    seconds = length // 1000
    if seconds < 3600:
        return said("time.minutes", language, m=seconds // 60, s=seconds % 60)
    if seconds < 86_400:
        return said("time.hours", language, h=seconds // 3600, m=seconds % 3600 // 60)
    return said("time.days", language, d=seconds // 86_400, h=seconds % 86_400 // 3600)
