"""Forgetting: what a partition drops and when, and what a restart restores."""

from __future__ import annotations

import msgspec
import pytest

from models.base.durations import DAY, HOUR, MINUTE
from models.detection.calls_in_progress import Wakes
from models.detection.episodes import Subject
from models.detection.partition import MOST_CONTEXTS, Partition
from models.detection.signals import SignalRecord
from models.detection.watermarks import Watermark
from tests.strategies import ANN, BANK, CODE_TEXT, CROOK, FRIEND, POLICY, T0, clock, end, engine, saved, sms, start


def test_context_is_forgotten_after_its_window_and_with_it_what_a_late_contact_would_have_met() -> None:
    """The one exception to "order does not matter": a contact that arrives after its context was dropped."""
    deciding = engine()
    code, call = sms("m", 0, CODE_TEXT), start("c", MINUTE)
    ticks = [sms(f"t{who}", 61 * MINUTE, subscriber=f"861000098000{who}") for who in range(6)]
    in_time, late = Partition(0), Partition(0)

    deciding.step(in_time, calls=[call], sms=[code, *ticks])
    deciding.step(in_time, calls=clock(61 * MINUTE))
    deciding.step(late, sms=[code, *ticks])
    forgotten = deciding.step(late, calls=clock(61 * MINUTE)).forgotten
    deciding.step(late, calls=[call])

    assert forgotten == {ANN}
    assert {word.last.severity for word in in_time.subjects[ANN].published.values()} == {"urgent"}
    assert {word.last.severity for word in late.subjects[ANN].published.values()} == {"high"}


