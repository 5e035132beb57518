"""Purging: a partition forgets a person, or a number's earlier holder, and nobody else."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from models.base.durations import HOUR, MINUTE
from models.detection.partition import Partition
from models.detection.signals import Heartbeat, Purge, bounded
from models.events.event import Call, Sms
from tests.strategies import ANN, BO, CODE_TEXT, T0, clock, end, engine, histories, sms, split, start

DAY_AFTER = 24 * HOUR


def purge(after: int = DAY_AFTER, subscriber: str = ANN) -> Purge:
    """A purge of everything before ``after`` ms from `T0`."""
    return Purge("p", subscriber, T0 + after)


def test_a_purged_person_is_gone_and_nobody_else() -> None:
    deciding, partition, other = engine(), Partition(0), Partition(0)
    deciding.step(partition, calls=[start("a", 0), start("b", 0, subscriber=BO)])
    deciding.step(other, calls=[start("b", 0, subscriber=BO)])

    result = deciding.step(partition, signals=[purge()])

    assert partition.subjects == other.subjects
    assert (result.forgotten, result.changed, result.alerts) == ({ANN}, set(), [])
    assert ANN not in str([partition.purged, partition.contexts, partition.call_clock])


def test_context_alone_is_purged_too() -> None:
    deciding, partition = engine(), Partition(0)
    deciding.step(partition, sms=[sms("m", 0, CODE_TEXT)])

    assert deciding.step(partition, signals=[purge()]).forgotten == {ANN}
    assert (partition.subjects, partition.contexts) == ({}, {})


def test_the_clocks_of_a_quiet_partition_do_not_keep_a_number() -> None:
    """Not even that of a record from before that comes later."""
    deciding, partition = engine(), Partition(0)
    deciding.step(partition, calls=[start("a", 0)], sms=[sms("m", 0), sms("n", 0, subscriber=BO)])
    assert ANN in partition.call_clock.pending

    deciding.step(partition, signals=[purge()])
    deciding.step(partition, calls=[start("late", 1)])

    assert (partition.call_clock.pending, [*partition.sms_clock.pending]) == ({}, [BO])


def test_what_is_purged_in_the_step_in_which_it_came_raises_no_alert() -> None:
    result = engine().step(partition := Partition(0), calls=[start("a", 0)], signals=[purge()])

    assert (result.alerts, result.reminders, partition.subjects) == ([], [], {})


def test_a_record_from_before_that_comes_later_is_ignored_and_one_from_after_counts() -> None:
    deciding, partition = engine(), Partition(0)
    deciding.step(partition, signals=[purge(HOUR)])

    assert deciding.step(partition, calls=[start("old", HOUR - 1)]).alerts == []
    assert partition.subjects == {}
    (alert,) = deciding.step(partition, calls=[start("new", HOUR)]).alerts
    assert alert.first_seen == T0 + HOUR


def test_a_numbers_new_holder_starts_clean() -> None:
    """The alert about the earlier holder is not withdrawn, and the new holder's episode is another one."""
    deciding, moved, alone = engine(), Partition(0), Partition(0)
    deciding.step(moved, calls=[start("old", 0), start("new", DAY_AFTER)])
    deciding.step(alone, calls=[start("new", DAY_AFTER)])

    deciding.step(moved, signals=[purge()])

    (signal,) = moved.subjects[ANN].signals
    assert signal.event == "new"
    assert moved.subjects[ANN].signals == alone.subjects[ANN].signals
    after = deciding.step(moved, calls=[end("new", DAY_AFTER + 20 * MINUTE, 1200.0)])
    assert {alert.episode for alert in after.alerts if alert.status == "raised"} == {
        alert.episode for alert in deciding.step(alone, calls=[end("new", DAY_AFTER + 20 * MINUTE, 1200.0)]).alerts
    }


def test_a_purge_reaches_no_further_than_its_arrival() -> None:
    assert bounded(purge(HOUR), T0 + 5) == Purge("p", ANN, T0 + 5)
    assert bounded(purge(HOUR), T0 + 2 * HOUR) == purge(HOUR)


def test_who_was_purged_is_remembered_for_as_long_as_an_episode() -> None:
    deciding, partition = engine(), Partition(0)
    deciding.step(partition, signals=[purge(HOUR)], calls=clock(145 * HOUR))
    deciding.expire(partition)
    assert len(partition.purged) == 1

    deciding.step(partition, calls=clock(145 * HOUR + 1))
    deciding.expire(partition)

    assert partition.purged == {}


@given(histories(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_purge_has_the_same_effect_wherever_it_is_read_among_the_records(
    records: list[Call | Sms], data: st.DataObject
) -> None:
    """So a worker that reads the logs again forgets the same people, in whatever order the topics are read."""
    deciding = engine()
    at = data.draw(st.integers(0, len(records)))
    first, last = records[:at], records[at:]
    early, late = Partition(0), Partition(0)

    def step(partition: Partition, some: Sequence[Call | Sms], signals: Sequence[Purge | Heartbeat] = ()) -> None:
        calls, messages = split([*some])
        deciding.step(partition, calls=calls, sms=messages, signals=signals)

    step(early, first, [purge(12 * HOUR)])
    step(early, last)
    step(late, records)
    step(late, [], [purge(12 * HOUR)])

    assert ANN not in early.subjects
    assert {who: subject.signals for who, subject in early.subjects.items()} == {
        who: subject.signals for who, subject in late.subjects.items()
    }
