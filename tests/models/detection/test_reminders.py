"""Reminders: one a day for each scam type, for people who were contacted and have not reacted yet."""

from __future__ import annotations

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import pytest

from models.base.durations import DAY, HOUR, MINUTE
from models.detection.alerts import Alert
from models.detection.ids import PUBLIC
from models.detection.reminders import Reminder, encode, occasion, reminder
from models.indicators.indicator import SCAM_TYPES
from streams.worker.city_days import day_in
from tests.stories import Story
from tests.strategies import ANN, CROOK, EVIL, T0, end, engine, sms, start

SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "reminders-v1.json").read_text(encoding="utf-8"))


class Reminded(Story):
    """A story that collects the reminders of every step."""

    def __init__(self, **languages: str) -> None:
        deciding = engine()
        deciding.languages = languages
        super().__init__(deciding)
        self.reminders: list[Reminder] = []
        told = deciding.step

        def step(*arguments: object, **more: object) -> object:
            outcome = told(*arguments, **more)  # type: ignore[arg-type]
            self.reminders += outcome.reminders
            return outcome

        deciding.step = step  # type: ignore[method-assign, assignment]


def alerted(at: int, scam_type: str = "loan") -> Alert:
    """A mild alert."""
    return Alert(
        id="a",
        subscriber=ANN,
        episode="e",
        severity="low",
        stage="shallow",
        risk=0.2,
        scam_type=scam_type,
        status="raised",
        reasons=(),
        indicators=(f"number:{CROOK}",),
        first_seen=at,
        at=at,
        policy="p",
        model="m",
    )


def link(event: str, after: int) -> object:
    """An SMS with a known link."""
    return sms(event, after, f"https://{EVIL}/x")


def test_who_got_a_link_is_reminded_once() -> None:
    story = Reminded()
    story.tell(link("m1", 0), link("m2", MINUTE), link("m3", HOUR))  # type: ignore[arg-type]
    (reminder,) = story.reminders
    assert (reminder.subscriber, reminder.at, reminder.language) == (ANN, T0, "zh")
    assert reminder.send_before == reminder.at + DAY
    jsonschema.validate(json.loads(encode(reminder)), SCHEMA)


def test_the_next_day_is_another_reminder_with_another_id() -> None:
    story = Reminded()
    story.tell(link("m1", 0), link("m2", 5 * DAY))  # type: ignore[arg-type]
    assert len({reminder.id for reminder in story.reminders}) == len(story.reminders) == 2


def test_days_begin_at_the_citys_midnight() -> None:
    """In Shanghai, 23:30 and 00:30 are two days, and the hours from 07:30 to 08:30 are one; UTC has it otherwise."""
    late_evening = 1_760_023_800_000  # 2025-10-09 15:30 UTC, 23:30 in Shanghai
    morning = late_evening - 16 * HOUR
    about = {
        (zone, at): occasion(alerted(at), day_in(ZoneInfo(zone)))
        for zone in ("Asia/Shanghai", "UTC")
        for at in (morning, morning + HOUR, late_evening, late_evening + HOUR)
    }

    assert about["Asia/Shanghai", morning] == about["Asia/Shanghai", morning + HOUR]
    assert about["Asia/Shanghai", late_evening] != about["Asia/Shanghai", late_evening + HOUR]
    assert about["UTC", morning] != about["UTC", morning + HOUR]
    assert about["UTC", late_evening] == about["UTC", late_evening + HOUR] == f"loan:{late_evening // DAY}"


@pytest.mark.parametrize("then", [start("c", MINUTE), end("c", MINUTE, 300)])
def test_who_is_on_the_phone_or_has_talked_needs_a_person(then: object) -> None:
    story = Reminded()
    story.tell(then)  # type: ignore[arg-type]
    assert story.reminders == []


def test_a_missed_call_is_a_reminder() -> None:
    story = Reminded()
    story.tell(start("c", 0), end("c", MINUTE, 0))
    assert len(story.reminders) == 1


def test_who_reads_no_chinese_is_written_to_in_english() -> None:
    story = Reminded(**{ANN: "en-GB"})
    story.tell(link("m1", 0))  # type: ignore[arg-type]
    (reminder,) = story.reminders
    assert reminder.language == "en"
    assert reminder.text.isascii()


@pytest.mark.parametrize("scam_type", [*SCAM_TYPES, "something-new"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_scam_type_has_words_that_fit(scam_type: str, language: str) -> None:
    alert = alerted(T0, scam_type)
    text = reminder(alert, "about", language, T0, PUBLIC).text
    assert "96110" in text
    assert len(text) <= (70 if language == "zh" else 306)  # one part of an SMS in UCS-2, two in GSM's 7 bits
    assert CROOK not in text


@pytest.mark.parametrize(
    ("language", "written"), [("yue", "zh"), ("ug-CN", "zh"), ("bo", "zh"), ("en", "en"), ("fr", "en")]
)
def test_speakers_of_dialects_and_minority_languages_get_chinese(language: str, written: str) -> None:
    assert reminder(alerted(T0), "about", language, T0, PUBLIC).language == written


def test_a_reminder_exposes_nobody_to_whoever_sees_the_telephone() -> None:
    for language in ("zh", "en"):
        text = reminder(alerted(T0, "sextortion"), "about", language, T0, PUBLIC).text

        assert "裸" not in text
        assert "sex" not in text.lower()
