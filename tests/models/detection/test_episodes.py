"""Episodes: what is remembered of a subscriber, which signals belong together, and what is known at a moment."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.base.durations import DAY, HOUR, MINUTE, SECOND
from models.detection.episodes import MOST_SIGNALS, Moment, Subject, episodes, milestones, unfold
from models.detection.kinds import CONTACTS, CONTEXTS
from models.detection.reused_ids import told_apart
from models.detection.signals import Signal
from tests.strategies import CROOK, POLICY, T0

WINDOWS = POLICY.windows


def signal(code: str, after: int, event: str = "e", confidence: int = 100, minutes: float = 0) -> Signal:
    """A signal, ``after`` ms from `T0`."""
    return Signal(T0 + after, code, event, CROOK, "number:1", "loan", confidence, minutes * 60)


ANY_SIGNAL = st.builds(
    signal,
    st.sampled_from(sorted(CONTACTS | CONTEXTS)),
    st.integers(-100 * HOUR, 100 * HOUR),
    st.sampled_from("abcdefghij"),
)


@given(st.lists(ANY_SIGNAL, max_size=30), st.randoms(use_true_random=False))
def test_a_subject_is_the_same_whatever_the_order_and_repetition(signals: list[Signal], random: Random) -> None:
    one, other = Subject([], {}), Subject([], {})
    for each in signals:
        one.insert(each)
    for each in random.sample(signals, len(signals)) + signals:
        other.insert(each)

    assert one == other
    assert one.signals == sorted(one.signals)
    assert len({(each.event, each.kind, each.at) for each in one.signals}) == len(one.signals)


@given(st.lists(ANY_SIGNAL, max_size=12))
def test_inserting_says_whether_anything_has_changed(signals: list[Signal]) -> None:
    subject = Subject([], {})
    for each in signals:
        before = list(subject.signals)
        assert subject.insert(each) == (subject.signals != before)
    for each in signals:
        before = list(subject.signals)
        assert subject.remove(each.event, each.kind, each.at) == (subject.signals != before)
    assert subject.signals == []


@given(st.integers(0, MOST_SIGNALS + 40), st.integers(2, 60), st.randoms(use_true_random=False))
def test_a_flooded_subject_keeps_a_bounded_number_and_the_newest(contacts: int, contexts: int, random: Random) -> None:
    signals = [signal("fraud-number-sms", index * 7, f"m{index}") for index in range(contacts)]
    signals += [signal("verification-code", index * 11 + 3, f"v{index}") for index in range(contexts)]
    subject = Subject([], {})
    for each in random.sample(signals, len(signals)):
        subject.insert(each)

    kept = sum(each.kind in CONTACTS for each in subject.signals)
    assert len(subject.signals) == min(len(signals), MOST_SIGNALS)
    assert kept == min(contacts, MOST_SIGNALS - 1)
    assert max(signals) in subject.signals


def test_a_flood_of_contacts_leaves_the_first_and_the_last_in_any_order() -> None:
    signals = [signal("fraud-number-sms", index, f"m{index}") for index in range(MOST_SIGNALS + 50)]
    subjects = [Subject([], {}), Subject([], {})]
    for each in signals:
        subjects[0].insert(each)
    for each in reversed(signals):
        subjects[1].insert(each)

    assert subjects[0] == subjects[1]
    assert subjects[0].signals == [*signals[: MOST_SIGNALS - 1], signals[-1]]


@given(st.lists(ANY_SIGNAL, max_size=30))
def test_each_contact_is_in_exactly_one_episode_and_gaps_within_are_quiet_hours_at_most(signals: list[Signal]) -> None:
    found = list(episodes(sorted(signals), WINDOWS))
    contacts = [each for each in told_apart(sorted(signals)) if each.kind in CONTACTS]

    assert [each for episode in found for each in episode.signals if each.kind in CONTACTS] == contacts
    for episode in found:
        own = [each for each in episode.signals if each.kind in CONTACTS]
        assert episode.first == own[0]
        assert all(later.at - earlier.at <= 72 * HOUR for earlier, later in pairwise(own))
        assert episode.signals[0].at >= own[0].at - 10 * MINUTE
        assert episode.signals[-1].at <= own[-1].at + 24 * HOUR
    for before, after in pairwise(found):
        last = max(each.at for each in before.signals if each.kind in CONTACTS)
        assert after.first.at - last > 72 * HOUR


def test_marks_are_those_of_calls_that_have_started() -> None:
    signals = [signal("fraud-number-call", 0), signal("fraud-number-callback", 5), signal("fraud-number-talk", 9)]

    windows = replace(WINDOWS, talk=1, long_talk=10, judged_again=[3, 10])

    assert [mark - T0 for mark in milestones(signals, windows)] == [
        *(minutes * MINUTE for minutes in (1, 3, 10)),
        *(minutes * MINUTE + 5 for minutes in (1, 3, 10)),
    ]


def told(*signals: Signal, clock: int = 0) -> list[Moment]:
    """The moments of the one episode of some signals."""
    (episode,) = episodes(sorted(signals), WINDOWS)
    return unfold(episode, WINDOWS, T0 + clock, 0, {})


@given(st.lists(ANY_SIGNAL.filter(lambda each: abs(each.at - T0) < 20 * HOUR), max_size=12), st.data())
def test_a_moment_depends_on_nothing_after_it(signals: list[Signal], data: st.DataObject) -> None:
    """A decision never changes later, except when the end of a call comes in between."""
    first = signal("fraud-number-sms", -21 * HOUR, "first")
    calls = ("fraud-number-call", "fraud-number-callback")
    subject = Subject([], {})
    for each in [first, *(each for each in signals if each.kind not in calls)]:
        subject.insert(each)
    every = told(*subject.signals)
    count = data.draw(st.integers(1, len(subject.signals)))
    after = subject.signals[count].at if count < len(subject.signals) else T0 + DAY

    some = told(*subject.signals[:count])

    assert [moment for moment in every if moment.at < after] == [moment for moment in some if moment.at < after]


@pytest.mark.parametrize(
    ("after", "talk", "long_talk", "stage"),
    [(59 * SECOND, 0, 0, "shallow"), (MINUTE, 1, 0, "medium"), (10 * MINUTE, 1, 1, "medium")],
)
def test_an_open_call_counts_as_talk_from_its_marks_on(after: int, talk: float, long_talk: float, stage: str) -> None:
    moment = told(signal("fraud-number-call", 0), clock=after)[-1]

    assert (moment.features.in_progress, moment.features.talk, moment.features.long_talk) == (1, talk, long_talk)
    assert moment.stage == stage


def test_that_somebody_got_an_sms_says_that_time_has_passed() -> None:
    """The partition's clock may be behind: the milestones of a call of nine minutes are judged before the SMS."""
    moments = told(signal("fraud-number-call", 0), signal("verification-code", 9 * MINUTE, "v"), clock=0)

    assert [(moment.at - T0) // MINUTE for moment in moments] == [0, 1, 2, 3, 5, 7, 9]


def test_a_call_that_has_ended_is_not_going_on() -> None:
    moments = told(signal("fraud-number-call", 0), signal("fraud-number-talk", 2 * MINUTE, minutes=1.5))

    assert [(moment.at - T0, moment.features.in_progress) for moment in moments] == [
        (0, 1),
        (MINUTE, 1),
        (2 * MINUTE, 0),  # the end itself
        (2 * MINUTE, 0),  # a milestone at the same moment
    ]


@pytest.mark.parametrize(
    ("minutes", "stage", "brief", "talk", "long_talk"),
    [(0.99, "shallow", 1, 0, 0), (1, "medium", 0, 1, 0), (9.99, "medium", 0, 1, 0), (10, "medium", 0, 1, 1)],
)
def test_a_talk_counts_by_its_length(minutes: float, stage: str, brief: float, talk: float, long_talk: float) -> None:
    moment = told(signal("fraud-number-talk", 0, minutes=minutes))[-1]

    features = moment.features
    assert (moment.stage, features.brief_talk, features.talk, features.long_talk) == (stage, brief, talk, long_talk)


def test_a_share_is_the_confidence_of_the_surest_contact_of_its_kind() -> None:
    contacts = [signal("fraud-number-sms", index, f"m{index}", sure) for index, sure in enumerate([3, 60, 20])]

    assert [moment.features.sms for moment in told(*contacts)] == [0.03, 0.6, 0.6]


def test_features_are_capped_and_contacts_counted_by_event() -> None:
    calls = [signal("fraud-number-missed", index * MINUTE, f"c{index}") for index in range(9)]
    codes = [signal("verification-code", index * MINUTE + 1, f"m{index}") for index in range(9)]

    features = told(*calls, *codes, signal("fraud-domain-sms", 0, "c0"))[-1].features

    assert (features.repeated_contact, features.code) == (3, 3)


@pytest.mark.parametrize(("after", "near"), [(-10 * MINUTE, 1), (0, 1), (60 * MINUTE, 1), (60 * MINUTE + 1, 0)])
def test_a_code_is_near_within_its_windows(after: int, near: float) -> None:
    moment = told(signal("fraud-number-sms", 0, "m"), signal("verification-code", after, "v"))[-1]

    assert moment.features.code == near
    assert [each.event for each in moment.context] == ["v"] * int(near)
    assert moment.stage == ("deep" if near else "shallow")


def test_codes_before_the_first_contact_count_once_whatever_follows() -> None:
    codes = [signal("verification-code", -MINUTE - index, f"v{index}") for index in range(2)]
    call = [signal("fraud-number-call", 0), signal("fraud-number-talk", 3 * MINUTE, minutes=2)]

    moments = told(*codes, *call, signal("fraud-domain-sms", 4 * MINUTE, "m"))

    assert {moment.features.code for moment in moments} == {2}
    assert [each.event for each in moments[-1].context] == ["v1", "v0"]


def test_harm_needs_a_bank_notice_within_two_hours_of_going_deep() -> None:
    deep = signal("fraud-number-callback", 0)

    assert told(deep, signal("bank-notice", 2 * HOUR, "n"))[-1].stage == "harmed"
    assert told(deep, signal("bank-notice", 2 * HOUR + 1, "n"))[-1].stage == "deep"


@pytest.mark.parametrize("code", ["verification-code", "bank-notice"])
def test_what_a_fraud_writes_of_codes_and_payments_is_no_context(code: str) -> None:
    lure = [signal("fraud-domain-sms", 0, "m"), signal(code, 0, "m")]
    own = [signal("fraud-domain-sms", 0, "m"), signal(code, 1, "n")]

    assert [each.event for each in told(*lure)[-1].context] == []
    assert [each.event for each in told(*own)[-1].context] == ["n"]


@pytest.mark.parametrize(
    ("began", "handed_on"), [(-MINUTE, 0), (0, 1), (10 * MINUTE, 1), (10 * MINUTE + SECOND, 0), (3 * HOUR, 0)]
)
def test_whoever_is_passed_on_talks_to_the_next_at_once(began: int, handed_on: float) -> None:
    """The first fraud number is known and the second is not, so the second call gives no signal until it has ended."""
    first = [signal("fraud-number-talk", 0, minutes=0.6)]
    passed_on = signal("long-call", began + 16 * MINUTE, "b", minutes=16)
    codes = [signal("verification-code", began + at * MINUTE, f"v{at}") for at in (5, 9, 17)]

    features = told(*first, *codes, passed_on)[-1].features

    assert features.handed_on == handed_on
    assert features.other_minutes == 16
    assert features.codes_on_other == 2


def test_courted_is_whoever_has_met_nothing_but_what_takes_weeks() -> None:
    friend = replace(signal("fraud-number-sms", 0, "a"), scam_type="romance-investment")
    answer = replace(signal("fraud-number-reply", HOUR, "b"), scam_type="romance-investment")

    assert [each.features.courted for each in told(friend, answer)] == [1.0, 1.0]
    assert [each.features.courted for each in told(friend, signal("fraud-number-sms", HOUR, "c"), answer)][-1] == 0.0
    assert told(signal("fraud-number-sms", 0))[0].features.courted == 0.0


def test_features_say_how_much_and_in_what_order() -> None:
    features = told(
        signal("fraud-number-sms", 0, "m"),
        signal("fraud-number-reply", MINUTE, "r"),
        signal("fraud-number-call", 2 * MINUTE, "c"),
        signal("verification-code", 3 * MINUTE, "v"),
        signal("fraud-number-talk", 8 * MINUTE, "c", minutes=6),
        signal("bank-notice", 20 * MINUTE, "n"),
        signal("fraud-number-missed", 120 * MINUTE, "d"),
    )[-1].features

    assert (features.messages, features.replies, features.answered_calls, features.missed_calls) == (1, 1, 1, 1)
    assert (features.talk_minutes, features.longest_minutes, features.hours) == (6, 6, 2)
    assert (features.codes_on_call, features.codes_after, features.notices_after_code) == (1, 1, 1)
    assert (features.quiet_minutes, features.since_talk_minutes, features.identities) == (0, 112, 1)
