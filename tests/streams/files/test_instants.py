"""Times as people, spreadsheets and programs write them: each is read as a person would read it, or refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.files.instants import instant

HOUR = 3_600_000
NOVEMBER = 1_730_764_800_000  # 5 November 2024, 00:00 UTC


@pytest.mark.parametrize(
    ("written", "at"),
    [
        (0, 0),
        ("0", 0),
        ("1730764800000", NOVEMBER),
        ("20241105", NOVEMBER),
        ("2024-11-05", NOVEMBER),
        ("2024/11/5", NOVEMBER),
        ("2024/11/5 0:00", NOVEMBER),
        ("2024-11-05 08:00+08:00", NOVEMBER),
        ("2024-11-05T00:00:00Z", NOVEMBER),
        ("2024-11-05T00:00:00.001", NOVEMBER + 1),
        ("2024-11-5", NOVEMBER),
        ("2024.11.5", NOVEMBER),
        ("2024年11月5日", NOVEMBER),
        ("2024年11月05日 00时00分", NOVEMBER),
        ("2024/11/5 上午8:00", NOVEMBER + 8 * HOUR),
        ("2024/11/5 下午8:00:01", NOVEMBER + 20 * HOUR + 1000),
        ("2024-11-05 12:30 AM", NOVEMBER + HOUR // 2),
        ("2024-11-04T24:00:00", NOVEMBER),
        ("2024-11-04T23:59:60Z", NOVEMBER),
        ("20241105000000", NOVEMBER),
        (20241105000000, NOVEMBER),
        ("202411050000", NOVEMBER),
        ("45601", NOVEMBER),
        ("45601.5", NOVEMBER + 12 * HOUR),
        ("25/12/2024", NOVEMBER + 50 * 24 * HOUR),
        ("12/25/2024", NOVEMBER + 50 * 24 * HOUR),
        ("2024-11-05 08:00:00.000 +0800", NOVEMBER),
        ("2024-11-05 08:00 UTC+8", NOVEMBER),
        ("2024-11-05T08:00:00 Asia/Shanghai", NOVEMBER),
        ("2024-11-05T08:00:00[Asia/Shanghai]", NOVEMBER),
        ("Tue Nov  5 00:00:00 2024", NOVEMBER),
        ("Tue, 05 Nov 2024 08:00:00 +0800", NOVEMBER),
        ("5 Nov 2024", NOVEMBER),
    ],
)
def test_a_time_is_read_as_people_write_it(written: int | str, at: int) -> None:
    """UTC unless the text names another zone, to the millisecond."""
    assert instant(written) == at


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("yesterday", "a time is written"),
        ("", "a time is written"),
        ("01/03/2026", "which is the day"),
        ("113/03/01", "the year of this date is not clear"),
        ("26-03-01", "the year of this date is not clear"),
        ("2569-03-01", "the year of this date is not clear"),
        ("2026-13-01", "no date"),
        ("2026-02-29", "no date"),
        ("2026-03-01 25:00", "no time of day"),
        ("2026-03-01 12:00:61", "no time of day"),
        ("2026-03-01 08:00 CST", "a time is written"),
        ("2026-03-01 08:00 Asia/Nowhere", "no time zone"),
        ("20261301080000", "a time is written"),
        ("20260301080000000", "13 digits"),
        ("1772323200000000", "13 digits"),
        ("1" * 80, "a time is written"),
    ],
)
def test_a_time_that_is_not_clear_is_refused(written: str, why: str) -> None:
    """Never a guess, and never another century."""
    with pytest.raises(ValueError, match=why):
        instant(written)


@given(
    st.datetimes(datetime(1973, 4, 1), datetime(2099, 12, 31)),
    st.sampled_from(["%Y%m%d%H%M%S", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日 %H:%M:%S", "%Y.%m.%dT%H:%M:%SZ", "%c"]),
)
def test_a_time_comes_back_whatever_its_form(at: datetime, form: str) -> None:
    at = at.replace(microsecond=0, tzinfo=UTC)

    assert instant(at.strftime(form)) == at.timestamp() * 1000


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_value_error(written: str) -> None:
    """Also for years that no calendar has."""
    at: object = 0
    with suppress(ValueError):
        at = instant(written)

    assert isinstance(at, int)


@pytest.mark.parametrize("written", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"])
def test_a_time_at_the_end_of_the_calendar_raises_nothing_else(written: str) -> None:
    """The check of an indicator decides whether its time is in range."""
    with suppress(ValueError):
        assert instant(written) != 0