def test_only_so_many_are_remembered_for_context_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are dropped first; subscribers with a contact never are."""
    assert MOST_CONTEXTS == 100_000
    monkeypatch.setattr("models.detection.engine.MOST_CONTEXTS", 3)
    deciding, partition = engine(), Partition(0)
    people = [f"86100000000{who}" for who in range(10, 16)]
    deciding.step(partition, calls=[start("c", 0)])

    outcome = deciding.step(
        partition, sms=[sms(who, index, CODE_TEXT, subscriber=who) for index, who in enumerate(people)]
    )

    assert outcome.forgotten == set(people[:3])
    assert outcome.changed == set(people[3:])
    assert partition.subjects.keys() == {ANN, *people[3:]}
    assert saved(partition).contexts == partition.contexts


def test_more_context_keeps_a_subscriber_among_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.detection.engine.MOST_CONTEXTS", 2)
    deciding, partition = engine(), Partition(0)
    a, b, c = (f"86100000000{who}" for who in range(10, 13))

    deciding.step(partition, sms=[sms(str(at), at, CODE_TEXT, subscriber=who) for at, who in enumerate([a, b, a, c])])

    assert partition.subjects.keys() == {a, c}


def test_a_closed_episode_is_forgotten_twice_its_quiet_time_after_its_last_contact() -> None:
    deciding, partition = engine(), Partition(0)
    deciding.step(partition, calls=[start("c", 0)])

    deciding.step(partition, calls=clock(144 * HOUR))
    assert deciding.expire(partition).forgotten == set()

    deciding.step(partition, calls=clock(144 * HOUR + 1))
    assert deciding.expire(partition).forgotten == {ANN}
    assert partition.subjects == {}


def test_daily_codes_do_not_keep_an_old_episode_for_ever() -> None:
    """Signals older than the retention are dropped; recent context stays for a future episode."""
    deciding, partition = engine(), Partition(0)
    deciding.step(partition, calls=[start("c", 0)])
    for day in range(1, 8):
        deciding.step(partition, calls=clock(day * DAY), sms=[sms(f"m{day}", day * DAY, CODE_TEXT)])

    outcome = deciding.expire(partition)

    assert (outcome.changed, outcome.forgotten) == ({ANN}, set())
    assert partition.subjects[ANN].published == {}
    assert [each.event for each in partition.subjects[ANN].signals] == ["m1", "m2", "m3", "m4", "m5", "m6", "m7"]
    assert partition.contexts == saved(partition).contexts == {ANN: T0 + 7 * DAY}
    assert deciding.expire(partition) == type(outcome)()


def test_an_episode_that_goes_on_keeps_its_name_however_long() -> None:
    """The first contact may be older than the retention, as long as there was no quiet period in between."""
    deciding, partition = engine(), Partition(0)
    names = set()
    for step in range(5):
        outcome = deciding.step(
            partition, calls=[*clock(step * 70 * HOUR - 1), end(f"c{step}", step * 70 * HOUR, 90 + step)]
        )
        names |= {alert.episode for alert in outcome.alerts}
        deciding.expire(partition)

    assert len(names) == 1
    assert len(partition.subjects[ANN].signals) == 5


def test_a_topic_that_is_read_again_from_far_behind_keeps_its_episodes() -> None:
    """The clock of the faster topic must not make the engine forget what the slower one is just adding."""
    deciding, partition = engine(), Partition(0)
    ahead = [sms(f"t{who}", 30 * DAY, subscriber=f"861000098000{who}") for who in range(6)]
    deciding.step(partition, calls=[*clock(0), start("c", 0)], sms=ahead)

    assert deciding.expire(partition).forgotten == set()


def test_who_has_no_signal_left_is_forgotten() -> None:
    deciding, partition = engine(), Partition(0)
    for status in ("raised", "withdrawn"):
        record = SignalRecord("s", ANN, "fraud-number-talk", T0, "c", CROOK, duration_s=90.0, status=status)
        deciding.step(partition, signals=[record])

    assert saved(partition).contexts == {}
    assert deciding.expire(partition).forgotten == {ANN}


def test_a_mark_of_somebody_forgotten_or_without_a_word_passes_in_silence() -> None:
    deciding, partition = engine(), Partition(0)
    for who in (ANN, FRIEND):
        raised = SignalRecord("s", who, "fraud-number-call", T0 + HOUR, "c", CROOK)
        withdrawn = msgspec.structs.replace(raised, status="withdrawn")
        assert deciding.step(partition, signals=[raised, withdrawn]).alerts == []
        if who == ANN:
            assert deciding.expire(partition).forgotten == {ANN}

    assert deciding.step(partition, calls=clock(2 * HOUR)).alerts == []
    assert partition.wakes == Wakes()


def test_who_keeps_context_alone_after_a_withdrawal_is_remembered_as_such() -> None:
    """The result is the same as after a restart."""
    deciding, partition = engine(), Partition(0)
    deciding.step(partition, calls=[start("c", 0)], sms=[sms("m", MINUTE, CODE_TEXT)])
    deciding.indicators.remove(f"number:{CROOK}")

    deciding.reconcile(partition)

    assert partition.contexts == saved(partition).contexts == {ANN: T0 + MINUTE}


def test_a_restart_wakes_at_the_next_mark() -> None:
    deciding, partition = engine(), Partition(0)
    deciding.step(partition, calls=[*clock(-1), start("c", 0), start("b", 1, peer=BANK, direction="out")])
    deciding.step(partition, calls=[*clock(2 * MINUTE), start("d", 3 * MINUTE, peer=FRIEND)])

    ahead = next(minutes for minutes in POLICY.windows.watched if minutes > 3)
    assert [(due, who) for due, _, who, _ in partition.wakes.by_records] == [(T0 + int(ahead * MINUTE), ANN)]
    assert saved(partition).wakes == partition.wakes


def test_state_from_before_the_brokers_clock_is_read() -> None:
    """Its clocks have no append times, and its subjects no arrivals: such calls wait for records, as they did."""
    deciding, partition = engine(), Partition(0)
    deciding.step(partition, calls=[*clock(0), start("c", 0)])
    old_clock = msgspec.msgpack.encode([partition.call_clock.at, {}])
    old_subject = msgspec.msgpack.encode(msgspec.to_builtins(partition.subjects[ANN])[:3])

    assert msgspec.msgpack.decode(old_clock, type=Watermark) == partition.call_clock
    assert msgspec.msgpack.decode(old_subject, type=Subject) == partition.subjects[ANN]


def test_state_survives_its_own_encoding() -> None:
    deciding, partition = engine(), Partition(0)
    deciding.step(partition, calls=[start("c", 0)], sms=[sms("m", MINUTE, CODE_TEXT)])
    subject = partition.subjects[ANN]

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(subject), type=Subject) == subject
    assert not any(word.last.reasons for word in subject.published.values())
