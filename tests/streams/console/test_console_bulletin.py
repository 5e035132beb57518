"""The page of the bulletins: whose a user may read, and what it says when there is none."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import httpx
import pytest

from streams.console.app import make_app
from streams.console.bulletins import READ_AGAIN
from streams.console.pages import PAGES
from streams.settings import Settings
from tests.city_day import NOW, a_day
from tests.city_weeks import six_weeks
from tests.consoles import Backroom


@pytest.fixture
def room(tmp_path: Path) -> Backroom:
    """A console with its pages, the cases of a day, and the people of the weeks before."""
    made = Backroom(Settings(redis="redis://127.0.0.1:1/0"), tmp_path)
    made.app = make_app(made.console, PAGES)
    made.now = made.view.as_of = NOW
    made.view.begin(a_day().values())
    made.reached = six_weeks()
    return made


async def get(room: Backroom, who: str, **asked: str) -> httpx.Response:
    """Open the page as this user, in English."""
    async with room.coming(who) as client:
        client.cookies.set("language", "en")
        return await client.get("/bulletin", params=asked)


def offered(answer: httpx.Response) -> set[str]:
    """The units and weeks that the page offers."""
    return set(re.findall(r'<option value="([^"]+)"', answer.text))


@pytest.mark.parametrize(
    ("who", "own", "status", "elsewhere"),
    [
        ("wang", "East station 1", 200, 404),
        ("sun", "East sub-bureau", 200, 404),
        ("chen", "City anti-fraud centre", 200, 200),
        ("qian", "City anti-fraud centre", 200, 200),
        ("zhao", "", 403, 403),
        ("wu", "", 403, 403),
    ],
)
async def test_a_station_reads_its_own_bulletin_and_the_centre_all(
    room: Backroom, who: str, own: str, status: int, elsewhere: int
) -> None:
    mine, other = await get(room, who), await get(room, who, unit="ps-0205", week="2026-W46")

    assert (mine.status_code, other.status_code) == (status, elsewhere)
    assert f"<h1>{own}</h1>" in mine.text or not own
    assert ("<h1>West station 5</h1>" in other.text) is (elsewhere == 200)


async def test_the_units_that_are_offered_are_those_that_one_may_read(room: Backroom) -> None:
    assert offered(await get(room, "wang")) == {"ps-0101"}
    assert offered(await get(room, "sun")) == {"sb-01", *(f"ps-010{number}" for number in range(1, 7))}
    assert {"centre", "sb-02", "ps-0205"} <= offered(await get(room, "qian"))


@pytest.mark.parametrize(
    ("week", "said"),
    [
        ("2026-W48", "it is not over yet, or no longer kept"),
        ("2026-W99", "it is not over yet, or no longer kept"),
        ("", "West station 5"),
    ],
)
async def test_a_week_without_a_bulletin_is_said_in_words(room: Backroom, week: str, said: str) -> None:
    answer = await get(room, "li", week=week)

    assert answer.status_code == 200
    assert said in unescape(answer.text)


async def test_a_kafka_that_is_away_is_said_and_asked_again_the_next_time(room: Backroom) -> None:
    known, room.reached = room.reached, None
    away = await get(room, "chen")
    assert (away.status_code, "<article" in away.text) == (503, False)

    room.reached = known
    assert "<article" in (await get(room, "chen")).text


async def test_reminders_are_read_again_after_some_minutes(room: Backroom) -> None:
    await get(room, "chen")
    room.reached = []
    room.now += READ_AGAIN - 1
    assert "<article" in (await get(room, "chen")).text

    room.now += 1
    assert "Too few people" in (await get(room, "chen")).text
