"""Unusual use: many reveals or look-ups of one user are a metric and a line of the audit log, and hinder nobody."""

from __future__ import annotations

from pathlib import Path

from models.base.durations import HOUR, MINUTE
from streams import metrics
from streams.audit.pace import USUAL, Pace
from streams.settings import Settings
from tests.casework import T0
from tests.consoles import Backroom


def test_the_first_beyond_the_usual_is_told_and_then_none_until_it_is_usual_again() -> None:
    pace = Pace({"look-up": 3})
    told = [pace.is_unusual("li", "look-up", T0 + number * MINUTE) for number in range(6)]
    assert told == [False, False, False, True, False, False]

    assert not pace.is_unusual("li", "look-up", T0 + 3 * HOUR)
    assert [pace.is_unusual("li", "look-up", T0 + 3 * HOUR + 1) for _ in range(3)] == [False, False, True]


def test_users_and_actions_are_counted_apart_and_others_not_at_all() -> None:
    pace = Pace({"look-up": 1, "shown-case": 1})

    assert not any(pace.is_unusual(who, did, T0) for who in ("li", "wang") for did in ("look-up", "shown-case"))
    assert not any(pace.is_unusual("li", "sign-in", T0) for _ in range(9))


async def test_many_numbers_shown_to_one_user_are_a_metric_and_a_line(tmp_path: Path) -> None:
    """The metric says which action it was, and not who."""
    room = Backroom(Settings(redis="redis://127.0.0.1:1/0"), tmp_path)
    room.console.pace = Pace({"shown-number": 2})
    room.alert()
    before = metrics.UNUSUAL_USE.labels("shown-number")._value.get()
    async with room.coming("li") as client:
        answers = [await client.get("/api/v1/cases/e1?show=number") for _ in range(4)]

    assert {answer.status_code for answer in answers} == {200}
    assert metrics.UNUSUAL_USE.labels("shown-number")._value.get() == before + 1
    (line,) = [line for line in room.noted() if line["did"] == "unusual-use"]
    assert (line["who"], line["case"], line["details"]) == ("li", "e1", {"did": "shown-number", "minutes": 60})


async def test_who_tries_many_cases_of_others_is_noticed(tmp_path: Path) -> None:
    """Ids cannot be guessed, but somebody may have read them elsewhere."""
    room = Backroom(Settings(redis="redis://127.0.0.1:1/0"), tmp_path)
    room.alert()
    async with room.coming("li") as client:
        answers = [await client.get(f"/api/v1/cases/other-{number}") for number in range(USUAL["case-refused"] + 2)]

    assert {answer.status_code for answer in answers} == {404}
    (line,) = [line for line in room.noted() if line["did"] == "unusual-use"]
    assert (line["who"], line["details"]["did"]) == ("li", "case-refused")
