"""The engine's guarantees: cuts, order, repeats and restarts do not change which alerts hold in the end."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base.durations import HOUR, MINUTE
from models.detection.alerts import Alert, Published, encode
from models.detection.engine import StepResult
from models.detection.episodes import Subject
from models.detection.partition import Partition
from models.events.event import LATEST, Call, Sms
from models.policy.policy import parse
from streams.files import model_file
from tests.strategies import POLICY, T0, ToldEngine, clock, end, engine, histories, known, saved, sms, split, start

SPAN = 2 * HOUR
PATIENT = msgspec.structs.replace(POLICY, windows=msgspec.structs.replace(POLICY.windows, context_kept=10_080))
"""A policy that remembers context for so long that no order of arrival can make it forgotten."""

CUTS = st.lists(st.integers(0, 100), max_size=8)

Records = list[Call | Sms]


def begun(deciding: ToldEngine) -> Partition:
    """A partition whose call clock is running."""
    partition = Partition(0)
    deciding.step(partition, calls=clock(-1))
    return partition


def pieces(records: Records, cuts: list[int]) -> list[Records]:
    """The records, cut into pieces at these places."""
    places = sorted({0, len(records), *(cut % (len(records) + 1) for cut in cuts)})
    return [records[begin:end] for begin, end in pairwise(places)]


def run(deciding: ToldEngine, partition: Partition, records: Records, cuts: list[int]) -> list[StepResult]:
    """Step through the records, cut at these places; at the end, let the clock run on."""
    outcomes = []
    for piece in pieces(records, cuts):
        calls, messages = split(piece)
        outcomes.append(deciding.step(partition, calls=calls, sms=messages))
    outcomes.append(deciding.step(partition, calls=clock(SPAN + 3 * HOUR)))
    return outcomes


def alerts_of(outcomes: list[StepResult]) -> list[Alert]:
    """All alerts, in the order of publication."""
    return [alert for result in outcomes for alert in result.alerts]


def last_words(partition: Partition) -> dict[str, Published]:
    """The last published state of each alert."""
    return {name: word for subject in partition.subjects.values() for name, word in subject.published.items()}


def same_in_the_end(one: Partition, in_order: Partition) -> None:
    """Assert that every alert of the in-order run is there, and that alerts on partial records are withdrawn."""
    words, expected = last_words(one), last_words(in_order)
    assert {name: words.get(name) for name in expected} == expected
    assert {words[name].last.status for name in words.keys() - expected.keys()} <= {"withdrawn"}


def heard(alerts: list[Alert], partition: Partition) -> None:
    """Assert that a consumer who read the alerts knows the state that the partition has."""
    for name, alert in {alert.id: alert for alert in alerts}.items():
        word = partition.subjects[alert.subscriber].published[name].last
        assert msgspec.structs.replace(alert, reasons=()) == word


@given(histories(SPAN), CUTS, st.sampled_from([Call, Sms]))
def test_alerts_of_one_topic_in_order_are_the_same_bytes_for_any_cut(
    records: Records, cuts: list[int], kind: type[Call | Sms]
) -> None:
    deciding = engine()
    of_topic: Records = [record for record in records if isinstance(record, kind)]
    whole, cut = begun(deciding), begun(deciding)

    at_once = alerts_of(run(deciding, whole, of_topic, []))
    in_pieces = alerts_of(run(deciding, cut, of_topic, cuts))

    assert [encode(alert) for alert in in_pieces] == [encode(alert) for alert in at_once]
    assert cut.subjects == whole.subjects


@given(histories(SPAN), CUTS, st.randoms(use_true_random=False))
def test_what_stands_in_the_end_does_not_depend_on_how_the_topics_interleave(
    records: Records, cuts: list[int], random: Random
) -> None:
    """Each topic is in order, but one may be far behind the other. Context is kept as long as the policy says."""
    deciding = engine()
    calls, messages = split(records)
    mixed: Records = []
    while calls or messages:
        source = random.choice([each for each in (calls, messages) if each])
        count = random.choice([1, 5, 100])
        mixed += source[:count]
        del source[:count]
    together, apart = begun(deciding), begun(deciding)

    run(deciding, together, records, [])
    alerts = alerts_of(run(deciding, apart, mixed, cuts))

    same_in_the_end(apart, together)
    heard(alerts, apart)


@given(histories(SPAN), CUTS, st.randoms(use_true_random=False))
def test_what_stands_in_the_end_does_not_depend_on_the_order_of_arrival(
    records: Records, cuts: list[int], random: Random
) -> None:
    deciding = engine(policy=PATIENT)
    shuffled = random.sample(records, len(records))
    in_order, late = begun(deciding), begun(deciding)

    run(deciding, in_order, records, list(range(100)))
    alerts = alerts_of(run(deciding, late, shuffled, cuts))

    same_in_the_end(late, in_order)
    heard(alerts, late)


@given(histories(SPAN), CUTS, st.randoms(use_true_random=False))
def test_repeated_records_change_nothing(records: Records, cuts: list[int], random: Random) -> None:
    """Each record may come again at once or much later, any number of times."""
    deciding = engine()
    calls, _ = split(records)
    repeated: Records = list(calls)
    for _ in range(2 * len(calls)):
        place = random.randrange(len(repeated))
        repeated.insert(random.randint(place + 1, len(repeated)), repeated[place])
    once, again = begun(deciding), begun(deciding)

    expected = alerts_of(run(deciding, once, list(calls), []))
    alerts = alerts_of(run(deciding, again, repeated, cuts))

    assert [encode(alert) for alert in alerts] == [encode(alert) for alert in expected]
    assert again.subjects == once.subjects


@given(histories(SPAN), CUTS)
def test_all_records_read_a_second_time_change_nothing(records: Records, cuts: list[int]) -> None:
    """The worst case of redelivery: both topics are read again from the beginning."""
    deciding = engine(policy=PATIENT)
    partition = begun(deciding)
    run(deciding, partition, records, [])
    before = saved(partition, PATIENT)

    alerts = alerts_of(run(deciding, partition, records, cuts))

    assert alerts == []
    assert partition.subjects == before.subjects


@given(histories(SPAN), CUTS, st.booleans(), st.randoms(use_true_random=False))
def test_a_restart_at_any_point_changes_nothing(
    records: Records, cuts: list[int], in_order: bool, random: Random
) -> None:
    """Between any two steps, the state goes through the format of the checkpoint."""
    deciding = engine(policy=PATIENT)
    arriving = records if in_order else random.sample(records, len(records))
    steady, restarted = begun(deciding), begun(deciding)
    expected: list[Alert] = []
    alerts: list[Alert] = []

    rest: list[Records] = [*pieces(arriving, cuts), [*clock(SPAN + 3 * HOUR)]]
    for piece in rest:
        calls, messages = split(piece)
        expected += deciding.step(steady, calls=calls, sms=messages).alerts
        restarted = saved(restarted, PATIENT)
        alerts += deciding.step(restarted, calls=calls, sms=messages).alerts

    assert [encode(alert) for alert in alerts] == [encode(alert) for alert in expected]
    assert restarted.subjects == steady.subjects
    assert (restarted.call_clock, restarted.sms_clock) == (steady.call_clock, steady.sms_clock)
    assert restarted.contexts == steady.contexts


@given(histories(SPAN), CUTS, st.booleans(), st.randoms(use_true_random=False))
def test_a_step_names_every_subscriber_whose_state_has_changed(
    records: Records, cuts: list[int], in_order: bool, random: Random
) -> None:
    """Only these are written to the checkpoint: a store that is given nothing else has the same content as memory."""
    deciding = engine()
    arriving = records if in_order else random.sample(records, len(records))
    partition = begun(deciding)
    store: dict[str, bytes] = {}

    rest: list[Records] = [*pieces(arriving, cuts), [*clock(SPAN + 3 * HOUR)], [*clock(SPAN + 300 * HOUR)]]
    for piece in rest:
        calls, messages = split(piece)
        for result in (deciding.step(partition, calls=calls, sms=messages), deciding.expire(partition)):
            assert result.changed.isdisjoint(result.forgotten)
            for subscriber in result.changed:
                store[subscriber] = msgspec.msgpack.encode(partition.subjects[subscriber])
            for subscriber in result.forgotten:
                store.pop(subscriber, None)

        assert {who: msgspec.msgpack.decode(state, type=Subject) for who, state in store.items()} == partition.subjects


@given(histories(SPAN), CUTS)
def test_in_order_an_alert_is_raised_and_withdrawn_by_turns(records: Records, cuts: list[int]) -> None:
    calls, _ = split(records)
    deciding = engine()
    said: dict[str, list[str]] = {}

    for alert in alerts_of(run(deciding, begun(deciding), list(calls), cuts)):
        said.setdefault(alert.id, []).append(alert.status)

    for words in said.values():
        assert words == (["raised", "withdrawn"] * len(words))[: len(words)]


@given(histories(SPAN), CUTS, st.randoms(use_true_random=False))
def test_late_records_never_make_it_say_the_same_twice_and_begin_with_raised(
    records: Records, cuts: list[int], random: Random
) -> None:
    """A late record may raise an alert again with other facts, but every publication says something new."""
    deciding = engine(policy=PATIENT)
    said: dict[str, list[Alert]] = {}

    shuffled = random.sample(records, len(records))
    for alert in alerts_of(run(deciding, begun(deciding), shuffled, cuts)):
        said.setdefault(alert.id, []).append(alert)

    for words in said.values():
        assert words[0].status == "raised"
        assert all(one != other for one, other in pairwise(words))


@settings(max_examples=30)
@given(histories(SPAN))
def test_alerts_within_one_step_are_in_event_time(records: Records) -> None:
    deciding = engine()
    calls, messages = split(records)

    times = [alert.at for alert in deciding.step(begun(deciding), calls=calls, sms=messages).alerts]

    assert times == sorted(times)


@pytest.mark.parametrize("end_first", [False, True], ids=["end-last", "end-first"])
def test_an_end_by_a_clock_that_is_years_wrong_hides_no_call(end_first: bool) -> None:
    """It does not matter whether the end is read before or after the clock passes the call's milestones."""
    policy = parse((Path(__file__).parents[3] / "policy.yaml").read_bytes())
    deciding = ToldEngine(known(), policy, model_file.load("").model)
    partition = begun(deciding)
    begins, ends = start("x", 0), end("x", LATEST - T0, 0)
    steps = [[begins], [ends], clock(40 * MINUTE)] if end_first else [[begins], clock(40 * MINUTE), [ends]]

    for records in steps:
        deciding.step(partition, calls=records)

    standing = {word.last.severity for word in last_words(partition).values() if word.last.status == "raised"}
    assert standing == {"low", "medium", "high"}


def test_without_records_nothing_happens() -> None:
    partition = Partition(3)

    assert engine().step(partition) == StepResult()
    assert partition == Partition(3)


@pytest.mark.parametrize("minutes", [0, 59, 61])
def test_the_clock_of_the_slower_topic_decides_what_context_is_forgotten(minutes: int) -> None:
    """Context without a contact is dropped after its window, but not while the other topic is behind."""
    deciding = engine()
    partition = begun(deciding)
    ticks = [sms(f"tick{who}", minutes * MINUTE, subscriber=f"861000098000{who}") for who in range(6)]

    deciding.step(partition, sms=[sms("m", 0, "您的验证码是 482913，请勿告诉他人")])
    ahead = deciding.step(partition, sms=ticks)
    assert ahead.forgotten == set()

    both = deciding.step(partition, calls=clock(minutes * MINUTE))
    assert both.forgotten == ({"8610000000001"} if minutes == 61 else set())
