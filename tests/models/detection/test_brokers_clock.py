"""The broker's clock: it bounds the time of records, and carries time on while none come."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from models.base.durations import DAY, HOUR, MINUTE, SECOND
from models.detection.alerts import Alert
from models.detection.engine import Engine
from models.detection.partition import Partition
from models.detection.risk import PointScore
from models.detection.signals import Heartbeat
from models.events.arrivals import UNKNOWN, Arrivals
from models.events.batches import Calls, Messages
from models.events.event import Call, Sms
from tests.strategies import (
    ANN,
    BO,
    CODE_TEXT,
    CROOK,
    FRIEND,
    POLICY,
    T0,
    calls_of,
    clock,
    end,
    engine,
    histories,
    known,
    messages_of,
    saved,
    sms,
    split,
    start,
)

RULES = replace(
    POLICY,
    contact=replace(POLICY.contact, in_progress=32, talk=32),
    windows=replace(POLICY.windows, long_talk=7),
)
"""A policy by which a call is medium when it starts, and high once it has lasted for seven minutes."""

TOLERANCE, WAIT = POLICY.clock.tolerance_ms, POLICY.clock.wait_ms
APPENDED = T0 + 250 * DAY
"""When the broker wrote the record of `T0`: the records are old ones that are played today."""


def live(calls: Sequence[Call], lateness: int | Sequence[int] = 0, since: int = T0) -> Calls:
    """Calls as columns, each appended so many ms after it happened; what happened at `T0` counts from ``since``."""
    late = np.array(lateness, dtype=np.int64)
    times = np.array([each.at for each in calls], dtype=np.int64)
    return calls_of(calls).arrived(times - T0 + since + late, TOLERANCE)


def texts(messages: Sequence[Sms], since: int = T0) -> Messages:
    """The same of SMS that are not late."""
    times = np.array([each.at for each in messages], dtype=np.int64)
    return messages_of(messages).arrived(times - T0 + since, TOLERANCE)


def heartbeat(until: int) -> Heartbeat:
    """A heartbeat that has been read back."""
    return Heartbeat(0, 0, until)


def deciding() -> Engine:
    """An engine that takes columns."""
    return Engine(known(), RULES, PointScore())


def minutes_of(alerts: Sequence[Alert]) -> list[float]:
    """The minutes from `T0` to each alert."""
    return [(alert.at - T0) / MINUTE for alert in alerts]


# A wrong clock.


def test_a_record_from_further_ahead_than_the_tolerance_counts_at_its_append_time() -> None:
    ahead = [start("a", 0), start("b", TOLERANCE), start("c", TOLERANCE + 1)]
    events = calls_of(ahead).arrived(np.full(3, T0), TOLERANCE)

    assert events.times.tolist() == [T0, T0 + TOLERANCE, T0]
    assert [event.at for event in events] == events.times.tolist()
    assert events.trusted_times.tolist() == [T0, T0 + TOLERANCE, 0]


def test_a_record_whose_append_time_is_not_known_is_bounded_by_nothing() -> None:
    events = calls_of([start("a", 8 * HOUR)])

    assert events.arrived(np.array([UNKNOWN]), TOLERANCE) is events
    mixed = calls_of([start("a", 8 * HOUR), start("b", 8 * HOUR)]).arrived(np.array([UNKNOWN, T0]), TOLERANCE)
    assert mixed.times.tolist() == [T0 + 8 * HOUR, T0]


@given(st.lists(st.tuples(st.integers(-HOUR, 9 * HOUR), st.booleans()), min_size=1, max_size=12), st.data())
def test_parts_and_joins_of_a_batch_have_the_times_of_the_whole(
    records: list[tuple[int, bool]], data: st.DataObject
) -> None:
    calls = calls_of([start(f"c{number}", after) for number, (after, _) in enumerate(records)])
    appended = np.array([T0 if is_known else UNKNOWN for _, is_known in records], dtype=np.int64)
    whole = calls.arrived(appended, TOLERANCE)
    cut = data.draw(st.integers(0, len(records)))

    parts = [whole[:cut], whole[cut:]]
    joined = Calls.joined([each for each in parts if len(each)])

    assert [event.at for part in parts for event in part] == whole.times.tolist()
    assert [event.at for event in joined] == whole.times.tolist()
    assert joined.trusted_times.tolist() == whole.trusted_times.tolist()


def test_arrivals_of_batches_without_any_are_none() -> None:
    assert Arrivals.joined([None, None], [2, 3]) is None
    joined = Arrivals.joined([None, Arrivals(np.array([T0]))], [2, 1])
    assert joined is not None
    assert joined.appended.tolist() == [UNKNOWN, UNKNOWN, T0]


@settings(max_examples=25, deadline=None)
@given(histories(HOUR, 5), st.integers(0, 100), st.randoms(use_true_random=False))
def test_a_switch_eight_hours_ahead_changes_nothing_for_the_subscribers_of_others(
    records: list[Call | Sms], share: int, random: Random
) -> None:
    """Their clock and what stands in the end are the same, however many of the records are wrong.

    A milestone may be noticed sooner, since a wrong record has a right append time.
    """
    strangers = [f"86100007{number:05d}" for number in range(5)]
    wrong = [
        start(f"w{number}", record.at - T0, subscriber=random.choice(strangers), peer=CROOK)
        for number, record in enumerate(records)
        if random.randrange(100) < share
    ]
    alone, disturbed = Partition(0), Partition(0)
    _play(alone, records, [])
    _play(disturbed, records, wrong)

    assert disturbed.call_clock.at == alone.call_clock.at
    for subscriber, subject in alone.subjects.items():
        words = disturbed.subjects[subscriber].published
        assert {name: words.get(name) for name in subject.published} == subject.published
        assert {words[name].last.status for name in words.keys() - subject.published} <= {"withdrawn"}


def _play(partition: Partition, right: Sequence[Call | Sms], wrong: Sequence[Call]) -> None:
    """Step through records that come one by one, some from a switch eight hours ahead; then let the clock run on."""
    judged = deciding()
    arriving = sorted([*((each.at, 0, each) for each in right), *((each.at, 1, each) for each in wrong)], key=_order)
    for at, is_wrong, record in arriving:
        dated = replace(record, at=at + 8 * HOUR) if is_wrong else record
        calls, messages = split([dated])
        judged.step(
            partition,
            [calls_of(calls).arrived(np.full(len(calls), at), TOLERANCE)] if calls else [],
            [texts(messages)] if messages else [],
        )
    judged.step(partition, [calls_of(clock(5 * HOUR))])


def _order(arriving: tuple[int, int, Call | Sms]) -> tuple[int, int, str]:
    at, is_wrong, record = arriving
    return at, is_wrong, record.id


def test_the_subscribers_of_a_switch_that_is_ahead_do_not_go_blind() -> None:
    """Their alerts have the times of arrival, and the milestones of their calls come by the broker's clock."""
    partition = Partition(0)
    wrong = calls_of([start("c", 8 * HOUR)]).arrived(np.array([T0]), TOLERANCE)

    alerts = deciding().step(partition, [wrong]).alerts
    alerts += deciding().step(partition, signals=[heartbeat(T0 + 7 * MINUTE + WAIT)]).alerts

    assert minutes_of(alerts) == [0, 7]
    assert [alert.severity for alert in alerts] == ["medium", "high"]


