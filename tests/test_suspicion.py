"""Suspicion: which calls a code came into, which numbers act like a gang's, and what keeps one from being suspected."""

from __future__ import annotations

from collections.abc import Sequence

import jsonschema
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.codes import code_of
from models.contacts import SMS
from models.engine import Partition
from models.hunting import Contact
from models.indicators import SUSPECTED, Indicator, encode, parse
from models.matching import Indicators
from models.policy import SuspicionRules
from models.reminders import occasion
from models.scanning import ENDED, OUT
from models.signals import NUMBER_MISSED, NUMBER_TALK, Signal
from models.suspicion import (
    Codes,
    GuidedCalls,
    Profile,
    Talks,
    acts_like_a_gang,
    guidable,
    is_suspicion,
    profile,
    suspicion,
)
from models.wording import reasons
from tests.site import ROOT
from tests.strategies import ANN, CROOK, HOUR, MINUTE, T0, engine, indicator, start
from tests.test_pivoting import EVIL, ORDINARY, TOPIC, Told, sent

RULES = SuspicionRules(talk=3, people=3, begun_by_them=0.1, guided=0.01, confidence=40, days=30)
STRANGER = code_of(CROOK)
DAY = 24 * HOUR


def contact(who: int, at: int, what: int = 0, talk_min: float = -1.0, event: str = "e") -> Contact:
    """A contact with `STRANGER`, minutes after `T0`."""
    return Contact(STRANGER, who, STRANGER, T0 + at * MINUTE, what, talk_min * 60.0, event, "")


def talk(who: int, at: int, minutes: float, what: int = 0) -> list[Contact]:
    """A call's two records."""
    begin, end = contact(who, at, what), contact(who, at, what | ENDED, minutes)
    return [begin, end._replace(at=begin.at + 7_000 + int(minutes * MINUTE))]


# Which calls a code came into.

Call = tuple[int, int, int, int]
"""Number, person, end and seconds of talk."""
CALLS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(0, 200), st.integers(0, 400)), min_size=1, max_size=30
)
CODES = st.lists(st.tuples(st.integers(1, 5), st.integers(-10, 200)), max_size=30)


