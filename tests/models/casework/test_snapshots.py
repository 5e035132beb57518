"""Snapshots: records of the first format are read as the cases that they would be now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from models.base.durations import MINUTE
from models.casework.cases import Case, Feedback, Missed, encode
from models.casework.snapshots import decode
from tests.casework import HOME, SCHEMA, T0, Desk, feedback

SAMPLES = Path(__file__).parents[2] / "formats"
FIRST = [line.encode() for line in (SAMPLES / "dispatch-1.jsonl").read_text(encoding="utf-8").splitlines()]
"""Written by the last dispatcher of the first format; three are the examples of its contract."""


def found(number: int) -> Case:
    """One of the samples after the examples, as it is read."""
    return decode(FIRST[3 + number])


def places(case: Case) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The units that have the case, and those that had it."""
    return case.unit, case.above, case.had


@pytest.mark.parametrize("sample", FIRST)
def test_a_snapshot_of_the_first_format_is_written_anew_in_that_of_now(sample: bytes) -> None:
    case = decode(sample)

    SCHEMA.validate(json.loads(encode(case)))
    assert (case.format, case.rule) == (2, 1)
    assert decode(encode(case)) == case


def test_an_order_that_went_up_is_the_nearest_stations_again_and_theirs_above() -> None:
    assert places(found(0)) == (HOME, ("sb-02",), ())
    assert places(found(1)) == (HOME, ("sb-02", "centre"), ())
    assert places(found(2)) == (HOME, ("sb-02", "centre"), ())
    assert [found(number).tier for number in range(3)] == ["sub-bureau", "city", "city"]


def test_a_deadline_that_ran_out_long_ago_is_overdue_again() -> None:
    """In the first format it stood in the history alone, and the case sank to the end of the list."""
    visit = Missed("visit", T0 + 30 * MINUTE)
    assert found(1).missed == (Missed("acknowledge", T0 + 2 * MINUTE), Missed("call", T0 + 5 * MINUTE), visit)
    assert found(2).missed == ()


def test_an_order_that_somebody_took_back_or_passed_on_stays_where_it_is() -> None:
    assert places(found(3)) == (HOME, (), ("sb-02",))
    assert places(found(4)) == ("ps-0401", (), (HOME, "sb-02"))


def test_a_case_that_is_over_stays_as_it_was() -> None:
    case = found(5)

    assert places(case) == ("sb-02", (), (HOME,))
    assert (case.outcome, case.missed, case.follow_ups) == ("dissuaded", (), ())


def test_feedback_of_the_first_format_keeps_its_meaning_for_a_case_of_then() -> None:
    """A dispatcher of this version may find records that one of before had not read yet."""
    lines = (SAMPLES / "dispatch-feedback-1.jsonl").read_text(encoding="utf-8").splitlines()
    said: list[Any] = [msgspec.json.decode(line, type=Feedback) for line in lines[1:3]]
    desk = Desk()
    desk.board.put(decode(FIRST[1]))
    for each in said:
        desk.feedback(each)
    case = desk.board.cases[said[0].case]

    assert [(each.rule, each.answered) for each in said] == [(1, None)] * 2
    assert (case.status, case.outcome, case.follow_ups[0] - said[1].at) == ("closed", "dissuaded", 24 * 60 * MINUTE)


def test_a_case_of_the_first_format_goes_on_by_the_rules_of_now() -> None:
    desk = Desk()
    desk.board.put(found(0))
    desk.wait(T0 + 4 * MINUTE)
    desk.feedback(feedback("acknowledged", T0 + 5 * MINUTE - 1))

    assert places(desk.case()) == (HOME, ("sb-02", "centre"), ())
    assert desk.case().missed == ()
