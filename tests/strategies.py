"""Builders and strategies that the tests of the detection core share: made-up people, numbers and records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from hypothesis import strategies as st

from models.base.durations import HOUR, MINUTE, SECOND
from models.base.packed import Packed
from models.detection.engine import Engine, StepResult
from models.detection.episodes import Subject
from models.detection.partition import Partition
from models.detection.risk import PointScore
from models.detection.signals import Heartbeat, Purge, SignalRecord
from models.detection.watermarks import Watermark
from models.events.batches import Calls, Messages
from models.events.decoding import CallReader, MessageReader
from models.events.event import Call, Sms
from models.indicators.indicator import Indicator, IndicatorType
from models.indicators.matching import Indicators
from models.policy.policy import Policy, parse

POLICY: Policy = parse((Path(__file__).parent.parent / "examples" / "policy-points.yaml").read_bytes())
"""A policy of points, so that a reader can work out by hand how a record changes the risk."""

T0 = 1_760_000_000_000

ANN, BO, CY = "8610000000001", "8610000000002", "8610000000003"
CROOK, OTHER_CROOK = "99900000001", "99900000002"
FRIEND = "99900777777"
BANK, POLICE = "95588", "110"
EVIL = "evil.example"
CODE_TEXT = "您的验证码是 482913，请勿告诉他人"
NOTICE_TEXT = "【某行】您尾号0000的账户支出5000元，余额12元"

Direction = Literal["in", "out"]

CALLS, MESSAGES = CallReader(keyed=False), MessageReader(keyed=False)


def indicator(kind: IndicatorType, value: str, confidence: int = 100, **fields: Any) -> Indicator:
    """A known number, prefix, domain or URL, valid at any time unless the fields say otherwise."""
    return Indicator(
        type=kind,
        value=value,
        confidence=confidence,
        source="test",
        **{"scam_type": "loan", "valid_from": 0, **fields},
    )


def known() -> Indicators:
    """Two known numbers, a known prefix and a known domain."""
    return Indicators(
        [
            indicator("number", CROOK),
            indicator("number", OTHER_CROOK, 60, scam_type="fake-prize"),
            indicator("number-prefix", "9990055", 80),
            indicator("domain", EVIL, 90, scam_type="task-rebate"),
        ]
    )


def packed(values: Sequence[bytes | None], keys: Sequence[bytes | None] | None = None) -> Packed:
    """Records packed as they come from Kafka; without keys, as they come from a file."""
    pieces: list[bytes] = []
    places: list[tuple[int, int]] = []
    at = 0
    keys = keys if keys is not None else [None] * len(values)
    for piece in [*values, *keys]:
        places.append((-1, -1) if piece is None else (at, at + len(piece)))
        pieces.append(piece or b"")
        at += len(piece or b"")
    begins, ends = np.array(places, dtype=np.int64).reshape(-1, 2).T.copy()
    count = len(values)
    buffer = np.frombuffer(b"".join(pieces), dtype=np.uint8)
    return Packed(buffer, begins[:count], ends[:count], begins[count:], ends[count:])


def calls_of(calls: Iterable[Call]) -> Calls:
    """Calls as columns, decoded from their records."""
    decoded = CALLS.read(packed([msgspec.json.encode(_told(each)) for each in calls]))
    assert not decoded.refusals
    return decoded.events


def messages_of(messages: Iterable[Sms]) -> Messages:
    """SMS as columns, decoded from their records."""
    decoded = MESSAGES.read(packed([msgspec.json.encode(each) for each in messages]))
    assert not decoded.refusals
    return decoded.events


def _told(call: Call) -> dict[str, Any]:
    """A call's fields, without those that no record would have."""
    fields: dict[str, Any] = msgspec.structs.asdict(call)
    if call.duration_s < 0:
        del fields["duration_s"]
    return fields


class ToldEngine(Engine):
    """An engine that takes events as objects, all in one batch."""

    def step(  # type: ignore[override]
        self,
        partition: Partition,
        calls: Sequence[Call] = (),
        sms: Sequence[Sms] = (),
        signals: Sequence[SignalRecord | Heartbeat | Purge] = (),
    ) -> StepResult:
        """Take the columns of these events."""
        return super().step(partition, [calls_of(calls)], [messages_of(sms)], signals)


def engine(
    indicators: Indicators | None = None, policy: Policy = POLICY, vulnerable: dict[str, int] | None = None
) -> ToldEngine:
    """An engine with the repository's policy."""
    return ToldEngine(indicators if indicators is not None else known(), policy, PointScore(), vulnerable)