def taken(guided: GuidedCalls, calls: Sequence[Call], codes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Take in calls and codes whose times are in tens of seconds from `T0`; ends and numbers of those that met."""
    numbers, people, ends, seconds = np.array(calls, dtype=np.int64).reshape(-1, 4).T
    whose, times = np.array(codes, dtype=np.int64).reshape(-1, 2).T
    talks = Talks(numbers, people, T0 + ends * 10_000, seconds.astype(np.float64))
    return guided.take(talks, Codes(whose, T0 + times * 10_000), 3.0)


def by_hand(calls: Sequence[Call], codes: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """The same of all records at once, one by one."""
    found: set[tuple[int, int]] = set()
    for number, who, end, seconds in calls:
        came = [at for person, at in codes if person == who and end * 10 - seconds <= at * 10 <= end * 10]
        if seconds >= 180 and came:
            found.add((T0 + end * 10_000, number))
    return found


@given(CALLS, CODES, st.data())
def test_a_code_meets_its_call_in_whatever_pieces_and_order_they_come(
    calls: list[Call], codes: list[tuple[int, int]], data: st.DataObject
) -> None:
    records: list[tuple[str, tuple[int, ...]]] = [("call", each) for each in calls] + [("code", each) for each in codes]
    records = data.draw(st.permutations(records))
    guided, found = GuidedCalls(DAY), set[tuple[int, int]]()
    while records:
        count = data.draw(st.integers(1, len(records)))
        some, records = records[:count], records[count:]
        piece = taken(
            guided,
            [each for kind, each in some if kind == "call"],  # type: ignore[misc]
            [each for kind, each in some if kind == "code"],  # type: ignore[misc]
        )
        assert sorted(piece) == piece
        found |= {*piece}
    assert found == by_hand(calls, codes)


def test_what_is_hours_away_is_forgotten_and_a_wrong_clock_drives_nothing_out() -> None:
    guided = GuidedCalls(4 * HOUR)
    taken(guided, [], [(1, 0), (2, 10**7), (3, 1), (3, 2)])
    assert taken(guided, [(7, 1, 10, 300), (8, 2, 10**7, 300)], []) == [(T0 + 100_000, 7)]
    taken(guided, [], [(4, 3000), (4, 3001)])  # more than eight hours later
    assert taken(guided, [(7, 1, 10, 300)], []) == []


# Which numbers act like a gang's.


def test_a_profile_counts_people_who_began_and_who_was_guided() -> None:
    contacts = [
        *talk(1, 0, 10.0),
        *talk(2, 0, 2.9),  # too short
        *talk(3, 0, 10.0),  # its code came before
        *talk(4, 0, 10.0, OUT),
        contact(5, 0, SMS),
        contact(5, 9, SMS | OUT),  # answered, which is not begun
    ]
    codes = {1: [T0 + 5 * MINUTE], 2: [T0 + MINUTE], 3: [T0 - MINUTE], 4: [T0 + 15 * MINUTE]}

    assert guidable(contacts, 3.0) == {1, 3, 4}
    assert profile(contacts, codes, 3.0) == Profile(people=5, begun=1, guided=1)
    assert profile(contacts[::-1], codes, 3.0) == profile(contacts, codes, 3.0)
    assert profile([], {}, 3.0) == Profile(0, 0, 0)


@pytest.mark.parametrize(
    ("found", "suspected"),
    [
        (Profile(3, 0, 1), True),
        (Profile(2, 0, 2), False),  # a family
        (Profile(10, 1, 1), True),
        (Profile(10, 2, 5), False),  # people turn to it
        (Profile(100, 0, 1), True),
        (Profile(101, 0, 1), False),  # a courier: it had to happen once
        (Profile(101, 0, 2), True),
        (Profile(50, 0, 0), False),
    ],
)
def test_few_strangers_of_whom_one_was_guided_are_enough(found: Profile, suspected: bool) -> None:
    assert acts_like_a_gang(found, RULES) is suspected


def test_even_with_a_share_of_none_somebody_must_have_been_guided() -> None:
    assert not acts_like_a_gang(Profile(50, 0, 0), replace(RULES, guided=0.0))


def suspected(at: int = T0) -> Indicator:
    """`STRANGER` as it is suspected at a time, for having guided one of three people."""
    contacts = [*talk(1, 0, 10.0), contact(2, 0), contact(3, 0)]
    found = suspicion(CROOK, contacts, {1: [T0 + 5 * MINUTE]}, at, RULES)
    assert found is not None
    return found


def test_a_suspicion_says_why_and_ends_by_itself() -> None:
    found = suspected()

    assert found == Indicator(
        type="number",
        value=CROOK,
        scam_type="suspected",
        confidence=40,
        source="behaviour people:3 guided:1",
        valid_from=0,
        valid_until=T0 + 30 * DAY,
    )
    assert parse(encode(found)) == found
    schema = msgspec.json.decode((ROOT / "schemas" / "indicators-v1.json").read_bytes())
    jsonschema.validate(msgspec.json.decode(encode(found)), schema)
    assert suspicion(CROOK, [*talk(1, 0, 10.0)], {1: [T0 + 5 * MINUTE]}, T0, RULES) is None


# What keeps a number from being suspected, or makes more of it.


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


# What becomes of it.


def test_an_alert_says_what_is_only_suspected_and_reminds_nobody() -> None:
    live = engine(Indicators([suspected()]))
    partition = Partition(0)
    outcome = live.step(partition, [start("c1", 0, subscriber=ANN, peer=CROOK)])

    assert {alert.scam_type for alert in outcome.alerts} == {SUSPECTED}
    assert all(occasion(alert) is None for alert in outcome.alerts)
    assert not outcome.reminders
    (reason,) = outcome.alerts[-1].reasons
    assert (reason.code, reason.zh) == ("suspected-number-call", "正在与疑似诈骗号码通话")
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
