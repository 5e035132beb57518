"""The decoder: a whole batch at once gives what record by record gives, and a bad record costs only itself."""

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

from models import scanning
from models.batches import NAMED, UNREAD
from models.codes import number_of
from models.decoding import CallReader, Decoded, MessageReader, RareReader, _Scanned
from models.events import EARLIEST, LATEST, MAX_BYTES, Call, RecordError, Refusal, decode_one
from models.signals import SignalRecord
from tests.strategies import ANN, BO, CROOK, EVIL, T0, packed

CALLS, SMS, SIGNALS = CallReader(), MessageReader(), RareReader(SignalRecord)


def calls(values: Sequence[bytes | None], keys: Sequence[bytes | None] | None) -> Decoded[list[Call]]:
    """The calls of a batch as objects; every column says of each what its record says."""
    reader = CALLS if keys is not None else CallReader(keyed=False)
    decoded = reader.read(packed(values, keys))
    columns, found = decoded.events, list(decoded.events)
    assert [number_of(code) for code in columns.subscribers] == [call.subscriber for call in found]
    assert [number_of(code) for code in columns.peers] == [call.peer for call in found]
    assert columns.times.tolist() == [call.at for call in found]
    assert columns.durations.tolist() == [call.duration_s for call in found]
    return Decoded(found, decoded.refusals)


def left(values: Sequence[bytes | None], keys: Sequence[bytes | None]) -> int:
    """How many records the quick scan leaves to a closer reading."""
    return int((_Scanned(packed(values, keys), keyed=True, is_call=True).forms == scanning.REFUSED).sum())


def record(**fields: Any) -> bytes:
    """A good call record as JSON, with some fields changed; None leaves a field out."""
    good = {"id": "c1", "subscriber": ANN, "peer": CROOK, "direction": "in", "phase": "start", "at": T0, **fields}
    return json.dumps({name: value for name, value in good.items() if value is not None}).encode()


