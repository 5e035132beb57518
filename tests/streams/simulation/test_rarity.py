"""Rarity: how a city with all its gangs is read as one with few of them."""

from __future__ import annotations

import math

import pytest

from bench.quality.rarity import alerts_a_day, precision
from bench.quality.verdict import Verdict
from models.comparison.intervals import wilson

CITY = Verdict(alerts=130, right=101, of_gangs=120, right_of_gangs=100, person_days=100_000)
"""Ten alerts rest on harmless numbers alone; one of those people was being defrauded by somebody else."""


def test_alerts_about_gangs_count_with_the_share_of_gangs_and_harmless_ones_fully() -> None:
    assert precision(CITY, 1.0).share == pytest.approx(100 / 130)
    assert precision(CITY, 0.1).share == pytest.approx(10 / 22)
    assert (alerts_a_day(CITY, 1.0), alerts_a_day(CITY, 0.1)) == (130.0, 22.0)


def test_intervals_hold_the_figure_and_are_narrower_where_more_was_counted() -> None:
    ten = Verdict()
    for _ in range(10):
        ten += CITY

    for share in (0.01, 0.1, 1.0):
        little, much = precision(CITY, share), precision(ten, share)
        assert little.low < much.low < much.share < much.high < little.high
    assert wilson(80, 100).high - wilson(80, 100).low < wilson(8, 10).high - wilson(8, 10).low


def test_where_nothing_was_counted_there_is_no_figure() -> None:
    assert math.isnan(precision(Verdict(), 0.05).share)
    assert math.isnan(wilson(0, 0).low)
