"""Heartbeats: written when a milestone is due and all is read, and applied where they belong in the logs."""

from __future__ import annotations

import json
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from models.base.durations import MINUTE
from models.detection.alignment import Alignment, Portion
from models.detection.engine import Engine
from models.detection.partition import Partition
from models.detection.risk import PointScore
from models.detection.signals import Heartbeat, Purge
from models.events.arrivals import UNKNOWN
from streams.kafka.publishing import HEARTBEAT, PURGE, PublishError
from streams.kafka.signal_records import SignalReader, arrived
from streams.worker.heartbeats import EVERY, Heartbeats, due_signals
from streams.worker.partition import AssignedPartition, Feed
from streams.worker.partition_state import PartitionState
from tests.strategies import POLICY, T0, calls_of, end, known, packed, start

BEAT = Heartbeat(12, 7, T0)
WAIT = POLICY.clock.wait_ms


def encoded(beat: Heartbeat) -> bytes:
    """The value of a heartbeat's record."""
    return msgspec.json.encode(beat)


def test_heartbeats_and_purges_are_told_from_signals_by_their_keys() -> None:
    signal = json.dumps(
        {"id": "s", "subscriber": "8610000000001", "code": "verification-code", "at": T0, "event": "m"}
    ).encode()
    purge = msgspec.json.encode(Purge("p", "8610000000001", T0))
    values = [encoded(BEAT), signal, encoded(BEAT), b"{}", None, purge, b"{}"]
    keys = [HEARTBEAT, b"8610000000001", b"8610000000001", HEARTBEAT, HEARTBEAT, PURGE, PURGE]

    read = SignalReader().read(packed(values, keys))

    assert [type(each).__name__ for each in read.events] == ["Heartbeat", "SignalRecord", "Purge"]
    assert [(refusal.index, refusal.reason) for refusal in read.refusals] == [
        (2, "wrong-field"),
        (3, "wrong-field"),
        (4, "empty"),
        (6, "wrong-field"),
    ]


@pytest.mark.parametrize(("appended", "until"), [(T0 + 5, T0), (T0 - 5, T0 - 5), (UNKNOWN, UNKNOWN)])
def test_a_heartbeat_reaches_no_further_than_its_append_time(appended: int, until: int) -> None:
    """One that was on its way for long must not speak for the time in between."""
    (beat,) = arrived([BEAT], np.array([appended]))

    assert beat == Heartbeat(12, 7, until)


def waiting(*beats: Heartbeat | str) -> list[Portion]:
    """Portions of the topic, one for each heartbeat or other signal."""
    return [Portion([beat], None, 0, 1, whole=True) for beat in beats]


def test_a_heartbeat_waits_for_the_records_that_it_speaks_of_and_what_follows_waits_with_it() -> None:
    signals = waiting("one", BEAT, "other")
    more = {"calls": False, "sms": False}

    assert due_signals(signals, {"calls": 11, "sms": 7}, more) == (signals[:1], signals[1:])
    assert due_signals(signals, {"calls": 12, "sms": 6}, more) == (signals[:1], signals[1:])
    assert due_signals(signals, {"calls": 12, "sms": 7}, more) == (signals, [])
    assert due_signals(signals, {"calls": 99, "sms": 99}, more) == (signals, [])


def test_a_log_that_has_lost_its_end_holds_no_heartbeat_up() -> None:
    signals = waiting(BEAT)

    assert due_signals(signals, {"calls": 3, "sms": 7}, {"calls": True, "sms": False}) == (signals, [])


class Clock:
    """The machine's time and a monotonic clock, moved by hand."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> float:
        """Seconds since 1970."""
        return self.at / 1000

    monotonic = now


class Kafka:
    """The leaders of a partition's topics, which hold so many records, and the heartbeats published to it."""

    def __init__(self, **ends: int | None) -> None:
        self.ends = ends
        self.published: list[tuple[int, Heartbeat]] = []
        self.unstable = 0
        self.refuses = False

    async def heartbeat(self, partition: int, value: bytes) -> None:
        """Publish a heartbeat."""
        if self.refuses:
            raise PublishError("not allowed")
        self.published.append((partition, msgspec.json.decode(value, type=Heartbeat)))

    async def end_offset_now(self, topic: str, partition: int) -> int | None:
        """The end of a topic."""
        return self.ends[topic]

    def unstable_records(self, topic: str, partition: int) -> int:
        """Records of `calls` in an open transaction."""
        return self.unstable if topic == "calls" else 0


