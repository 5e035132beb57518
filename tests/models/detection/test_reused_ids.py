"""Reused ids: records of one call stay together, and another call with the same id is told apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.base.durations import DAY, HOUR, MINUTE, SECOND
from models.detection.partition import Partition
from models.detection.reused_ids import record_id, told_apart
from models.detection.signals import Signal
from tests.strategies import ANN, CROOK, FRIEND, T0, end, engine, sms, start

KINDS = ("fraud-number-call", "fraud-number-talk", "fraud-number-missed", "fraud-domain-sms", "fraud-number-sms")


def signal(kind: str, after: int, event: str = "1", talk_s: float = 0) -> Signal:
    """A signal, ``after`` ms from `T0`."""
    return Signal(T0 + after, kind, event, CROOK, "number:1", "loan", 100, talk_s)


def names(*signals: Signal) -> list[int]:
    """For each signal in event time, the number of the call or SMS that it is of."""
    told = [each.event for each in told_apart(sorted(signals))]
    return [list(dict.fromkeys(told)).index(each) for each in told]


def test_a_start_after_an_end_is_another_call() -> None:
    for gap in (5 * MINUTE, HOUR, DAY):
        first = [signal("fraud-number-call", 0), signal("fraud-number-talk", MINUTE, talk_s=50)]
        second = [signal("fraud-number-call", gap), signal("fraud-number-talk", gap + 10 * MINUTE, talk_s=590)]

        assert names(*first, *second) == [0, 0, 1, 1]


def test_a_start_long_after_a_start_is_another_call_though_the_end_is_lost() -> None:
    lost = signal("fraud-number-call", 0)
    second = [signal("fraud-number-call", HOUR), signal("fraud-number-talk", HOUR + 10 * MINUTE, talk_s=590)]

    assert names(lost, *second) == [0, 1, 1]


def test_an_end_is_of_the_call_that_began_when_its_talk_did() -> None:
    """The calls of two carriers with one id overlap."""
    starts = [signal("fraud-number-call", 0), signal("fraud-number-call", 20 * MINUTE)]
    ends = [
        signal("fraud-number-talk", 30 * MINUTE, talk_s=590),
        signal("fraud-number-talk", 40 * MINUTE, talk_s=2390),
    ]

    assert names(*starts, *ends) == [0, 1, 1, 0]


def test_ends_whose_starts_are_lost_are_calls_of_their_own() -> None:
    ends = [signal("fraud-number-talk", at, talk_s=50) for at in (0, HOUR, DAY)]

    assert names(*ends) == [0, 1, 2]


def test_legs_and_repeats_are_one_call_and_count_once() -> None:
    starts = [signal("fraud-number-call", 0), signal("fraud-number-call", 3 * SECOND)]
    ends = [signal("fraud-number-talk", 10 * MINUTE, talk_s=590), signal("fraud-number-talk", 11 * MINUTE, talk_s=650)]

    told = told_apart([*starts, *ends])

    assert list(told) == [starts[0], ends[0]]


def test_an_end_that_arrives_alone_or_with_a_wrong_clock_stays_with_its_start() -> None:
    for after in (-HOUR, -3 * DAY, 5 * DAY):
        pair = sorted([signal("fraud-number-call", 0), signal("fraud-number-talk", after, talk_s=590)])

        assert told_apart(pair) is pair


def test_an_sms_at_another_time_is_another_sms_and_no_call() -> None:
    signals = [signal("fraud-domain-sms", 0), signal("fraud-number-sms", 0), signal("fraud-domain-sms", MINUTE)]

    assert names(*signals) == [0, 0, 1]
    assert names(signal("fraud-domain-sms", 0), signal("fraud-number-call", MINUTE)) == [0, 1]


@given(
    st.lists(
        st.builds(
            signal,
            st.sampled_from(KINDS),
            st.integers(-30 * HOUR, 30 * HOUR),
            st.sampled_from("ab"),
            st.floats(0, 43_200),
        ),
        max_size=12,
    )
)
def test_telling_apart_keeps_ids_and_times_and_is_done_once(signals: list[Signal]) -> None:
    told = told_apart(sorted(signals))

    assert {(record_id(each.event), each.at, each.kind) for each in told} <= {
        (each.event, each.at, each.kind) for each in signals
    }
    assert list(told_apart(told)) == list(told)
    assert {each.event for each in signals} == {record_id(each.event) for each in told}


def decided(*records: object) -> list[tuple[str, str, float]]:
    """The severity, status and talk time of the alerts that these call records give, one record a step."""
    deciding, partition = engine(), Partition(0)
    alerts = [
        alert
        for record in records
        for alert in deciding.step(partition, [record]).alerts  # type: ignore[list-item]
    ]
    return [(alert.severity, alert.status, alert.risk) for alert in alerts]


def test_the_second_talk_with_one_id_counts_as_with_an_id_of_its_own() -> None:
    def calls(first: str, second: str) -> list[object]:
        return [
            start(first, 0),
            end(first, MINUTE, 50),
            start(second, DAY),
            end(second, DAY + 10 * MINUTE, 590),
        ]

    assert decided(*calls("1", "1")) == decided(*calls("x1", "x2"))
    assert decided(*calls("1", "1")) == decided(*(calls("1", "1")[each] for each in (0, 1, 2, 3)))


def test_a_reason_names_the_records_as_they_are() -> None:
    deciding, partition = engine(), Partition(0)
    records = [start("1", 0), end("1", MINUTE, 50), start("1", DAY), end("1", DAY + 20 * MINUTE, 1190)]

    alerts = [alert for each in records for alert in deciding.step(partition, [each]).alerts]

    assert {event for alert in alerts for reason in alert.reasons for event in reason.events} == {"1"}


def test_a_running_call_is_judged_by_its_own_end_alone() -> None:
    """The id was used yesterday for a call that has ended; today's goes on, and the milestones must still come."""
    deciding, partition = engine(), Partition(0)
    deciding.step(partition, [start("1", 0), end("1", MINUTE, 50), start("1", DAY)])

    assert partition.subjects[ANN].is_on_the_phone(T0 + DAY + MINUTE)
    deciding.step(partition, [end("1", DAY + 10 * MINUTE, 590)])
    assert not partition.subjects[ANN].is_on_the_phone(T0 + DAY + 11 * MINUTE)


def test_a_hotline_rung_twice_with_one_id_gives_two_signals() -> None:
    """Start and end of one call give the same signal, which counts once."""
    deciding, partition = engine(), Partition(0)
    rung = [
        record
        for after in (0, DAY)
        for record in (
            start("1", after, peer="95588", direction="out"),
            end("1", after + 5 * MINUTE, 280, peer="95588", direction="out"),
        )
    ]
    deciding.step(partition, rung, [sms("m", 0, peer=FRIEND)])

    assert [each.at - T0 for each in partition.subjects[ANN].signals] == [0, DAY]
