"""Suspicion: which numbers act like those of a gang, and what protects a number from suspicion."""

from __future__ import annotations

import jsonschema
import msgspec
import pytest
from msgspec.structs import replace

from models.base.durations import DAY, MINUTE
from models.base.number_keys import key_of
from models.detection.kinds import NUMBER_MISSED, NUMBER_TALK
from models.detection.partition import Partition
from models.detection.reminders import occasion, utc_day
from models.detection.signals import Signal
from models.detection.wording import reasons
from models.events.scanning import ENDED, OUT
from models.indicators.indicator import SUSPECTED, Indicator, encode, parse
from models.indicators.matching import Indicators
from models.lookback.contacts import SMS
from models.lookback.hunting import Contact
from models.lookback.suspicion import Profile, Reach, confidence, is_suspicion, leadable, profile, reach, suspicion
from models.policy.policy import SuspicionRules
from tests.models.lookback.test_pivoting import EVIL, ORDINARY, TOPIC, Told, sent
from tests.site import ROOT
from tests.strategies import ANN, CROOK, T0, engine, indicator, start

RULES = SuspicionRules(
    talk=3, short_talk=1, people=3, begun_by_them=0.1, probability=0.8, guided=0.01, confidence=40, days=30
)
STRANGER = key_of(CROOK)


def contact(who: int, at: int, what: int = 0, talk_min: float = -1.0, event: str = "e") -> Contact:
    """A contact with `STRANGER`, minutes after `T0`."""
    return Contact(STRANGER, who, STRANGER, T0 + at * MINUTE, what, talk_min * 60.0, event, "")


def talk(who: int, at: int, minutes: float, what: int = 0) -> list[Contact]:
    """The two records of a call."""
    begin, end = (contact(who, at, some, talked, f"c{at}") for some, talked in ((what, -1.0), (what | ENDED, minutes)))
    return [begin, end._replace(at=begin.at + 7_000 + int(minutes * MINUTE))]


# Which numbers act like those of a gang.


def test_a_profile_counts_people_who_began_and_who_was_guided() -> None:
    contacts = [
        *talk(1, 0, 10.0),
        *talk(2, 0, 2.9),  # too short to guide a person
        *talk(3, 0, 10.0),  # the code came before the call
        *talk(4, 0, 10.0, OUT),
        *talk(5, 0, 0.9),
        contact(6, 0, SMS),
        contact(6, 9, SMS | OUT),  # an answer, not a first contact
    ]
    codes = {1: [T0 + 5 * MINUTE], 2: [T0 + MINUTE], 3: [T0 - MINUTE], 4: [T0 + 15 * MINUTE]}

    assert leadable(contacts, RULES) == {1, 2, 3, 4}
    assert reach(contacts) == Reach(people=6, begun=1)
    assert profile(contacts, codes, RULES) == Profile(Reach(6, 1), guided=1, about_codes=1, again=0, calls=4)
    assert profile(contacts[::-1], codes, RULES) == profile(contacts, codes, RULES)
    assert profile([], {}, RULES) == Profile(Reach(0, 0), 0, 0, 0)


@pytest.mark.parametrize(
    ("contacts", "codes", "about_codes", "again"),
    [
        ([*talk(1, 0, 0.5), *talk(1, 30, 3.0)], [], 0, 1),  # the number calls again
        ([*talk(1, 0, 0.5), *talk(1, 30, 2.9)], [], 0, 0),  # too short
        ([*talk(1, 0, 0.5), *talk(1, 62, 3.0)], [], 0, 0),  # too late
        ([*talk(1, 0, 0.5), *talk(1, 30, 3.0, OUT)], [], 0, 0),  # the person called back
        ([*talk(1, 0, 0.5, OUT), *talk(1, 30, 3.0)], [], 0, 0),  # the person called first
        ([*talk(1, 0, 0.0), *talk(1, 30, 3.0)], [], 0, 0),  # no talk in the first call
        ([contact(1, 0, SMS), contact(1, 10, SMS | OUT), *talk(1, 600, 9.0)], [], 0, 0),  # whom people answer may call
        ([contact(1, 0, SMS), *talk(1, 600, 1.0)], [], 0, 0),
        ([contact(1, 0, SMS), *talk(1, 150, 1.0)], [100], 1, 0),  # the number calls about a code
        ([contact(1, 0, SMS), *talk(1, 150, 0.9)], [100], 0, 0),
        ([contact(1, 0, SMS), *talk(1, 150, 1.0)], [20], 0, 0),  # an old code
        ([contact(1, 0, SMS), *talk(1, 90, 1.0)], [-1], 0, 0),  # a code from before the number's first contact
        ([*talk(1, 0, 0.5), *talk(1, 30, 3.0)], [20], 1, 0),  # again, and about a code: the stronger counts
        ([*talk(1, 0, 9.0)], [-1, 0.05, 20], 0, 0),  # before, while the first call was ringing, and after
        ([*talk(1, 0, 0.5), *talk(1, 3000, 0.5), *talk(1, 3010, 5.0)], [], 0, 0),  # they are no longer strangers
    ],
)
def test_whom_a_number_leads_on(contacts: list[Contact], codes: list[float], about_codes: int, again: int) -> None:
    came = {1: [T0 + int(at * MINUTE) for at in codes]}

    found = profile(contacts, came, RULES)
    assert (found.guided, found.about_codes, found.again) == (0, about_codes, again)