# Still on the phone, by the broker's clock.


def test_one_call_and_nothing_else_is_noticed_at_its_milestones() -> None:
    """One subscriber, one start record, played months later: no other record ever comes."""
    partition, judged = Partition(0), deciding()
    alerts = judged.step(partition, [live([start("c", 0)], since=APPENDED)]).alerts

    early = judged.step(partition, signals=[heartbeat(APPENDED + 7 * MINUTE + WAIT - 1)]).alerts
    on_time = judged.step(partition, signals=[heartbeat(APPENDED + 7 * MINUTE + WAIT)]).alerts

    assert minutes_of(alerts) == [0]
    assert early == []
    assert minutes_of(on_time) == [7]


def test_the_next_milestone_is_what_a_heartbeat_is_needed_for() -> None:
    partition, judged = Partition(0), deciding()
    judged.step(partition, [live([start("c", 0), start("d", 5, peer=FRIEND, subscriber=BO)], since=APPENDED)])
    assert partition.next_milestone == APPENDED + MINUTE + WAIT

    judged.step(partition, signals=[heartbeat(APPENDED + 2 * MINUTE + WAIT)])
    assert partition.next_milestone == saved(partition, RULES).next_milestone == APPENDED + 3 * MINUTE + WAIT

    judged.step(partition, [live([end("c", 3 * MINUTE, 150.0)], since=APPENDED)])
    assert partition.next_milestone is None


def test_records_of_other_topics_carry_the_brokers_clock_of_calls_nowhere() -> None:
    """An SMS says nothing about how far `calls` was read."""
    partition, judged = Partition(0), deciding()
    judged.step(partition, [live([start("c", 0)])])

    assert judged.step(partition, sms=[texts([sms("m", HOUR, subscriber=BO)])]).alerts == []


def test_a_late_carrier_beside_a_prompt_one_brings_no_milestone_for_a_call_that_has_ended() -> None:
    """Both records of the call come nine minutes late, while others' records are of now."""
    partition, judged, late = Partition(0), deciding(), 9 * MINUTE
    alerts: list[Alert] = []
    for minute in range(30):
        records = [
            (start(f"t{minute}-{who}", minute * MINUTE, subscriber=f"86100008{who:05d}", peer=FRIEND), 0)
            for who in range(4)
        ]
        if minute == 9:
            records.append((start("c", 0), late))
        if minute == 14:
            records.append((end("c", 5 * MINUTE, 290.0), late))
        alerts += judged.step(partition, [live([each for each, _ in records], [late for _, late in records])]).alerts

    assert [(alert.severity, alert.status) for alert in alerts] == [("medium", "raised")]


