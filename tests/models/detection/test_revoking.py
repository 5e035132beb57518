"""Revoking: look-back results that are revoked, or overtaken by an earlier contact, withdraw and raise alerts."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from models.base.durations import HOUR, MINUTE, SECOND
from models.detection.signals import SignalRecord
from models.indicators.matching import Indicators
from tests.stories import Story, said, sound, why
from tests.strategies import ANN, BO, CODE_TEXT, CROOK, EVIL, OTHER_CROOK, T0, end, engine, indicator, sms, start


def hit(event: str, after: int, status: Any = "raised", code: Any = "fraud-number-talk", **fields: Any) -> SignalRecord:
    """A look-back result about Ann."""
    values = {"indicator": f"number:{CROOK}", "scam_type": "loan", "confidence": 100, "duration_s": 300.0, **fields}
    return SignalRecord(f"s-{event}", ANN, code, T0 + after, event, peer=CROOK, status=status, **values)


def test_a_hit_of_the_look_back_is_the_alert_that_the_call_would_have_been() -> None:
    live = Story().tell(end("c", 0, 300))
    found = Story().tell(hit("c", 0))

    assert found == live
    assert said(found) == ["high raised medium 0"]


def test_a_hit_that_was_seen_live_too_changes_nothing() -> None:
    story = Story()
    story.tell(end("c", 0, 300))

    assert story.tell(hit("c", 0)) == []


def test_a_hit_taken_back_withdraws_its_alert_and_a_new_hit_raises_it_again() -> None:
    story = Story()
    first = story.tell(hit("c", 0))
    gone = story.tell(hit("c", 0, "withdrawn"))
    again = story.tell(hit("c", 0))

    assert said(gone) == ["high withdrawn medium 0"]
    assert why(gone[0]) == ["no-longer-indicator"]
    assert again == first
    assert story.tell(hit("nothing", 0, "withdrawn")) == []


def test_a_hit_taken_back_of_somebody_unknown_changes_nothing() -> None:
    assert Story().tell(hit("c", 0, "withdrawn")) == []


def test_an_indicator_that_is_not_known_yet_withdraws_nothing() -> None:
    """A worker that takes a partition over may still be reading the indicators."""
    story = Story()
    story.tell(start("c", 0))
    story.engine.indicators = Indicators()

    assert story.engine.reconcile(story.partition).alerts == []

    story.engine.indicators.put(indicator("number", CROOK))
    story.engine.indicators.put(replace(indicator("number", CROOK), revoked=True))

    assert said(story.engine.reconcile(story.partition).alerts) == ["high withdrawn shallow 0"]


def test_a_revoked_indicator_withdraws_its_alerts() -> None:
    story = Story()
    story.tell(start("c", 0), sms("m", MINUTE, CODE_TEXT), sms("x", 0, "hello", subscriber=BO, peer=OTHER_CROOK))
    story.engine.indicators.remove(f"number:{CROOK}")

    outcome = story.engine.reconcile(story.partition)

    assert said(sound(outcome.alerts)) == ["high withdrawn shallow 0", "urgent withdrawn deep 60"]
    assert {tuple(why(alert)) for alert in outcome.alerts} == {("no-longer-indicator",)}
    assert outcome.changed == {ANN}
    assert story.engine.reconcile(story.partition).alerts == []
    assert story.tell(start("d", 2 * MINUTE)) == []


def test_a_contact_that_another_indicator_covers_is_kept_under_it() -> None:
    story = Story()
    before = story.tell(start("c", 0))
    story.engine.indicators.put(indicator("number-prefix", CROOK[:7], 80, scam_type="fake-prize"))
    story.engine.indicators.remove(f"number:{CROOK}")

    alerts = sound(story.engine.reconcile(story.partition).alerts)

    assert [(alert.id, alert.status, alert.indicators) for alert in alerts] == [
        (before[0].id, "raised", (f"number-prefix:{CROOK[:7]}",))
    ]
    assert alerts[0].risk == 0.576


def test_a_link_known_by_its_url_is_kept_under_its_domain() -> None:
    """The signal names the URL, so its host must be extracted from the URL."""
    story = Story(engine(Indicators([indicator("domain", EVIL), indicator("url", f"{EVIL}/pay")])))
    before = story.tell(sms("m", 0, f"http://www.{EVIL}/x http://{EVIL}/pay/1"))
    assert before[0].indicators == (f"url:{EVIL}/pay",)
    story.engine.indicators.remove(f"url:{EVIL}/pay")

    alerts = sound(story.engine.reconcile(story.partition).alerts)

    assert [(alert.id, alert.status, alert.indicators) for alert in alerts] == [
        (before[0].id, "raised", (f"domain:{EVIL}",))
    ]


def test_revoking_one_of_two_indicators_lowers_what_stands() -> None:
    story = Story()
    story.tell(sms("m", 0, f"http://{EVIL}/a"), start("c", MINUTE))
    story.engine.indicators.remove(f"number:{CROOK}")

    alerts = story.engine.reconcile(story.partition).alerts

    assert said(sound(alerts)) == ["high withdrawn shallow 60"]
    assert why(alerts[0]) == ["no-longer-indicator"]


def test_an_earlier_contact_found_later_renames_the_episode() -> None:
    """An episode is named after its first contact, so the old alert points to the new one."""
    story = Story()
    old = story.tell(sms("m", 0, "hello", peer=CROOK))[0]

    alerts = story.tell(hit("c", -HOUR))

    assert said(alerts) == ["high raised medium -3600", "low withdrawn shallow 0"]
    assert alerts[1].id == old.id
    assert why(alerts[1]) == ["no-longer-episode"]


def test_a_call_whose_end_carries_an_earlier_time_was_never_going_on() -> None:
    """Two clocks of one network differ. The alert is withdrawn because the evidence is gone, not the indicator."""
    story = Story()
    story.tell(start("c", 0))

    alerts = story.tell(end("c", -2 * SECOND, 0))

    assert [(alert.severity, alert.status) for alert in alerts] == [("low", "raised"), ("high", "withdrawn")]
    assert why(alerts[1]) == ["no-longer-evidence"]