def start(call: str, after: int, *, subscriber: str = ANN, peer: str = CROOK, direction: Direction = "in") -> Call:
    """A call's start record, ``after`` ms from `T0`."""
    return Call(call, subscriber, peer, direction, "start", T0 + after)


def end(
    call: str, after: int, talk_s: float, *, subscriber: str = ANN, peer: str = CROOK, direction: Direction = "in"
) -> Call:
    """A call's end record, ``after`` ms from `T0`."""
    return Call(call, subscriber, peer, direction, "end", T0 + after, talk_s)


def sms(
    message: str,
    after: int,
    text: str = "",
    *,
    subscriber: str = ANN,
    peer: str = FRIEND,
    direction: Direction = "in",
    domains: list[str] | None = None,
) -> Sms:
    """An SMS, ``after`` ms from `T0`."""
    return Sms(message, subscriber, peer, direction, T0 + after, text or None, domains)


def clock(after: int) -> list[Call]:
    """Calls of strangers that bring the call clock to ``after`` ms from `T0`, however far behind it was."""
    return [start(f"tick-{after}-{who}", after, subscriber=f"861000099000{who}", peer=FRIEND) for who in range(6)]


def saved(partition: Partition, policy: Policy = POLICY) -> Partition:
    """The partition as a checkpoint restores it."""
    encode = msgspec.msgpack.encode
    back = Partition(partition.number)
    clocks = encode((partition.call_clock, partition.sms_clock))
    back.call_clock, back.sms_clock = msgspec.msgpack.decode(clocks, type=tuple[Watermark, Watermark])
    subjects = {
        who: msgspec.msgpack.decode(encode(subject), type=Subject) for who, subject in partition.subjects.items()
    }
    back.restore(subjects, policy)
    return back


# A story is a list of complete contacts: a call has both its records, so tests can reorder the records later.


@st.composite
def contacts(draw: st.DrawFn, number: int, span: int) -> list[Call | Sms]:
    """The records of one person's call or SMS, within ``span`` ms from `T0`."""
    who = draw(st.sampled_from([ANN, BO, CY]))
    at = draw(st.integers(0, span // SECOND)) * SECOND + number  # no two contacts begin in the same millisecond
    if draw(st.booleans()):
        text = draw(st.sampled_from(["hello", CODE_TEXT, CODE_TEXT, NOTICE_TEXT, f"see http://www.{EVIL}/a now"]))
        peer = draw(st.sampled_from([FRIEND, FRIEND, CROOK, OTHER_CROOK]))
        return [sms(f"m{number}", at, text, subscriber=who, peer=peer)]
    peer = draw(st.sampled_from([CROOK, CROOK, OTHER_CROOK, "99900551234", FRIEND, BANK, POLICE]))
    direction: Direction = draw(st.sampled_from(["in", "in", "out"]))
    ring = draw(st.integers(1, 20)) * SECOND
    talk = draw(st.sampled_from([0, 0, 5, 30, 59, 60, 61, 300, 599, 600, 900, 1500, 3000]))
    call, last = f"c{number}", at + ring + talk * SECOND + 500  # ends and marks never coincide
    records: list[Call | Sms] = [start(call, at, subscriber=who, peer=peer, direction=direction)]
    if draw(st.integers(0, 7)):  # sometimes the call has not ended, or its end record was lost
        records.append(end(call, last, float(talk), subscriber=who, peer=peer, direction=direction))
    return records


@st.composite
def histories(draw: st.DrawFn, span: int = 2 * HOUR, most: int = 14) -> list[Call | Sms]:
    """The records of some contacts in event-time order, with strangers' calls and SMS that keep the clocks running."""
    count = draw(st.integers(1, most))
    records = [record for number in range(count) for record in draw(contacts(number, span))]
    for after in range(0, span + HOUR, 9 * MINUTE):
        stranger = f"86100000090{after // MINUTE % 97:02d}"
        records.append(start(f"t{after}", after + 777, subscriber=stranger, peer=FRIEND))
        records.append(sms(f"u{after}", after + 778, subscriber=stranger))
    return sorted(records, key=lambda record: (record.at, record.id))


def split(records: list[Call | Sms]) -> tuple[list[Call], list[Sms]]:
    """The calls and the SMS of some records."""
    return [each for each in records if isinstance(each, Call)], [each for each in records if isinstance(each, Sms)]
