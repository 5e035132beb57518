"""Recorded topics: a replay of them decides what the live run decided, with the broker's times and heartbeats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from models.base.durations import HOUR, MINUTE, SECOND
from models.detection.alerts import Alert, encode
from models.detection.engine import Engine, StepResult
from models.detection.partition import Partition
from models.detection.risk import PointScore
from models.detection.signals import Heartbeat, Purge, SignalRecord
from models.events.batches import Calls, Messages
from models.events.event import Call
from streams.cli.replay import replay
from streams.files.records import RecordFiles, RefusedLine, packed_lines
from streams.kafka.partitioning import partition_of
from streams.replay.recorded import RecordedSignal, RecordedSignals, recorded
from streams.replay.replay import Replay
from tests.site import ROOT
from tests.strategies import (
    ANN,
    BO,
    CALLS,
    CROOK,
    CY,
    MESSAGES,
    POLICY,
    T0,
    calls_of,
    end,
    known,
    messages_of,
    sms,
    start,
)

RULES = replace(POLICY, contact=replace(POLICY.contact, in_progress=32, talk=32))
"""A policy by which a call is medium when it starts, and high once it has lasted for ten minutes."""

TOLERANCE, WAIT = POLICY.clock.tolerance_ms, POLICY.clock.wait_ms
PARTITIONS = 8


def fields(call: Call, **more: Any) -> dict[str, Any]:
    """A call's record, with more fields."""
    made = {name: value for name, value in msgspec.structs.asdict(call).items() if value not in (None, -1.0)}
    return made | more


def lines(*records: dict[str, Any]) -> bytes:
    """Records as lines of a file."""
    return b"\n".join(json.dumps(record).encode() for record in records) + b"\n"


def test_a_line_counts_as_the_record_that_it_is_a_copy_of() -> None:
    ahead = start("c", 8 * HOUR)
    told = [fields(ahead, appended=T0), fields(ahead), fields(ahead, appended="soon"), {"id": "no record"}]

    read = recorded(CALLS.read, TOLERANCE)(packed_lines(lines(*told)[:-1]))

    assert read.events.times.tolist() == [T0, ahead.at, ahead.at]
    assert [refusal.index for refusal in read.refusals] == [3]


def test_lines_without_append_times_are_read_as_they_are() -> None:
    read = recorded(CALLS.read, TOLERANCE)(packed_lines(lines(fields(start("c", 8 * HOUR)))[:-1]))

    assert read.events.arrivals is None


# A live log: calls with the time at which each arrived, in the order of arrival; and the heartbeats among them.
ARRIVING = [
    (start("c", 0), T0 + SECOND),
    (start("d", 8 * HOUR, subscriber=BO), T0 + 5 * SECOND),  # a switch that is eight hours ahead
    (end("d", 8 * HOUR + 20 * SECOND, 11.0, subscriber=BO), T0 + 30 * SECOND),
    (end("c", 12 * MINUTE, 700.0), T0 + 20 * MINUTE),  # an end record that comes eight minutes late
    (start("e", HOUR, subscriber=CY), T0 + HOUR),  # and a call that nobody sees end
]
BEATS = [T0 + minutes * MINUTE + WAIT + SECOND for minutes in (1, 10, 15, 61, 70)]


def live() -> list[bytes]:
    """The alerts of a worker that reads the log as it grows, one partition for each subscriber."""
    deciding, partitions = Engine(known(), RULES, PointScore()), {who: Partition(0) for who in (ANN, BO, CY)}
    alerts: list[Alert] = []
    happened: list[tuple[int, Call | None]] = [(appended, call) for call, appended in ARRIVING]
    for appended, call in sorted([*happened, *((at, None) for at in BEATS)], key=lambda each: each[0]):
        if call is None:
            for who in (ANN, CY):
                alerts += deciding.step(partitions[who], signals=[Heartbeat(0, 0, appended)]).alerts
        else:
            columns = calls_of([call]).arrived(np.array([appended]), TOLERANCE)
            alerts += deciding.step(partitions[call.subscriber], [columns]).alerts
    return [encode(alert) for alert in alerts]


def record(folder: Path) -> tuple[Path, Path]:
    """Write the log as files: the calls and the signals."""
    calls, signals = folder / "calls.jsonl", folder / "signals.jsonl"
    calls.write_bytes(lines(*(fields(call, appended=appended) for call, appended in ARRIVING)))
    beats = [{"calls": 0, "sms": 0, "until": at + 60_000, "appended": at} for at in BEATS]
    numbers = [partition_of(who.encode(), PARTITIONS) for who in (ANN, CY)]
    signals.write_bytes(lines(*(beat | {"partition": number} for beat in beats for number in numbers)))
    return calls, signals


def refuse(line: object) -> None:
    """No line of these files may be refused."""
    raise AssertionError(line)


