"""City days: the days of reminders, which begin at the city's midnight."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

_FIRST: Final = date(1970, 1, 1)


def day_in(zone: ZoneInfo) -> Callable[[int], int]:
    """Numbers the days of a time zone from 1970 on; the function takes a moment in epoch milliseconds.

    >>> day_in(ZoneInfo("Asia/Shanghai"))(1_760_025_600_000), day_in(ZoneInfo("UTC"))(1_760_025_600_000)
    (20371, 20370)
    """

    def day_of(at: int) -> int:
        return (datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).date() - _FIRST).days

    return day_of
