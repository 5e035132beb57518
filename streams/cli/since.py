"""The value of ``--since``: how far to look back, as days, hours or a date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_SPAN = re.compile(r"(\d{1,5})([dh])")


class Since(click.ParamType):
    """Days or hours back, or a date."""

    name = "30d|12h|2026-11-01"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The start time in UTC."""
        if isinstance(value, datetime):
            return value
        span = _SPAN.fullmatch(str(value))
        if span is not None:
            unit = "days" if span[2] == "d" else "hours"
            return datetime.now(UTC) - timedelta(**{unit: int(span[1])})
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail("give days or hours back, for example 30d or 12h, or a date, for example 2026-11-01", param, ctx)
        return moment.replace(tzinfo=moment.tzinfo or UTC)
