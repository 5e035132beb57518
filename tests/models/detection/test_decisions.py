"""Decisions: stories of one subscriber, from the records to the alerts that are published."""

from __future__ import annotations

import msgspec

from models.base.durations import HOUR, MINUTE, SECOND
from models.detection.alerts import encode
from models.detection.signals import Signal, SignalRecord
from models.events.event import Call
from models.indicators.matching import Indicators
from tests.stories import Story, said, why
from tests.strategies import (
    ANN,
    BANK,
    BO,
    CODE_TEXT,
    CROOK,
    EVIL,
    FRIEND,
    NOTICE_TEXT,
    OTHER_CROOK,
    POLICE,
    POLICY,
    T0,
    end,
    engine,
    indicator,
    known,
    sms,
    start,
)


def test_a_known_number_that_rings_is_high_before_anybody_has_answered() -> None:
    alerts = Story().tell(start("c", 0))

    assert said(alerts) == ["high raised shallow 0"]
    assert alerts[0].risk == 0.72
    assert alerts[0].scam_type == "loan"
    assert alerts[0].indicators == (f"number:{CROOK}",)
    assert [reason.events for reason in alerts[0].reasons] == [("c",)]


def test_an_unanswered_call_withdraws_it_and_leaves_a_low_one() -> None:
    alerts = Story().tell(start("c", 0), end("c", 20 * SECOND, 0))

    assert said(alerts) == ["high raised shallow 0", "high withdrawn shallow 20", "low raised shallow 20"]
    assert alerts[0].id == alerts[1].id
    assert why(alerts[1]) == ["no-longer-evidence", "fraud-number-missed"]
    assert why(alerts[2]) == ["fraud-number-missed"]


def test_a_call_hung_up_after_half_a_minute_is_low() -> None:
    alerts = Story().tell(start("c", 0), end("c", 35 * SECOND, 30))

    assert said(alerts) == ["high raised shallow 0", "high withdrawn shallow 35", "low raised shallow 35"]
    assert alerts[2].risk == 0.25


def test_five_minutes_of_talk_keep_it_high() -> None:
    story = Story()

    assert said(story.tell(start("c", 0))) == ["high raised shallow 0"]
    assert story.tell(end("c", 310 * SECOND, 300)) == []


def test_a_quarter_of_an_hour_of_talk_is_no_news_but_is_what_a_later_alert_says() -> None:
    story = Story()
    story.tell(start("c", 0), end("c", 910 * SECOND, 900))

    alerts = story.tell(sms("m", 920 * SECOND, CODE_TEXT))

    assert said(alerts) == ["urgent raised deep 920"]
    assert alerts[0].risk == 0.92
    assert "about 15 min" in alerts[0].reasons[0].en
    assert "约15分钟" in alerts[0].reasons[0].zh


def test_who_is_still_on_the_line_is_found_when_others_calls_move_the_clock() -> None:
    """With two vulnerability flags, ten minutes on the phone with the caller are urgent while the call is running."""
    story = Story(engine(vulnerable={ANN: 2}))

    assert said(story.tell(start("c", 0))) == ["high raised shallow 0"]
    assert story.wait(59 * SECOND) == []
    assert story.wait(61 * SECOND) == []
    assert story.wait(599 * SECOND) == []
    alerts = story.wait(600 * SECOND)
    assert said(alerts) == ["urgent raised medium 600"]
    assert why(alerts[0]) == ["fraud-number-call", "vulnerable"]
    assert story.tell(end("c", 700 * SECOND, 690)) == []


def test_a_mark_that_the_end_record_disproves_is_taken_back() -> None:
    """The clock had passed the milestone before the end of the call arrived, late."""
    story = Story(engine(vulnerable={ANN: 2}))
    story.tell(start("c", 0))
    assert said(story.wait(601 * SECOND)) == ["urgent raised medium 600"]

    alerts = story.tell(end("c", 500 * SECOND, 490))

    assert said(alerts) == ["urgent withdrawn medium 600"]
    assert why(alerts[0]) == ["no-longer-evidence"]