def test_a_prompt_sms_does_not_make_a_late_call_go_on() -> None:
    """The SMS is later than the milestone, but says nothing about whether the call still went on then."""
    partition, judged = Partition(0), deciding()
    judged.step(partition, [live([*clock(9 * MINUTE)])], [texts([sms("m", 9 * MINUTE, CODE_TEXT)])])
    alerts = judged.step(partition, [live([start("c", 0)], 9 * MINUTE)]).alerts
    alerts += judged.step(partition, [live([end("c", MINUTE, 30.0)], 9 * MINUTE)]).alerts

    assert T0 + 7 * MINUTE not in {alert.at for alert in alerts}


def test_a_late_carrier_still_brings_the_milestones_of_a_call_that_goes_on() -> None:
    partition, judged, late = Partition(0), deciding(), 9 * MINUTE
    judged.step(partition, [live([*clock(9 * MINUTE)])])
    alerts = judged.step(partition, [live([start("c", 0)], late)]).alerts
    early = judged.step(partition, [live([*clock(16 * MINUTE + WAIT - 1)])]).alerts
    alerts += judged.step(partition, [live([*clock(16 * MINUTE + WAIT)])]).alerts

    assert early == []
    assert minutes_of(alerts) == [0, 7]


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[Call], list[int], list[tuple[int, int]]]:
    """A log of calls with how late each is, and heartbeats as (calls before it, broker's time)."""
    calls, _ = split(draw(histories(HOUR, 6)))
    late = [draw(st.sampled_from([0, 0, 0, SECOND, MINUTE, 7 * MINUTE])) for _ in calls]
    arriving = sorted(zip(calls, late, strict=True), key=lambda each: each[0].at + each[1])
    times = [call.at + after for call, after in arriving]
    gaps = [begin for begin, (one, other) in enumerate(pairwise([*times, times[-1] + 2 * HOUR]), 1) if other > one]
    beats = [
        (place, draw(st.integers(times[place - 1], times[place] - 1 if place < len(times) else times[-1] + 2 * HOUR)))
        for place in sorted(draw(st.sets(st.sampled_from(gaps), max_size=6)))
    ]
    return [call for call, _ in arriving], [after for _, after in arriving], beats


@settings(max_examples=60, deadline=None)
@given(logs(), st.lists(st.integers(0, 100), max_size=8), st.booleans())
def test_heartbeats_change_the_state_in_the_same_way_for_any_cut_and_restart(
    log: tuple[list[Call], list[int], list[tuple[int, int]]], cuts: list[int], restarts: bool
) -> None:
    """A heartbeat waits for the calls before it, and may be applied any time after them."""
    calls, late, beats = log
    columns = live(calls, late)
    whole, cut = Partition(0), Partition(0)
    judged = deciding()
    judged.step(whole, [columns], signals=[heartbeat(at) for _, at in beats])
    places = sorted({0, len(calls), *(each % (len(calls) + 1) for each in cuts)})
    for begin, stop in pairwise(places):
        due = [heartbeat(at) for place, at in beats if begin < place <= stop]
        judged.step(cut, [columns[begin:stop]], signals=due)
        cut = saved(cut, RULES) if restarts else cut

    assert (cut.call_clock, cut.sms_clock) == (whole.call_clock, whole.sms_clock)
    assert {who: _state(subject) for who, subject in cut.subjects.items()} == {
        who: _state(subject) for who, subject in whole.subjects.items()
    }
    assert {alert: status for alert, status in _standing(cut) if status == "raised"} == {
        alert: status for alert, status in _standing(whole) if status == "raised"
    }


def _state(subject: object) -> object:
    """What is remembered of a subscriber, without what was published on the way."""
    return subject.signals, subject.arrivals  # type: ignore[attr-defined]


def _standing(partition: Partition) -> list[tuple[str, str]]:
    return [(name, word.last.status) for each in partition.subjects.values() for name, word in each.published.items()]


# Forgetting.


@pytest.mark.parametrize("dead", ["calls", "sms"])
def test_a_feed_that_has_been_dead_for_weeks_keeps_nobody_in_memory(dead: str) -> None:
    partition, judged = Partition(0), deciding()
    strangers = [f"86100008{who:05d}" for who in range(6)]
    judged.step(partition, [live([*clock(0), start("c", 0), end("c", MINUTE, 50.0)])])
    judged.step(partition, sms=[texts([sms(f"u{who}", 0, subscriber=who) for who in strangers])])
    for day in range(1, 22):
        if dead == "sms":
            judged.step(partition, [live([*clock(day * DAY)])])
        else:
            judged.step(partition, sms=[texts([sms(f"m{day}{who}", day * DAY, subscriber=who) for who in strangers])])

    assert ANN in judged.expire(partition).forgotten


def test_without_append_times_a_topic_that_lags_holds_everybody() -> None:
    """A replay of files cannot tell a dead feed from one that is read later."""
    partition, judged = Partition(0), engine()
    strangers = [f"86100008{who:05d}" for who in range(6)]
    judged.step(
        partition, calls=[*clock(0), start("c", 0)], sms=[sms(f"u{who}", 0, subscriber=who) for who in strangers]
    )
    judged.step(partition, calls=clock(30 * DAY))

    assert judged.expire(partition).forgotten == set()
