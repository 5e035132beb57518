"""Moments: the values of ``--since``, ``--until`` and ``--warm``: times of the city, or how long before now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

import click

from streams.cli import InputError

_LENGTH = re.compile(r"(\d{1,5})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


class Length(click.ParamType):
    """Days, hours or minutes."""

    name = "72h|3d|90m"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The length of time."""
        found = _LENGTH.fullmatch(str(value))
        if found is None:
            self.fail("give days, hours or minutes, for example 3d, 72h or 90m", param, ctx)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


class Moment(click.ParamType):
    """A day, a time, or days, hours or minutes back; `epoch_ms` puts one without an offset into the city's time."""

    name = "2026-11-01|2026-11-01T08:00|12h"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time, without a time zone if none was written."""
        found = _LENGTH.fullmatch(str(value))
        if found is not None:
            return datetime.now(UTC) - timedelta(**{_UNITS[found[2]]: int(found[1])})
        try:
            return datetime.fromisoformat(str(value))
        except ValueError:
            self.fail("give a time, for example 2026-11-01T08:00, or how long ago, for example 12h", param, ctx)


def epoch_ms(moment: datetime, city: tzinfo) -> int:
    """A moment in epoch milliseconds; one without a time zone is the city's.

    >>> from zoneinfo import ZoneInfo
    >>> epoch_ms(datetime(2026, 11, 1), ZoneInfo("Asia/Shanghai"))
    1793462400000
    """
    return int(moment.replace(tzinfo=moment.tzinfo or city).timestamp() * 1000)


class Times(NamedTuple):
    """The times that a replay of past records was asked for."""

    since: datetime | None
    until: datetime | None
    warm: timedelta
    """How long before ``since`` it begins."""

    @property
    def warm_ms(self) -> int:
        """The same in milliseconds."""
        return int(self.warm.total_seconds() * 1000)


def span_of(since: datetime, until: datetime | None, city: tzinfo) -> tuple[int, int]:
    """A span of time up to a moment or to now (epoch ms); raises `InputError` when it ends before it begins."""
    begin, end = epoch_ms(since, city), epoch_ms(until or datetime.now(UTC), city)
    if begin >= end:
        raise InputError(f"--since {since} is not before {f'--until {until}' if until else 'now'}")
    return begin, end