def test_a_verification_code_during_the_call_is_urgent() -> None:
    alerts = Story().tell(start("c", 0), sms("m", 90 * SECOND, CODE_TEXT))

    assert said(alerts) == ["high raised shallow 0", "urgent raised deep 90"]
    assert why(alerts[1]) == ["fraud-number-call", "verification-code"]


def test_a_code_is_counted_once_though_the_call_has_two_records() -> None:
    """A regression: the code was counted again when the call ended."""
    alerts = Story().tell(
        sms("m0", -5 * MINUTE, CODE_TEXT),
        sms("m1", -4 * MINUTE, "hello", peer=CROOK),
        start("c", 0),
        sms("m2", MINUTE, CODE_TEXT),
        end("c", 2 * MINUTE, 110),
    )

    assert [(alert.risk, alert.severity) for alert in alerts if alert.status == "raised"] == [
        (0.27, "low"),
        (0.89, "urgent"),
    ]
    only = Story().tell(start("c", 0), sms("m", MINUTE, CODE_TEXT), end("c", 2 * MINUTE, 110), start("d", 3 * MINUTE))
    assert [(alert.severity, alert.risk) for alert in only] == [("high", 0.72), ("urgent", 0.84)]


def test_codes_long_before_or_after_do_not_count_and_are_not_told() -> None:
    story = Story()
    story.tell(sms("m1", -11 * MINUTE, CODE_TEXT), sms("m2", 0, "hello", peer=CROOK))
    story.tell(sms("m3", 20 * MINUTE, CODE_TEXT), sms("m4", 61 * MINUTE, CODE_TEXT))

    alerts = story.tell(start("c", 2 * HOUR))

    assert said(alerts) == ["urgent raised deep 7200"]
    assert [(reason.code, reason.events) for reason in alerts[0].reasons][-1] == ("verification-code", ("m3",))


def test_ringing_the_stranger_back_is_urgent_and_deep() -> None:
    alerts = Story().tell(start("c", 0, direction="out"))

    assert said(alerts) == ["urgent raised deep 0"]
    assert alerts[0].risk == 0.78


def test_a_missed_call_alone_is_low() -> None:
    assert said(Story().tell(end("c", 0, 0))) == ["low raised shallow 0"]


def test_an_sms_from_a_known_number_is_low() -> None:
    alerts = Story().tell(sms("m", 0, "hello", peer=CROOK))

    assert said(alerts) == ["low raised shallow 0"]
    assert alerts[0].risk == 0.15


def test_whoever_writes_back_to_a_known_number_has_gone_further() -> None:
    alerts = Story().tell(sms("m", 0, "hello", peer=CROOK, direction="out"))

    assert said(alerts) == ["medium raised medium 0"]
    assert alerts[0].risk == 0.4
    assert why(alerts[0]) == ["fraud-number-reply"]


def test_an_sms_with_a_known_domain_is_low_and_names_the_domain_only_as_an_indicator() -> None:
    alerts = Story().tell(sms("m", 0, f"see http://www.{EVIL}/a now"))

    assert said(alerts) == ["low raised shallow 0"]
    assert alerts[0].indicators == (f"domain:{EVIL}",)
    assert EVIL not in alerts[0].reasons[0].en
    assert "task rebate" in alerts[0].reasons[0].en
    assert "刷单返利" in alerts[0].reasons[0].zh


def test_a_check_with_the_police_after_a_talk_is_told_and_does_not_calm() -> None:
    story = Story()
    story.tell(start("c", 0, peer=OTHER_CROOK), end("c", 130 * SECOND, 120, peer=OTHER_CROOK))

    alerts = story.tell(
        start("p", 300 * SECOND, peer=POLICE, direction="out"), start("b", HOUR, peer=BANK, direction="out")
    )

    assert said(alerts) == ["urgent raised deep 3600"]
    assert why(alerts[0]) == ["fraud-number-talk", "bank-call", "check-call"]


def test_a_hotline_call_without_a_contact_means_nothing() -> None:
    assert Story().tell(start("p", 0, peer=POLICE, direction="out"), start("b", HOUR, peer=BANK, direction="out")) == []