def test_a_recorded_topic_replays_byte_for_byte(tmp_path: Path) -> None:
    calls, signals = record(tmp_path)
    alerts: list[bytes] = []

    Replay(Engine(known(), RULES, PointScore()), PARTITIONS, lambda alert: alerts.append(encode(alert))).run(
        RecordFiles([calls], recorded(CALLS.read, TOLERANCE), refuse).chunks(),
        RecordFiles([], MESSAGES.read, refuse).chunks(),
        [
            each
            for some in RecordFiles([signals], RecordedSignals(PARTITIONS).signals, refuse).chunks()
            for each in some
        ],
    )

    expected = live()
    assert sorted(alerts) == sorted(expected)
    assert {json.loads(each)["at"] for each in expected} >= {T0, T0 + 10 * MINUTE, T0 + HOUR, T0 + HOUR + 10 * MINUTE}


class Steps(Engine):
    """An engine that notes what it is given, in order."""

    def step(
        self,
        partition: Partition,
        calls: Sequence[Calls] = (),
        sms: Sequence[Messages] = (),
        signals: Sequence[SignalRecord | Heartbeat | Purge] = (),
    ) -> StepResult:
        """Note the ids of the events, and the times of heartbeats."""
        seen.extend(event.id for some in calls for event in some)
        seen.extend(event.id for some in sms for event in some)
        seen.extend(each.until for each in signals if isinstance(each, Heartbeat))
        return super().step(partition, calls, sms, signals)


seen: list[str | int] = []


def test_a_signal_is_applied_behind_every_call_and_sms_that_had_arrived() -> None:
    """Also when the calls have ended and SMS go on."""
    seen.clear()
    calls = calls_of([start("c", 0)]).arrived(np.array([T0]), TOLERANCE)
    messages = [sms(f"m{minutes}", minutes * MINUTE) for minutes in (1, 2, 3)]
    times = np.array([each.at for each in messages])
    beats = [RecordedSignal(T0 + at * MINUTE + 1, 0, Heartbeat(1, 0, T0 + at * MINUTE)) for at in (1, 2, 9)]

    Replay(Steps(known(), RULES, PointScore()), 1, print).run(
        iter([calls]), (messages_of([each]).arrived(times[[at]], TOLERANCE) for at, each in enumerate(messages)), beats
    )

    assert seen == ["c", "m1", T0 + MINUTE, "m2", T0 + 2 * MINUTE, "m3", T0 + 9 * MINUTE]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"calls": 0, "sms": 0, "until": T0, "partition": 1}, "wrong-field"),
        ({"calls": 0, "sms": 0, "until": T0, "appended": T0}, "wrong-field"),
        ({"calls": 0, "sms": 0, "until": T0, "appended": T0, "partition": PARTITIONS}, "wrong-field"),
        ({"sms": 0, "until": T0, "appended": T0, "partition": 1}, "wrong-field"),
        ({"id": "s", "subscriber": ANN, "code": "verification-code", "at": T0, "event": "m"}, "wrong-field"),
    ],
)
def test_a_recorded_signal_without_its_place_is_refused(tmp_path: Path, told: dict[str, Any], reason: str) -> None:
    file, refused = tmp_path / "signals.jsonl", list[RefusedLine]()
    file.write_bytes(lines(told))

    (some,) = RecordFiles([file], RecordedSignals(PARTITIONS).signals, refused.append).chunks()

    assert some == []
    assert [line.reason for line in refused] == [reason]


def test_a_recorded_signal_of_a_look_back_goes_to_its_subscribers_partition() -> None:
    told = {"id": "s", "subscriber": ANN, "code": "verification-code", "at": T0, "event": "m", "appended": T0 + 7}

    (signal,) = RecordedSignals(PARTITIONS).signals(packed_lines(json.dumps(told).encode())).events

    assert (signal.appended, signal.partition) == (T0 + 7, partition_of(ANN.encode(), PARTITIONS))


def test_the_command_replays_a_recorded_topic(tmp_path: Path) -> None:
    calls, signals = record(tmp_path)
    indicators, out = tmp_path / "indicators.jsonl", tmp_path / "alerts.jsonl"
    indicators.write_bytes(
        lines(
            {"type": "number", "value": CROOK, "scam_type": "loan", "confidence": 100, "source": "t", "valid_from": 0}
        )
    )
    files = [f"--calls={calls}", f"--signals={signals}", f"--indicators={indicators}", f"--out={out}"]

    policy = tmp_path / "policy.yaml"
    text = (ROOT / "examples" / "policy-points.yaml").read_text(encoding="utf-8")
    policy.write_text(text.replace("in_progress: 72", "in_progress: 32").replace("  talk: 72", "  talk: 32"), "utf-8")

    done = CliRunner().invoke(replay, [*files, f"--policy={policy}", "--model=points"])

    assert done.exit_code == 0, done.output
    high = [alert for alert in map(json.loads, out.read_bytes().splitlines()) if alert["severity"] == "high"]
    assert {alert["at"] for alert in high} >= {T0 + 10 * MINUTE, T0 + HOUR + 10 * MINUTE}
