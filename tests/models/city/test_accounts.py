"""Accounts: how a gang moves what its victims pay."""

from __future__ import annotations

from itertools import groupby

from models.city.accounts import BEHIND, PAYMENTS, Accounts


def test_a_gang_has_a_few_payments_made_to_an_account_and_keeps_those_behind_it() -> None:
    """The same seed and gang give the same accounts, and another gang has others."""
    accounts = Accounts(7, "loan-0-0")
    ways = [accounts.way() for _ in range(200)]
    runs = [len([*run]) for _, run in groupby(way[0] for way in ways)]
    levels = [{way[level] for way in ways if len(way) > level} for level in range(3)]

    assert (min(runs), max(runs)) == PAYMENTS
    assert [len(level) for level in levels[1:]] == [BEHIND, 1]
    assert len(levels[0]) == len(runs)
    assert {len(way) for way in ways} == {1, 2, 3}
    assert Accounts(7, "loan-0-0").way() == ways[0]
    assert not levels[0] & {way[0] for way in (Accounts(7, "loan-0-1").way(), Accounts(8, "loan-0-0").way())}


def test_no_bank_gives_these_numbers() -> None:
    numbers = [number for _ in range(3) for number in Accounts(7, "loan-0-0").way()]

    assert all(number.startswith("000") and len(number) == 16 and number.isdigit() for number in numbers)