def test_a_hotline_call_before_the_contact_or_a_day_after_means_nothing() -> None:
    story = Story()
    before = story.tell(start("b", -MINUTE, peer=BANK, direction="out"), sms("m", 0, "hello", peer=CROOK))

    assert why(before[0]) == ["fraud-number-sms"]
    assert story.tell(start("c", 25 * HOUR, peer=BANK, direction="out")) == []


def test_a_bank_notice_soon_after_a_code_is_harm() -> None:
    story = Story()
    story.tell(
        start("c", 0, peer=OTHER_CROOK), sms("m1", MINUTE, CODE_TEXT), end("c", 2 * MINUTE, 50, peer=OTHER_CROOK)
    )

    alerts = story.tell(sms("m2", 30 * MINUTE, NOTICE_TEXT))

    assert said(alerts) == ["urgent raised harmed 1800"]
    assert why(alerts[0]) == ["fraud-number-talk", "verification-code", "bank-notice"]


def test_a_bank_notice_without_anything_deep_is_no_harm() -> None:
    story = Story()
    story.tell(sms("m1", 0, f"http://{EVIL}/a"))

    alerts = story.tell(sms("m2", 30 * MINUTE, NOTICE_TEXT))

    assert [alert.stage for alert in alerts] == ["shallow"]


def test_a_long_call_with_somebody_else_afterwards_is_told() -> None:
    story = Story()
    story.tell(start("c", 0, peer=OTHER_CROOK), end("c", 130 * SECOND, 120, peer=OTHER_CROOK))

    alerts = story.tell(end("d", HOUR, 1500, peer=FRIEND), sms("m", 2 * HOUR, "hello", peer=CROOK))

    assert why(alerts[-1]) == ["fraud-number-talk", "fraud-number-sms", "long-call"]


def test_contacts_more_than_three_days_apart_are_two_episodes() -> None:
    story = Story()
    first = story.tell(sms("m1", 0, "a", peer=CROOK))
    same = story.tell(start("c", 72 * HOUR))
    other = story.tell(sms("m2", 144 * HOUR + 1, "b", peer=CROOK))

    assert first[0].episode == same[0].episode != other[0].episode
    assert [alert.first_seen - T0 for alert in (first[0], same[0], other[0])] == [0, 0, 144 * HOUR + 1]


def test_two_subscribers_are_two_stories() -> None:
    alerts = Story().tell(start("c", 0), start("c", 0, subscriber=BO))

    assert len({alert.id for alert in alerts}) == len({alert.episode for alert in alerts}) == 2
    assert [alert.subscriber for alert in alerts] == [ANN, BO]


def test_vulnerability_raises_the_risk_by_two_flags_at_most() -> None:
    risks = [Story(engine(vulnerable={ANN: flags})).tell(start("c", 0))[0].risk for flags in (0, 1, 2, 3)]

    assert risks == [0.72, 0.77, 0.82, 0.82]


def test_a_weaker_indicator_makes_a_weaker_alert_and_none_at_no_confidence() -> None:
    def alerts(confidence: int) -> list[str]:
        return said(Story(engine(Indicators([indicator("number", CROOK, confidence)]))).tell(start("c", 0)))

    assert alerts(60) == ["medium raised shallow 0"]
    assert alerts(10) == ["low raised shallow 0"]
    assert alerts(0) == []


def test_the_surest_indicator_gives_the_scam_type_and_all_are_named() -> None:
    story = Story()
    story.tell(sms("m", 0, f"http://{EVIL}/a", peer=OTHER_CROOK))

    alerts = story.tell(start("c", MINUTE))

    assert alerts[0].scam_type == "loan"
    assert alerts[0].indicators == (f"domain:{EVIL}", f"number:{CROOK}", f"number:{OTHER_CROOK}")


def test_an_alert_names_its_policy_and_model() -> None:
    alert = Story().tell(start("c", 0))[0]

    assert (alert.policy, alert.model) == (POLICY.version, "points@1")


