"""Bulletins at the edge: weeks of the city, what is known, the sheet, and what the command says to bad input."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from models.base.durations import DAY
from models.casework.bulletin import Bulletin, BulletinError
from models.casework.playbooks import Language
from models.casework.reached import Reached
from streams.cli import cli
from streams.console.bulletin_sheet import Sheet, sheet, standalone
from streams.dispatch.bulletins import Calendar, calendar, compose
from streams.dispatch.weeks import Week, WeekError, edges, last_whole, parse
from streams.files.playbook_files import read_playbooks
from streams.settings import Settings
from tests.casework import OFFICE
from tests.city_day import NOW
from tests.city_weeks import WEEK, ZONE, six_weeks

BOOKS: Final = read_playbooks()
PEOPLE: Final = six_weeks()


def city(now: int = NOW, **rules: Any) -> Calendar:
    """The calendar of the made-up city."""
    return calendar(Settings(), replace(OFFICE.rules, **rules), now)


def composed(unit: str, week: Week = WEEK, now: int = NOW) -> Bulletin:
    """A bulletin of the made-up weeks."""
    return compose(city(now), OFFICE.stations, unit, week, PEOPLE)


def shown(unit: str, language: Language = "en") -> Sheet:
    """The sheet of such a bulletin."""
    return sheet(composed(unit), OFFICE.stations, BOOKS, ZONE, language)


@pytest.mark.parametrize(
    "text", ["", "2026-11", "2026-W0", "2026-W00", "2026-W54", "2025-W53", "W11", "2026-W११", "0001-W01"]
)
def test_what_is_no_week_is_refused(text: str) -> None:
    with pytest.raises(WeekError, match=r"is no week|has no week 53"):
        parse(text)


def test_a_year_may_have_53_weeks_and_begin_in_december() -> None:
    assert parse(" 2026-w53 ").before() == Week(2026, 52)
    assert parse("2026-W01").before() == Week(2025, 52)
    assert str(Week(2026, 1).monday) == "2025-12-29"


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_weeks_begin_at_midnight_of_monday_in_the_city_also_when_clocks_change(zone: str) -> None:
    local = ZoneInfo(zone)
    begins = edges(Week(2026, 47), local)
    moments = [datetime.fromtimestamp(at / 1000, local) for at in begins]

    assert {(moment.isoweekday(), moment.hour, moment.minute) for moment in moments} == {(1, 0, 0)}
    assert str(moments[-2].date()) == "2026-11-16"
    assert (last_whole(begins[-1] - 1, local), last_whole(begins[-1], local)) == (Week(2026, 46), Week(2026, 47))


def test_a_week_is_refused_that_is_not_over_or_no_longer_kept() -> None:
    """Alerts are kept 30 days by topics.yaml, cases as the policy says; the shorter of the two decides."""
    assert [str(week) for week in city().weeks] == ["2026-W47", "2026-W46", "2026-W45"]
    with pytest.raises(WeekError, match="2026-W48 is not over yet: the last whole week is 2026-W47"):
        city().check(Week(2026, 48))
    with pytest.raises(WeekError, match="2026-W44 are no longer kept: the oldest whole week is 2026-W45"):
        city().check(Week(2026, 44))
    with pytest.raises(WeekError, match="2026-W47 are no longer kept: no whole week is known"):
        city(kept_days=10.0).check(Week(2026, 47))


def test_a_week_without_anybody_is_refused_with_the_newest_that_has_some() -> None:
    with pytest.raises(
        BulletinError, match="no order or reminder of the week 2026-W48; the newest before is of 2026-W47"
    ):
        composed("centre", Week(2026, 48), NOW + 7 * DAY)


def test_the_sheet_says_what_is_new_what_spreads_and_what_volunteers_should_say() -> None:
    found = shown("sb-02")

    assert found.period == "Week 47 of 2026 (16 November to 22 November)"
    assert found.headline == (
        "Most common: impersonated customer service.",
        "New: fake insurance notice.",
        "Spreading: task rebate.",
    )
    assert [each.scam for each in found.advice] == ["fake insurance notice", "task rebate"]
    assert found.advice[0].never == tuple(text.en for text in BOOKS["insurance-sms"].never)
    assert [each.name for each in found.ages][:2] == ["20-29", "30-39"]


def test_a_sheet_about_more_than_was_asked_for_says_so() -> None:
    station = [each for each in PEOPLE if each.unit != "ps-0201"]
    found = compose(city(), OFFICE.stations, "ps-0201", WEEK, station)

    assert sheet(found, OFFICE.stations, BOOKS, ZONE, "en").wider == (
        "West station 1 had too few people. This is West sub-bureau."
    )
    assert sheet(found, OFFICE.stations, BOOKS, ZONE, "zh").wider == "城西第一派出所人数太少，以下为城西分局的情况。"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_file_loads_nothing_and_names_nobody(language: Language) -> None:
    file = standalone(shown("ps-0201", language), language)
    text = unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", file, flags=re.DOTALL))

    assert not re.search(r"https?:|//|<script|<link|<img|url\(|@import", file)
    assert not re.search(r"\d{6}", text.replace(",", ""))
    assert "{" not in text


def test_a_scam_type_of_a_sites_own_cannot_break_the_page() -> None:
    odd = [Reached(str(number), NOW - 7 * DAY, "ps-0101", "<b>&", True, age_band="<i>") for number in range(9)]
    file = standalone(
        sheet(compose(city(), OFFICE.stations, "ps-0101", WEEK, odd), OFFICE.stations, BOOKS, ZONE, "en"), "en"
    )

    assert "&lt;b&gt;&amp;" in file
    assert not re.search(r"<b>&|<i>", file)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--unit", "ps-9999"], "there is no unit 'ps-9999'"),
        (["--unit", "ps-0102x"], "did you mean ps-0102?"),
        (["--unit", "centre", "--week", "2026-W99"], "'2026-W99' is no week"),
        (["--unit", "centre", "--week", "9998-W01"], "the week 9998-W01 is not over yet"),
        (["--unit", "centre", "--week", "2020-W01"], "the week 2020-W01 are no longer kept"),
    ],
)
def test_bad_input_is_refused_in_one_sentence_before_kafka_is_asked(options: list[str], said: str) -> None:
    result = CliRunner().invoke(cli, ["bulletin", *options], env={"FOREWARN_KAFKA": "127.0.0.1:1"})

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_kafka_that_is_away_is_named() -> None:
    result = CliRunner().invoke(cli, ["bulletin", "--unit", "centre"], env={"FOREWARN_KAFKA": "127.0.0.1:1"})

    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "Kafka at 127.0.0.1:1 cannot be read" in result.stderr
