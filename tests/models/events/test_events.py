"""The decoder: a batch gives the same events as its records one by one, and a bad record affects only itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.base.number_keys import number_of
from models.detection.signals import SignalRecord
from models.events import scanning
from models.events.batches import NAMED, UNREAD
from models.events.decoding import CallReader, Decoded, MessageReader, RareReader, _Scanned
from models.events.event import MAX_BYTES, Call, CallRecord, RecordError, Refusal, cell_of, decode_one
from models.events.numbering import CHINA
from tests.strategies import ANN, BO, EVIL, T0, packed
from tests.wrong_records import ANY_BAD, ANY_KEY, BAD, GOOD, PLAIN, UNUSUAL, record

CALLS, SMS, SIGNALS = CallReader(), MessageReader(), RareReader(SignalRecord)


def calls(values: Sequence[bytes | None], keys: Sequence[bytes | None] | None) -> Decoded[list[Call]]:
    """The calls of a batch as objects, after a check that every column agrees with the records."""
    reader = CALLS if keys is not None else CallReader(keyed=False)
    decoded = reader.read(packed(values, keys))
    columns, found = decoded.events, list(decoded.events)
    assert [number_of(code) for code in columns.subscribers] == [call.subscriber for call in found]
    assert [number_of(code) for code in columns.peers] == [call.peer for call in found]
    assert columns.times.tolist() == [call.at for call in found]
    assert columns.durations.tolist() == [call.duration_s for call in found]
    return Decoded(found, decoded.refusals)


def left(values: Sequence[bytes | None], keys: Sequence[bytes | None]) -> int:
    """The number of records that the quick scan leaves to the slow decoder."""
    return int((_Scanned(packed(values, keys), CHINA, keyed=True, is_call=True).forms == scanning.REFUSED).sum())


@pytest.mark.parametrize("value", GOOD + UNUSUAL)
def test_a_good_record_is_an_event(value: bytes) -> None:
    decoded = calls([value], [ANN.encode()])

    assert [event.subscriber for event in decoded.events] == [ANN]
    assert list(decoded.refusals) == []


@pytest.mark.parametrize(("value", "reason"), BAD.values(), ids=BAD)
def test_a_bad_record_is_refused_with_its_reason(value: bytes | None, reason: str) -> None:
    decoded = calls([value], [ANN.encode()])

    assert decoded.events == []
    assert [(refusal.index, refusal.reason) for refusal in decoded.refusals] == [(0, reason)]
    assert decoded.refusals[0].detail


@pytest.mark.parametrize("key", [None, b"", BO.encode(), ANN.encode() + b"\n", b"\xff", b" " + ANN.encode()])
def test_a_record_under_another_key_than_its_subscriber_is_refused(key: bytes | None) -> None:
    decoded = calls([record(), record(), record()], [ANN.encode(), key, ANN.encode()])

    assert [event.id for event in decoded.events] == ["c1", "c1"]
    assert [(refusal.index, refusal.reason) for refusal in decoded.refusals] == [(1, "wrong-key")]


def test_keys_cannot_be_shifted_between_records() -> None:
    """Two keys that are right only when they are read together are both wrong."""
    halves = [ANN.encode() + b"\n" + BO.encode(), b""]

    decoded = calls([record(), record(subscriber=BO)], halves)

    assert [refusal.reason for refusal in decoded.refusals] == ["wrong-key", "wrong-key"]


def test_halves_that_together_are_good_records_are_both_refused() -> None:
    """A record is split between two Kafka records at every possible place, and no split gives an event."""
    good, key = record(id="c1", note="}\n{"), ANN.encode()
    for place in range(1, len(good)):
        decoded = calls([record(id="a"), good[:place], good[place:], record(id="b")], [key] * 4)

        assert [event.id for event in decoded.events] == ["a", "b"], place
        assert [refusal.index for refusal in decoded.refusals] == [1, 2]


def test_an_empty_batch_has_no_events() -> None:
    assert calls([], []).events == []


def test_a_batch_of_many_small_records_is_not_too_large() -> None:
    count = MAX_BYTES // len(record()) + 10

    decoded = calls([record()] * count, [ANN.encode()] * count)

    assert len(decoded.events) == count
    assert left([record()] * count, [ANN.encode()] * count) == 0


def test_a_record_of_the_greatest_size_is_good() -> None:
    value = record(note="")
    value = value.replace(b'"note": ""', b'"note": "' + b"x" * (MAX_BYTES - len(value)) + b'"')
    assert len(value) == MAX_BYTES

    assert CALLS.one(value, ANN.encode()).id == "c1"
    assert not calls([value], [ANN.encode()]).refusals


def test_records_of_a_file_have_no_keys() -> None:
    """The replay reads JSON Lines, where only the record itself names its subscriber."""
    decoded = calls([record(), b"x", record(subscriber=BO)], None)

    assert [event.subscriber for event in decoded.events] == [ANN, BO]
    assert [event.subscriber for event in calls([record(), record(subscriber=BO)], None).events] == [ANN, BO]
    assert [refusal.reason for refusal in decoded.refusals] == ["not-json"]


@given(st.lists(st.tuples(st.one_of(st.sampled_from(GOOD + UNUSUAL), ANY_BAD), ANY_KEY), max_size=8))
@example([(GOOD[0], ANN.encode()), (b"{}\n{}", ANN.encode()), (GOOD[1], ANN.encode())])
def test_any_batch_is_read_as_its_records_are_read_one_by_one(records: list[tuple[bytes | None, bytes | None]]) -> None:
    """Good neighbours come out unchanged and in order, each bad record is one refusal, and nothing else is raised."""
    events: list[Call] = []
    refusals: list[Refusal] = []
    for index, (value, key) in enumerate(records):
        try:
            events.append(CALLS.one(value, key))
        except RecordError as error:
            refusals.append(Refusal(index, error.reason, str(error)))

    decoded = calls([value for value, _ in records], [key for _, key in records])

    assert list(decoded.events) == events
    assert list(decoded.refusals) == refusals


@pytest.mark.parametrize("scan", [scanning.scan, scanning.scan.py_func], ids=["compiled", "as Python"])  # type: ignore[attr-defined]
@given(values=st.lists(st.one_of(st.sampled_from(PLAIN), st.sampled_from(GOOD), ANY_BAD), min_size=1, max_size=6))
def test_whatever_the_scan_takes_is_good_record_by_record(scan: Callable[..., int], values: list[bytes | None]) -> None:
    """The scan decides alone: it must accept no record that would be refused one by one, or be read differently."""
    found = _Scanned(packed(values, [ANN.encode()] * len(values)), CHINA, keyed=True, is_call=True, scan=scan)

    for row in np.flatnonzero(found.forms != scanning.REFUSED).tolist():
        call = CALLS.one(values[row], ANN.encode())
        assert (number_of(found.subscribers[row]), number_of(found.peers[row])) == (call.subscriber, call.peer)
        assert (found.times[row], found.durations[row]) == (call.at, call.duration_s)


@pytest.mark.parametrize("value", PLAIN)
def test_a_plain_record_is_read_by_the_scan(value: bytes) -> None:
    assert left([b"x", value, value], [ANN.encode()] * 3) == 1


def test_an_sms_may_have_text_or_domains_and_no_duration() -> None:
    value = {"id": "m", "subscriber": ANN, "peer": "106900000001", "direction": "in", "at": T0}
    rich = {**value, "text": "你好", "domains": [EVIL], "cell": "x"}

    decoded = SMS.read(packed([json.dumps(each).encode() for each in (value, rich)], [ANN.encode()] * 2))

    assert [(event.text, event.domains) for event in decoded.events] == [(None, None), ("你好", [EVIL])]
    assert decoded.events.traits.tolist() == [0, NAMED]


SPELLINGS = st.text(max_size=30) | st.text(alphabet='\\"/\b\f\n\r\t你é\x7f\u0080\U0001f600验证码.top', max_size=30)


@given(st.lists(SPELLINGS, min_size=1, max_size=5), st.booleans())
def test_a_text_is_written_without_its_escapes(texts: list[str], escaped: bool) -> None:
    records = [
        json.dumps(
            {"id": "m", "subscriber": ANN, "peer": "1069", "direction": "in", "at": T0, "text": text},
            ensure_ascii=escaped,
        )
        for text in texts
    ]
    values = [each.encode("utf-8", "replace") for each in records]

    decoded = SMS.read(packed(values, [ANN.encode()] * len(values)))

    columns = decoded.events
    assert [event.text for event in columns] == [json.loads(value)["text"] for value in values if not lone(value)]
    for row, event in enumerate(columns):
        assert not columns.traits[row] & UNREAD
        assert columns.texts[columns.text_begins[row] : columns.text_ends[row]].tobytes() == (event.text or "").encode()
    chosen = columns[np.arange(len(columns))[::-1]]
    assert list(chosen) == list(columns)[::-1]
    assert chosen.traits.tolist() == columns.traits.tolist()[::-1]


def lone(value: bytes) -> bool:
    """Whether a record contains half a surrogate pair, which no UTF-8 can encode."""
    try:
        json.loads(value)["text"].encode()
    except UnicodeEncodeError:
        return True
    return False


@pytest.mark.parametrize(
    "text",
    [b"\\", b"\\x", b"\\u12", b"\\ud800", b"\\udc00", b"\\ud800\\u0041", b"\x01", b"\xff", b"\xc0\x80", b"\xe4\xbd"],
)
def test_a_text_that_is_none_is_refused(text: bytes) -> None:
    value = json.dumps({"id": "m", "subscriber": ANN, "peer": "1069", "direction": "in", "at": T0, "text": "?"})
    raw = value.encode().replace(b"?", text)

    decoded = SMS.read(packed([value.encode(), raw, value.encode()], [ANN.encode()] * 3))

    assert len(decoded.events) == 2
    assert [refusal.index for refusal in decoded.refusals] == [1]


def signal_record(**fields: Any) -> bytes:
    """A look-back result as JSON."""
    return json.dumps(
        {
            **{"id": "s", "subscriber": ANN, "code": "fraud-domain-sms", "at": T0, "event": "m1"},
            **{"peer": EVIL, "status": "raised", **fields},
        }
    ).encode()


def test_a_signal_about_a_domain_is_good_beside_a_bad_neighbour_too() -> None:
    """A regression found live: its peer is a host, not a number, and only the quick path accepted such signals."""
    alone = SIGNALS.read(packed([signal_record()], [ANN.encode()]))
    beside = SIGNALS.read(packed([signal_record(), b"x"], [ANN.encode()] * 2))

    assert [event.peer for event in alone.events] == [event.peer for event in beside.events] == [EVIL]
    assert [(refusal.index, refusal.reason) for refusal in beside.refusals] == [(1, "not-json")]


@pytest.mark.parametrize("fields", [{"code": "witchcraft"}, {"confidence": 101}, {"status": "maybe"}, {"event": ""}])
def test_a_signal_outside_its_contract_is_refused(fields: dict[str, Any]) -> None:
    decoded = SIGNALS.read(packed([signal_record(**fields)], [ANN.encode()]))

    assert [refusal.reason for refusal in decoded.refusals] == ["wrong-field"]


@given(st.one_of(st.binary(max_size=60), st.sampled_from([v for v, _ in BAD.values() if v is not None])))
def test_nothing_but_a_record_error_escapes(value: bytes) -> None:
    decoders: list[Callable[[], object]] = [
        lambda: decode_one(msgspec.json.Decoder(CallRecord), value),
        lambda: CALLS.one(value, None),
        lambda: SMS.one(value, b"\xff"),
        lambda: SIGNALS.one(value, ANN.encode()),
    ]
    for decode in decoders:
        with suppress(RecordError):
            decode()


@pytest.mark.parametrize("field", ["direction", "phase"])
def test_what_is_wrong_is_said_without_what_the_record_says(field: str) -> None:
    """The bad field may contain a phone number."""
    value = json.dumps(json.loads(record()) | {field: "861'00\n\"00000001"}).encode()

    with pytest.raises(RecordError) as raised:
        decode_one(msgspec.json.Decoder(CallRecord), value)

    assert str(raised.value) == f"Invalid value - at `$.{field}`"


@pytest.mark.parametrize("cell", ["7", "[]", "null", json.dumps("x" * 65)])
def test_a_cell_that_is_none_is_no_reason_to_refuse_a_record(cell: str) -> None:
    value = record()[:-1] + f',"cell":{cell}}}'.encode()
    (call,) = calls([value], [ANN.encode()]).events

    assert cell_of(call) == ""
