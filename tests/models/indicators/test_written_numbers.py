"""Written numbers: digits in groups are joined only where the groups are those of one number."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.indicators.numbers import normalise, normalise_prefix

SEPARATORS = st.sampled_from([" ", "-", ".", "  ", "\u00a0", "–", " - ", "\t"])


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("100-0000-0001", "8610000000001"),
        ("100 00000001", "8610000000001"),
        ("100.0000.0001", "8610000000001"),
        ("[100] 0000 0001", "8610000000001"),
        ("86 100 0000 0001", "8610000000001"),
        ("+86(755)2222-0000", "8675522220000"),
        ("755-2222-0000", "8675522220000"),
        ("755-22220000", "8675522220000"),
        ("(0755) 2222 0000", "8675522220000"),
        ("10-6288-0000", "861062880000"),  # joined without its 0, it would be an SMS port
        ("17951 10000000001", "8610000000001"),
        ("400 8123 123", "864008123123"),
        ("1069 0000 00001", "1069000000001"),
        ("1 650 555 0100", "16505550100"),  # joined, it would be a Chinese handset
        ("999 00 123456", "99900123456"),
        ("+33 1 23 45 67 89", "33123456789"),
        ("+46 8 123 456 78", "46812345678"),
        ("+447700 900123", "447700900123"),
        ("+91 98765 43210", "919876543210"),
        ("201012311230", "201012311230"),  # a handset of Egypt, and not New Year's Eve
    ],
)
def test_the_groups_of_one_number_are_joined(written: str, number: str) -> None:
    """As people write numbers at home and abroad."""
    assert normalise(written) == number


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("99900123456 2", "beside"),
        ("10000000001 12", "beside"),
        ("10000000001\t12", "beside"),
        ("+86 100 0000 0001 5", "beside"),
        ("+86 100 0000 0001 12", "beside"),
        ("+86 100 0000 0001 801", "beside"),
        ("+1 650 555 0100 123", "beside"),
        ("+999 00 123456 12", "beside"),
        ("+999 00 123456 123", "beside"),  # nobody knows how long the numbers of this country are
        ("999 00 123456 123", "beside"),
        ("0755-22220000-801", "beside"),
        ("0755-2222-0000-801", "beside"),
        ("010-6288-0000-123", "beside"),
        ("0755 12345 67", "beside"),
        ("99900123456 (2)", "beside"),
        ("+86 100 0000 0001 (123)", "brackets"),
        ("1000000 1000001", "beside"),
        ("1000000 1234", "beside"),
        ("5 10000000003", "unclear"),
        ("(5) 10000000003", "unclear"),
        ("3 4008123123", "unclear"),
        ("7 075522220000", "unclear"),
        ("12 95000", "unclear"),
        ("95000 123", "unclear"),
        ("21 22220000", "unclear"),  # Shanghai without its 0, or 21 times a local number
        ("20 0755 22220000", "unclear"),
        ("110 119 120", "unclear"),
        ("10086 955880", "unclear"),
        ("110-119", "unclear"),
        ("86 100 000 000", "beside"),
        ("95000-95099", "range"),
        ("1700000-1709999", "range"),
        ("10000000000-10000009999", "range"),
        ("2026-11-05", "date"),
        ("2026 11 05 0800", "date"),
        ("01-05-2026 08 00", "date"),
        ("19991231", "date"),
        ("20261105080000", "date"),
        ("202611050800", "date"),
        ("86.123.456.789", "quantity"),
        ("1.234.567.890", "quantity"),
        ("1,234,567,890", "more than one"),
        ("99900123456.50", "beside"),
        ("95%", "has no '%'"),
        ("10000000001①", "has no"),
        ("10000000001¹", "has no"),
        ("10000000001~10000000005", "more than one"),
        ("192.0.2.7", "beside"),
    ],
)
def test_what_could_be_two_things_makes_no_number(written: str, why: str) -> None:
    """Counts, extensions, ranges, dates, quantities and second numbers stand beside many numbers of real lists."""
    with pytest.raises(ValueError, match=re.escape(why)) as caught:
        normalise(written)

    assert re.search(r"\d{7}", str(caught.value)) is None


@example(13_000_000_000, " ", 1060, True)
@given(st.integers(13_000_000_000, 19_999_999_999), SEPARATORS, st.integers(0, 99_999_999_999), st.booleans())
def test_no_digits_beside_a_handset_are_joined_to_it(handset: int, between: str, other: int, first: bool) -> None:
    """Whatever stands beside a whole number, the result is never another number.

    Only a country code, a trunk prefix and a carrier's code can stand before it.
    """
    parts = [str(other), str(handset)] if first else [str(handset), str(other)]
    try:
        number = normalise(between.join(parts))
    except ValueError:
        return

    assert number == f"86{handset}"
    assert other in (0, 86, 10193, 12593, 17901, 17909, 17911, 17951)


def test_a_number_of_ten_digits_is_north_american_in_north_america() -> None:
    """Whether or not anybody could own it; read as an international number it would be somebody else's."""
    assert normalise("2005550100", "US") == normalise("(200) 555-0100", "US") == "12005550100"
    assert normalise("+20 05550100", "US") != normalise("2005550100", "US")


@pytest.mark.parametrize("written", ["5 99900*", "999 00123 5*", "12 861700*"])
def test_a_prefix_with_something_beside_it_is_none(written: str) -> None:
    with pytest.raises(ValueError, match="unclear"):
        normalise_prefix(written)
