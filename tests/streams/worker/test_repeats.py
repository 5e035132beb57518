"""Repeats: a worker that decides about old records again publishes only what was not published before."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from models.detection.alerts import Alert
from models.detection.engine import StepResult
from models.detection.reminders import Reminder
from streams.worker.repeats import PublishedBefore, Repeats
from tests.casework import T0, alert


def published(*alerts: Alert) -> PublishedBefore:
    """What these alerts on the topic leave to say."""
    found = PublishedBefore()
    for each in alerts:
        found.note(each)
    return found


def left(before: PublishedBefore, *alerts: Alert) -> list[Alert]:
    """The alerts of a step that go out."""
    result = StepResult([*alerts])
    before.drop_from(result)
    return result.alerts


def test_the_same_alert_does_not_go_out_again() -> None:
    assert left(published(alert()), alert()) == []


def test_the_same_alert_of_an_episode_that_has_lost_its_first_contact_does_not_go_out_again() -> None:
    assert left(published(alert(episode="e1")), alert(episode="e2")) == []


@pytest.mark.parametrize("change", [{"at": T0 + 1}, {"severity": "high"}, {"subscriber": "8610000000002"}])
def test_an_alert_about_something_else_goes_out(change: dict[str, Any]) -> None:
    new = alert(**({"episode": "e2"} | change))

    assert left(published(alert()), new) == [new]


def test_new_words_of_a_known_alert_go_out_and_so_do_its_later_ones() -> None:
    """Whoever reads the topic takes the last record of an id as the truth."""
    first, last = alert(), replace(alert(), risk=0.95)
    other = replace(alert(), risk=0.5)
    before = published(first, last)

    assert left(before, other, last) == [other, last]
    assert left(before, first) == [first]


def test_an_alert_that_was_taken_back_can_be_raised_again() -> None:
    taken_back = alert(status="withdrawn")
    assert left(published(alert(), taken_back), alert()) == [alert()]
    assert left(published(alert(), taken_back, alert()), alert()) == []


def test_the_reminder_of_an_alert_goes_out_with_it_or_not_at_all() -> None:
    def reminder(cause: Alert) -> Reminder:
        return Reminder(
            id=f"r-{cause.id}", subscriber="86", cause=cause.id, text="", language="zh", at=T0, send_before=T0
        )

    old, new = alert(), alert(episode="e2", at=T0 + 1)
    result = StepResult([old, new], reminders=[reminder(old), reminder(new)])
    published(old).drop_from(result)

    assert [each.cause for each in result.reminders] == [new.id]


def test_repeats_are_over_when_every_topic_was_read_as_far_as_it_went() -> None:
    repeats = Repeats({"calls": 10, "sms": 5}, {0: 3})

    assert not repeats.is_over({"calls": 12})
    assert repeats.is_over({"calls": 10, "sms": 5})