@pytest.mark.parametrize(
    ("people", "begun", "guided", "about_codes", "again", "sure"),
    [
        (3, 0, 1, 1, 0, 40),
        (2, 0, 2, 2, 0, 0),  # a family
        (10, 1, 1, 1, 0, 40),
        (10, 2, 5, 5, 0, 0),  # people contact the number first
        (50, 0, 1, 1, 0, 0),  # a courier: among so many people, one is chance
        (101, 0, 2, 2, 0, 40),
        (101, 0, 1, 3, 0, 30),  # few of those about codes were guided
        (5, 0, 0, 0, 1, 0),  # chance
        (15, 0, 0, 0, 2, 30),
        (60, 0, 0, 0, 2, 0),  # an agent: of so many people, some are interested
        (4000, 0, 1, 1, 1, 0),  # a telemarketer: fewer than chance explains
        (50, 0, 0, 0, 0, 0),
    ],
)
def test_few_strangers_of_whom_some_were_led_on_are_enough(
    people: int, begun: int, guided: int, about_codes: int, again: int, sure: int
) -> None:
    assert confidence(Profile(Reach(people, begun), guided, about_codes, again), 17.0, RULES) == sure


def test_the_rarer_fraud_is_the_more_people_must_have_been_led_on() -> None:
    least = [
        next(led for led in range(99) if confidence(Profile(Reach(40, 0), led, led, 0), common, RULES))
        for common in (17.0, 0.85)
    ]

    assert least == [2, 3]
    assert [confidence(Profile(Reach(3, 0), 1, 1, 0), common, RULES) for common in (17.0, 0.85)] == [40, 0]


def test_who_calls_the_same_people_all_day_leads_some_on_by_chance() -> None:
    """A debt collector's calls count as chances, not only the few people whom it calls."""
    patient, insistent = (Profile(Reach(30, 0), 0, 1, 2, calls) for calls in (35, 900))

    assert [confidence(each, 17.0, RULES) for each in (patient, insistent)] == [30, 0]


def test_even_a_probability_of_none_needs_somebody_who_was_led_on() -> None:
    rules = replace(RULES, probability=0.0)

    assert confidence(Profile(Reach(50, 0), 0, 0, 0), 17.0, rules) == 0
    assert confidence(Profile(Reach(50, 0), 0, 0, 1), 17.0, rules) == 30


def test_to_whom_people_turn_is_told_from_whom_nobody_knows_yet() -> None:
    assert Reach(6, 1).is_turned_to(RULES)
    assert not Reach(5, 5).is_turned_to(RULES)
    assert not Reach(100, 10).is_turned_to(RULES)


def suspected(at: int = T0) -> Indicator:
    """A suspicion of `STRANGER` at a moment, because the number guided one of three people."""
    contacts = [*talk(1, 0, 10.0), contact(2, 0), contact(3, 0)]
    found = suspicion(CROOK, contacts, {1: [T0 + 5 * MINUTE]}, at, 17.0, RULES)
    assert found is not None
    return found


def test_a_suspicion_says_why_and_ends_by_itself() -> None:
    found = suspected()

    assert found == Indicator(
        type="number",
        value=CROOK,
        scam_type="suspected",
        confidence=40,
        source="behaviour people:3 guided:1 led:1",
        valid_from=0,
        valid_until=T0 + 30 * DAY,
    )
    assert parse(encode(found)) == found
    schema = msgspec.json.decode((ROOT / "schemas" / "indicators-v1.json").read_bytes())
    jsonschema.validate(msgspec.json.decode(encode(found)), schema)
    assert suspicion(CROOK, [*talk(1, 0, 10.0)], {1: [T0 + 5 * MINUTE]}, T0, 17.0, RULES) is None


