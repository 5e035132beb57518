"""Masking: how many numbers share a mask, so that a masked number cannot be found by trying."""

from __future__ import annotations

from collections import Counter

import pytest

from streams.console.masking import masked

BLOCK = 10_000
"""Numbers that a carrier gets at a time: all that begin with the same seven digits of a national number."""


@pytest.mark.parametrize("block", ["861000000", "8610000", "99912345"])
def test_a_hundred_numbers_of_every_block_share_a_mask(block: str) -> None:
    """So a city with n numbers in use has n / 100 behind each mask, 10,000 in a city of a million."""
    shared = Counter(masked(f"{block}{number:04}") for number in range(BLOCK))

    assert set(shared.values()) == {BLOCK // 100}


def test_a_mask_tells_neither_the_block_nor_the_length_of_a_number() -> None:
    """A carrier's range would leave a handful of numbers, and a landline stands out among mobiles by its length."""
    assert masked("8610000000001") == masked("8610099990001") == masked("861000000001") == masked("99912345601")


@pytest.mark.parametrize("number", ["8610000000001", "8610099999999", "99900123456", "10001"])
def test_a_mask_hides_all_but_two_digits(number: str) -> None:
    """Whatever the length of the number."""
    assert masked(number).replace("*", "") == number[-2:]
