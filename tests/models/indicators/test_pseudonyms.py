"""Pseudonyms: other numbers that match as the numbers did, and lead to nobody without the key."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.events.numbering import Numbering
from models.indicators.pseudonyms import KEPT, Pseudonyms

NAMES = Pseudonyms(b"the key of these tests")
CHINA = Numbering()
NUMBERS = st.from_regex(r"861[03-9][0-9]{9}|8610[2-8][0-9]{7}|86755[2-8][0-9]{7}|999001[0-9]{5,7}", fullmatch=True)


@settings(max_examples=40)
@given(NUMBERS, NUMBERS)
def test_equal_numbers_and_only_they_have_one_pseudonym(one: str, other: str) -> None:
    assert (NAMES.number(one) == NAMES.number(other)) is (one == other)


@settings(max_examples=40)
@given(NUMBERS, st.integers(1, 13))
def test_a_prefix_stays_a_prefix(number: str, size: int) -> None:
    assert NAMES.number(number).startswith(NAMES.prefix(number[:size]))
    assert NAMES.number(number)[:KEPT] == number[:KEPT]


@settings(max_examples=40)
@given(NUMBERS)
def test_a_pseudonym_is_in_normal_form_if_the_number_is(number: str) -> None:
    assert CHINA.is_normal(NAMES.number(number)) is CHINA.is_normal(number)


@pytest.mark.parametrize("number", ["110", "95588", "10086", "12345"])
def test_a_hotline_stays_one(number: str) -> None:
    assert NAMES.number(number) == number


def test_another_key_gives_other_pseudonyms() -> None:
    other = Pseudonyms(b"another key of these tests")

    assert NAMES.number("8610000000001") != other.number("8610000000001")
    assert NAMES.name("c1") != other.name("c1")
    assert NAMES.fingerprint != other.fingerprint