def test_ids_and_bytes_are_the_same_in_every_process() -> None:
    """Consumers recognise repeats by the id, so it must never depend on a run, a machine or a version."""
    alert = Story().tell(start("c", 0))[0]

    assert alert.episode == "6736a874b545302fe3ef50e6"
    assert alert.id == "d31540c4ed53fe0b1f8c554f"
    assert encode(alert).startswith(b'{"id":"d31540c4ed53fe0b1f8c554f","subscriber":"8610000000001"')


def test_a_signal_sorts_by_time_first() -> None:
    assert Signal(1, "z", "z") < Signal(2, "a", "a")


def test_without_the_known_number_there_is_no_story() -> None:
    assert Story(engine(known())).tell(start("c", 0, peer=FRIEND), end("c", MINUTE, 30, peer=FRIEND)) == []


def test_a_severity_that_no_longer_stands_is_withdrawn_and_one_that_was_skipped_is_raised() -> None:
    at_once = msgspec.structs.replace(POLICY, withdrawn_below=1.0)
    alerts = Story(engine(policy=at_once, vulnerable={ANN: 2})).tell(
        start("c", 0, peer=OTHER_CROOK),
        sms("m", MINUTE, CODE_TEXT),
        end("c", 2 * MINUTE, 20, peer=OTHER_CROOK),
        start("d", 3 * MINUTE),
        end("d", 4 * MINUTE, 0),
    )

    assert said(alerts) == [
        "high raised shallow 0",
        "urgent raised deep 60",
        "high withdrawn deep 120",
        "urgent withdrawn deep 120",
        "medium raised deep 120",
        "urgent raised deep 180",
        "high raised deep 240",
        "urgent withdrawn deep 240",
    ]


def test_a_risk_that_wavers_withdraws_nothing() -> None:
    story = [start("c", 0), end("c", 20 * SECOND, 15), start("d", 50 * SECOND)]
    steady, wavering = (
        Story(engine(policy=msgspec.structs.replace(POLICY, withdrawn_below=below))) for below in (0.5, 1.0)
    )

    assert said(steady.tell(*story)) == ["high raised shallow 0"]
    assert said(wavering.tell(*story)) == [
        "high raised shallow 0",
        "high withdrawn shallow 20",
        "low raised shallow 20",
        "high raised shallow 50",
    ]


def at_cell(record: Call, cell: str) -> Call:
    """The same record, handled by this cell."""
    return msgspec.structs.replace(record, cell=cell)


def test_an_alert_says_where_the_person_was_last() -> None:
    story = Story()
    first = story.tell(at_cell(start("c", 0), "cell-1"))
    code = msgspec.structs.replace(sms("m", 2 * MINUTE, CODE_TEXT, peer=BANK), cell="cell-2")

    assert [alert.cell for alert in (*first, *story.tell(code))] == ["cell-1", "cell-2"]


def test_where_somebody_was_more_than_an_hour_ago_says_nothing_of_now() -> None:
    story = Story()
    story.tell(msgspec.structs.replace(sms("m", 0, f"https://{EVIL}/a"), cell="cell-1"))
    alerts = story.tell(start("c", 61 * MINUTE))

    assert alerts
    assert {alert.cell for alert in alerts} == {""}
    assert b"cell" not in encode(alerts[0])


def test_being_elsewhere_is_no_news() -> None:
    story = Story()
    story.tell(at_cell(start("c", 0), "cell-1"))

    assert story.tell(at_cell(start("c", 0), "cell-0")) == []


def test_what_a_look_back_says_again_forgets_no_cell() -> None:
    """The ledger keeps no cells."""
    story = Story()
    (live,) = story.tell(at_cell(start("c", 0), "cell-1"))
    (signal,) = story.partition.subjects[ANN].signals
    found = SignalRecord(
        *("s1", ANN, "fraud-number-call", signal.at, "c", CROOK, signal.indicator, "loan", signal.confidence)
    )

    assert story.tell(found) == []
    assert story.partition.subjects[ANN].signals[0].cell == live.cell == "cell-1"