# What protects a number from suspicion, or turns suspicion into more.


def may_be(told: Told, number: str = CROOK, at: int = T0) -> bool:
    """Whether a number may be suspected."""
    return told.pivot.may_be_suspected(number, at, RULES, ORDINARY)


@pytest.mark.parametrize(
    "number", ["95588", "110", "96110", "106900095588", "8695588", "99900888888", "13800138", "0013800138000"]
)
def test_services_protected_and_well_known_numbers_never_are(number: str) -> None:
    assert not may_be(Told(), number)


@pytest.mark.parametrize(
    "record",
    [
        indicator("number", CROOK, 20),
        indicator("number-prefix", CROOK[:7], 20),
        indicator("number", CROOK, revoked=True),
        replace(indicator("number", CROOK), source="behaviour as told by a bank"),
    ],
)
def test_what_is_known_or_revoked_already_never_is(record: Indicator) -> None:
    assert may_be(Told())
    assert not may_be(Told(record))
    assert not is_suspicion(record)


@pytest.mark.parametrize(
    "record",
    [
        indicator("number", CROOK, 20, valid_until=T0),
        indicator("number-prefix", CROOK[:7], 20, valid_until=T0),
        replace(indicator("number", CROOK, valid_until=T0), source="pivot domain:evil.top"),
    ],
)
def test_what_was_known_once_no_longer_stands_in_the_way(record: Indicator) -> None:
    """Listed, covered by a prefix, or derived: it counts until its validity has ended."""
    assert not may_be(Told(record), at=T0 - 1)
    assert may_be(Told(record), at=T0)


def test_a_number_that_was_derived_once_is_not_suspected_under_a_valid_prefix() -> None:
    """What else is known of it still counts."""
    derived = replace(indicator("number", CROOK, valid_until=T0), source="pivot domain:evil.top")

    assert not may_be(Told(derived, indicator("number-prefix", CROOK[:7], 20)))


def test_a_suspicion_is_said_again_when_half_of_it_is_over() -> None:
    told = Told(suspected())

    assert is_suspicion(suspected())
    assert not may_be(told, at=T0 + 15 * DAY)
    assert may_be(told, at=T0 + 16 * DAY)


@pytest.mark.parametrize("deleted", [False, True])
def test_an_analysts_word_against_a_suspicion_stands(deleted: bool) -> None:
    told = Told(suspected())
    if deleted:
        told.delete(suspected().key)
    else:
        told.tell(replace(suspected(), revoked=True))

    assert not may_be(told, at=T0 + 40 * DAY)
    assert not told.pivot.suspected


def test_a_suspected_number_that_sends_a_known_domain_is_derived_and_suspected_no_more() -> None:
    told = Told(*TOPIC, suspected())
    derived = told.derive(EVIL)

    assert (derived.value, derived.scam_type) == (CROOK, "task-rebate")
    assert not told.pivot.suspected
    assert not may_be(told, at=T0 + 40 * DAY)
    assert told.due(sent(people=range(9))) == []


# The effect of a suspicion on alerts.


def test_an_alert_says_what_is_only_suspected_and_reminds_nobody() -> None:
    live = engine(Indicators([suspected()]))
    partition = Partition(0)
    outcome = live.step(partition, [start("c1", 0, subscriber=ANN, peer=CROOK)])

    assert {alert.scam_type for alert in outcome.alerts} == {SUSPECTED}
    assert all(occasion(alert, utc_day) is None for alert in outcome.alerts)
    assert not outcome.reminders
    (reason,) = outcome.alerts[-1].reasons
    assert (reason.code, reason.zh) == ("suspected-number-call", "正在与疑似涉诈号码通话")
    assert reason.en == "is on the phone with a number suspected of fraud"
    assert partition.subjects[ANN].has_contact


def test_what_is_known_is_told_apart_from_what_is_suspected() -> None:
    talks = [
        Signal(T0, NUMBER_TALK, "a", CROOK, "number:a", "loan", 90, 60.0),
        Signal(T0 + 1, NUMBER_TALK, "b", CROOK, "number:b", SUSPECTED, 40, 600.0),
        Signal(T0 + 2, NUMBER_MISSED, "c", CROOK, "number:b", SUSPECTED, 40),
    ]

    assert [(each.code, each.en) for each in reasons(talks)] == [
        ("fraud-number-talk", "talked to a known fraud number, about 1 min (fake loan)"),
        ("suspected-number-talk", "talked to a number suspected of fraud, about 10 min"),
        ("suspected-number-missed", "missed 1 call(s) from a number suspected of fraud"),
    ]
