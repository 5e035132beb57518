"""Number ranges: a range becomes the prefixes that cover exactly it, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.indicators.number_ranges import MOST, parts


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("10000000000-10000009999", ["861000000*"]),
        ("100 0000 0000 – 100 0002 9999", ["861000000*", "861000001*", "861000002*"]),
        ("+999 00 123456 至 +999 00 123457", ["99900123456", "99900123457"]),
        ("99900123400~99900123499", ["999001234*"]),
        ("1064899000到1064899999", ["1064899*"]),
    ],
)
def test_a_range_of_whole_numbers_becomes_prefixes(written: str, found: list[str]) -> None:
    """However the range is written; a single number stays one."""
    assert parts(written, "CN") == found


@pytest.mark.parametrize(
    "written",
    [
        "95000-95099",  # short codes may be the beginning of longer numbers
        "1700000-1709999",  # these are no whole numbers
        "10000009999-10000000000",
        "10000000001-10000009998",  # too many prefixes
        "10000000000-100000000000",
        "2026-11-05",
        "+86 100-0000-0001",
        "evil.example-bad.example",
        "-" * 200,
    ],
)
def test_what_is_no_plain_range_becomes_nothing(written: str) -> None:
    assert parts(written, "CN") == []


@given(st.integers(99_900_100_000, 99_900_199_999), st.integers(1, 30_000))
def test_the_parts_cover_the_range_and_nothing_else(first: int, more: int) -> None:
    found = parts(f"+{first} - +{first + more}", "CN")

    assert len(found) <= MOST
    covered = sum(10 ** (12 - len(part)) if part.endswith("*") else 1 for part in found)
    assert covered in (0, more + 1)
    assert all(str(first) <= part.rstrip("*").ljust(11, "0") <= str(first + more) for part in found)