GOOD = [
    record(),
    record(id="c2", phase="end", duration_s=0),
    record(id="汉字", phase="end", duration_s=61.5, cell="c-7"),
    record(id="c3", extra={"nested": {"braces": ["}\n{", {}]}}),
    record(id="c4", peer="95588", direction="out", note='a "quoted" } { \\ text'),
    record(id="c5", at=EARLIEST),
    record(id="c6", at=LATEST, phase="end", duration_s=31_536_000),
    b'{"id":"c7","id":"c8",' + record(id=None)[1:],  # of duplicate keys the last counts, as everywhere
    record(id="e\u0301\U0001f600"),
    record(id="c9").replace(b'"c9"', b'"\\ud83d\\ude00"'),
]
PLAIN = [
    record(),
    record(id="c2", phase="end", duration_s=0),
    record(phase="end", duration_s=61.5, cell="c-7"),
    record(direction="out", peer="95588", at=LATEST),
    record(phase="end", duration_s=31_536_000, roaming=False, retry=None, cost=-0.25, hops=3, ported=True),
    json.dumps(json.loads(record()), separators=(",", ":")).encode(),
    json.dumps(json.loads(record()), indent="\t").encode() + b"\r\n",
    json.dumps(dict(reversed(json.loads(record(phase="end", duration_s=7)).items()))).encode(),
]
UNUSUAL = [  # good, though nothing that a batch is read at once with
    b"  " + record(id="w1"),
    record(id="w2") + b" \r\n\t",
    json.dumps(json.loads(record(id="w3")), indent=2).encode(),
]
BAD: dict[str, tuple[bytes | None, str]] = {
    "no value": (None, "empty"),
    "empty": (b"", "not-json"),
    "blank": (b" \n ", "not-json"),
    "a word": (b"hello", "not-json"),
    "NUL": (b"\x00", "not-json"),
    "a trailing NUL": (record() + b"\x00", "not-json"),
    "a byte order mark": (b"\xef\xbb\xbf" + record(), "not-json"),
    "not UTF-8": (record().replace(b"c1", b"\xff\xfe"), "not-utf8"),
    "not UTF-8 in an unknown field": (b'{"x":"\xc3\x28",' + record()[1:], "not-utf8"),
    "a surrogate in UTF-8": (record().replace(b"c1", b"\xed\xa0\x80"), "not-utf8"),
    "a lone surrogate": (record().replace(b"c1", b"\\ud800"), "not-json"),
    "a lone surrogate in an unknown field": (b'{"x":"\\ud800",' + record()[1:], "not-json"),
    "a raw newline in a string": (b'{"x":"\n",' + record()[1:], "not-json"),
    "two objects": (record() + record(), "not-json"),
    "two objects on a line": (record() + b" " + record(), "not-json"),
    "two objects on two lines": (record() + b"\n" + record(), "not-json"),
    "two empty objects": (b"{}\n{}", "wrong-field"),
    "no brace at the end": (record()[:-1], "not-json"),
    "a brace too many": (record() + b"}", "not-json"),
    "the first half": (b'{"x":{},', "not-json"),
    "a first half that ends with a brace": (record()[:-1] + b',"x":{}', "not-json"),
    "a first half with an open string": (record()[:-1] + b',"x":"}', "not-json"),
    "a second half": (b"1}", "not-an-object"),
    "a second half that closes a string": (b'{","y":1}', "not-json"),
    "a list": (b"[" + record() + b"]", "not-an-object"),
    "a number": (b"7", "not-an-object"),
    "null": (b"null", "not-an-object"),
    "an empty object": (b"{}", "wrong-field"),
    "no time": (record(at=None), "wrong-field"),
    "a time in words": (record(at="2025-01-01"), "wrong-field"),
    "a time in seconds": (record(at=T0 // 1000), "impossible-time"),
    "a negative time": (record(at=-1), "impossible-time"),
    "a time after the last": (record(at=LATEST + 1), "impossible-time"),
    "a gigantic time": (record(at=10**40), "impossible-time"),
    "a boolean time": (record(at=True), "wrong-field"),
    "no peer": (record(peer=None), "wrong-field"),
    "an empty peer": (record(peer=""), "wrong-field"),
    "a peer with a plus": (record(peer="+" + CROOK), "impossible-number"),
    "a peer of letters": (record(peer="bank"), "impossible-number"),
    "a peer of other digits": (record(peer="９９９００"), "impossible-number"),
    "a peer of one digit": (record(peer="1"), "wrong-field"),
    "a peer of 16 digits": (record(peer="1" * 16), "wrong-field"),
    "a peer as a number": (record(peer=110), "wrong-field"),
    "a peer with a newline": (record(peer="110\n"), "impossible-number"),
    "no id": (record(id=None), "wrong-field"),
    "an empty id": (record(id=""), "wrong-field"),
    "a long id": (record(id="x" * 129), "wrong-field"),
    "another direction": (record(direction="both"), "wrong-field"),
    "an end without duration": (record(phase="end"), "wrong-field"),
    "a negative duration": (record(phase="end", duration_s=-1), "wrong-field"),
    "an endless duration": (record(phase="end", duration_s=7).replace(b"7}", b"1e400}"), "wrong-field"),
    "NaN": (record(phase="end", duration_s=7).replace(b"7}", b"NaN}"), "not-json"),
    "a huge nesting": (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"," + record()[1:], "not-json"),
    "an endless nesting": (b'{"x":' * 100_000, "not-json"),
    "too large": (record(note="x" * MAX_BYTES), "too-large"),
    "another subscriber": (record(subscriber=BO), "wrong-key"),
}


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
    """A record is split between two Kafka records in every place: never does anything come of it."""
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
    """The replay reads JSON Lines: then nothing but the record says whose it is."""
    decoded = calls([record(), b"x", record(subscriber=BO)], None)

    assert [event.subscriber for event in decoded.events] == [ANN, BO]
    assert [event.subscriber for event in calls([record(), record(subscriber=BO)], None).events] == [ANN, BO]
    assert [refusal.reason for refusal in decoded.refusals] == ["not-json"]


ANY_BAD: st.SearchStrategy[bytes | None] = st.one_of(
    st.sampled_from([value for value, _ in BAD.values() if value is None or len(value) < 10_000]),
    st.binary(max_size=40),
    st.text(alphabet='{}[]",:\\n \n0e-.ué\x00', max_size=40).map(lambda text: text.encode()),
    st.sampled_from(GOOD).flatmap(
        lambda good: st.tuples(st.just(good), st.integers(0, len(good) - 1), st.binary(max_size=3)).map(
            lambda change: change[0][: change[1]] + change[2] + change[0][change[1] + 1 :]
        )
    ),
)
ANY_KEY = st.one_of(st.just(ANN.encode()), st.just(ANN.encode()), st.sampled_from([None, b"", b"x\ny", BO.encode()]))


@given(st.lists(st.tuples(st.one_of(st.sampled_from(GOOD + UNUSUAL), ANY_BAD), ANY_KEY), max_size=8))
@example([(GOOD[0], ANN.encode()), (b"{}\n{}", ANN.encode()), (GOOD[1], ANN.encode())])
def test_any_batch_is_read_as_its_records_are_read_one_by_one(records: list[tuple[bytes | None, bytes | None]]) -> None:
    """Good neighbours come out unchanged and in order, each bad record is one refusal, and nothing else escapes."""
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
    """The scan decides for itself: no record may pass there that would be refused alone, or say something else."""
    found = _Scanned(packed(values, [ANN.encode()] * len(values)), keyed=True, is_call=True, scan=scan)

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
    assert decoded.events.marks.tolist() == [0, NAMED]


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
        assert not columns.marks[row] & UNREAD
        assert columns.texts[columns.text_begins[row] : columns.text_ends[row]].tobytes() == (event.text or "").encode()
    chosen = columns[np.arange(len(columns))[::-1]]
    assert list(chosen) == list(columns)[::-1]
    assert chosen.marks.tolist() == columns.marks.tolist()[::-1]


def lone(value: bytes) -> bool:
    """Whether a record has half a surrogate pair, which no UTF-8 can spell."""
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
    """A hit of the look back as JSON."""
    return json.dumps(
        {
            **{"id": "s", "subscriber": ANN, "code": "fraud-domain-sms", "at": T0, "event": "m1"},
            **{"peer": EVIL, "status": "raised", **fields},
        }
    ).encode()


def test_a_signal_about_a_domain_is_good_beside_a_bad_neighbour_too() -> None:
    """Its peer is a host, not a number: found live, when only the quick path let such signals through."""
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
        lambda: decode_one(msgspec.json.Decoder(Call), value),
        lambda: CALLS.one(value, None),
        lambda: SMS.one(value, b"\xff"),
        lambda: SIGNALS.one(value, ANN.encode()),
    ]
    for decode in decoders:
        with suppress(RecordError):
            decode()