class Scene:
    """A partition with one call in progress, whose start record was appended at `T0` and is all that was read."""

    def __init__(self) -> None:
        self.clock = Clock(T0)
        self.kafka = Kafka(calls=1, sms=0, signals=0)
        self.engine = Engine(known(), POLICY, PointScore())
        partition = Partition(3)
        self.engine.step(partition, [calls_of([start("c", 0)]).arrived(np.array([T0]), 0)])
        state = PartitionState(partition)
        state.advance("calls", 1)
        feeds = {role: Feed(role, 0, 0.0, 0) for role in ("calls", "sms", "signals")}
        alignment = Alignment(partition.call_clock, partition.sms_clock)
        starts = dict.fromkeys(feeds, 0)
        fed = (cast("Any", feeds), starts, cast("Any", self.kafka))
        self.assigned = AssignedPartition(state, cast("Any", None), alignment, *fed)
        self.heartbeats = Heartbeats(cast("Any", self.kafka), self.clock.now, self.clock.monotonic)

    async def pass_to(self, at: int) -> int:
        """Let the time become ``at``; returns how many heartbeats have been written in all."""
        self.clock.at = at
        if self.heartbeats.is_due(self.assigned):
            await self.heartbeats.write(self.assigned)
        return len(self.kafka.published)


async def test_a_heartbeat_is_written_when_a_milestone_is_due_and_not_before() -> None:
    scene = Scene()

    assert await scene.pass_to(T0 + MINUTE + WAIT - 1) == 0
    assert await scene.pass_to(T0 + MINUTE + WAIT) == 1
    assert scene.kafka.published == [(3, Heartbeat(1, 0, T0 + MINUTE + WAIT))]


async def test_after_seven_minutes_without_any_record_the_call_has_been_judged_at_seven_minutes() -> None:
    """The clock is moved by hand; each heartbeat comes back with the broker's time, which is the same."""
    scene, read, at = Scene(), 0, T0
    partition = scene.assigned.state.partition
    judged: list[int] = []
    scene.engine = Engine(
        known(),
        POLICY,
        PointScore(),
        witness=lambda who, episode, moments, risks: judged.extend(moment.at for moment in moments),
    )
    while at < T0 + 7 * MINUTE + WAIT:
        at += 1000
        if await scene.pass_to(at) > read:
            (beat,) = arrived([scene.kafka.published[read][1]], np.array([at]))
            read += 1
            scene.kafka.ends["signals"] = read
            scene.assigned.state.advance("signals", read)
            scene.engine.step(partition, signals=[beat])

    assert read == 5
    assert max(judged) == T0 + 7 * MINUTE


async def test_nothing_is_written_while_anything_is_unread_or_a_leader_does_not_answer() -> None:
    for topic in ("calls", "sms", "signals"):
        for end_of in (5, None):
            scene = Scene()
            scene.kafka.ends[topic] = end_of

            assert await scene.pass_to(T0 + 2 * MINUTE) == 0


async def test_nothing_is_written_while_the_end_of_a_call_may_be_in_an_open_transaction() -> None:
    scene = Scene()
    scene.kafka.unstable = 1
    assert await scene.pass_to(T0 + 2 * MINUTE) == 0

    scene.kafka.unstable = 0
    assert await scene.pass_to(T0 + 3 * MINUTE) == 1


async def test_nothing_is_written_for_a_call_that_has_ended() -> None:
    scene = Scene()
    ended = calls_of([end("c", 50_000, 45.0)]).arrived(np.array([T0 + 50_000]), 0)
    scene.engine.step(scene.assigned.state.partition, [ended])

    assert await scene.pass_to(T0 + 30 * MINUTE) == 0


async def test_a_machine_whose_clock_is_ahead_repeats_heartbeats_slowly_and_one_behind_learns_kafkas_time() -> None:
    ahead, behind = Scene(), Scene()

    written = [await ahead.pass_to(T0 + 10 * MINUTE + step * 100) for step in range(int(EVERY * 10) + 1)]
    behind.clock.at = T0 - 20 * MINUTE
    behind.heartbeats.hear(T0)

    assert (written[0], written[-2], written[-1]) == (1, 1, 2)
    assert await behind.pass_to(T0 - 19 * MINUTE + WAIT) == 1


@pytest.mark.parametrize("refused", [True, False])
async def test_heartbeats_that_can_have_no_effect_are_written_no_more(refused: bool) -> None:
    scene = Scene()
    scene.kafka.refuses = refused
    if not refused:
        scene.heartbeats.check(arrived([BEAT], np.array([UNKNOWN])))

    await scene.pass_to(T0 + 2 * MINUTE)
    scene.kafka.refuses = False

    assert await scene.pass_to(T0 + 20 * MINUTE) == 0
