"""Call records that are good, unusual or wrong, each wrong one with the reason for its refusal."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from models.events.event import EARLIEST, LATEST, LONGEST_TALK, MAX_BYTES
from tests.strategies import ANN, BO, CROOK, T0


def record(**fields: Any) -> bytes:
    """A good call record as JSON, with some fields changed; None omits a field."""
    good = {"id": "c1", "subscriber": ANN, "peer": CROOK, "direction": "in", "phase": "start", "at": T0, **fields}
    return json.dumps({name: value for name, value in good.items() if value is not None}).encode()


GOOD = [
    record(),
    record(id="c2", phase="end", duration_s=0),
    record(id="汉字", phase="end", duration_s=61.5, cell="c-7"),
    record(id="c3", extra={"nested": {"braces": ["}\n{", {}]}}),
    record(id="c4", peer="95588", direction="out", note='a "quoted" } { \\ text'),
    record(id="c5", at=EARLIEST),
    record(id="c6", at=LATEST, phase="end", duration_s=LONGEST_TALK),
    b'{"id":"c7","id":"c8",' + record(id=None)[1:],  # of duplicate keys, the last one counts, as everywhere
    record(id="e\u0301\U0001f600"),
    record(id="c9").replace(b'"c9"', b'"\\ud83d\\ude00"'),
]
PLAIN = [
    record(),
    record(id="c2", phase="end", duration_s=0),
    record(phase="end", duration_s=61.5, cell="c-7"),
    record(direction="out", peer="95588", at=LATEST),
    record(phase="end", duration_s=LONGEST_TALK, roaming=False, retry=None, cost=-0.25, hops=3, ported=True),
    record(peer=None),
    record(peer="").replace(b'""', b"null"),
    record(peer=""),
    record(peer="00"),
    record(peer="+" + CROOK),
    record(peer="00" + CROOK),
    record(peer="10000000077", source="switch-7"),
    record(peer="106900000000000001"),
    json.dumps(json.loads(record()), separators=(",", ":")).encode(),
    json.dumps(json.loads(record()), indent="\t").encode() + b"\r\n",
    json.dumps(dict(reversed(json.loads(record(phase="end", duration_s=7)).items()))).encode(),
]
UNUSUAL = [  # good, but not in the form that the batch scan accepts
    b"  " + record(id="w1"),
    record(id="w2") + b" \r\n\t",
    json.dumps(json.loads(record(id="w3")), indent=2).encode(),
    record(id="w4", peer="anonymous"),
    record(id="w5", peer="999 00 123456"),
    record(id="w6", peer="９９９００１２３４５６"),
    record(id="w7", peer="17951" + CROOK),
    record(id="w8", peer="tel:+8610000000077"),
    record(id="w9", peer="sip:anonymous@anonymous.invalid"),
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
    "a peer of letters": (record(peer="bank"), "impossible-number"),
    "a peer of one digit": (record(peer="1"), "impossible-number"),
    "a peer of 16 digits": (record(peer="1" * 16), "impossible-number"),
    "a peer of 21 digits": (record(peer="106" + "0" * 18), "impossible-number"),
    "a peer as a number": (record(peer=110), "wrong-field"),
    "a peer that is true": (record(peer=True), "wrong-field"),
    "a local peer": (record(peer="22220000"), "impossible-number"),
    "a foreign peer behind a country code": (record(peer="8699900123456"), "impossible-number"),
    "a foreign peer behind a trunk prefix": (record(peer="099900123456"), "impossible-number"),
    "two peers": (record(peer="99900000001,99900000002"), "impossible-number"),
    "a subscriber without a country code": (record(subscriber="10000000001"), "subscriber-form"),
    "a subscriber with a trunk prefix": (record(subscriber="010000000001"), "subscriber-form"),
    "a subscriber with 00": (record(subscriber="008610000000001"), "subscriber-form"),
    "a subscriber with a plus": (record(subscriber="+8610000000001"), "subscriber-form"),
    "a subscriber of letters": (record(subscriber="ann"), "subscriber-form"),
    "a subscriber of other digits": (record(subscriber="８６１００００００００００１"), "subscriber-form"),
    "an empty subscriber": (record(subscriber=""), "wrong-field"),
    "a time with a fraction": (record(at=T0 + 0.5), "wrong-field"),
    "a time in microseconds": (record(at=T0 * 1000), "impossible-time"),
    "no id": (record(id=None), "wrong-field"),
    "an empty id": (record(id=""), "wrong-field"),
    "a long id": (record(id="x" * 129), "wrong-field"),
    "another direction": (record(direction="both"), "wrong-field"),
    "an end without duration": (record(phase="end"), "wrong-field"),
    "a duration in milliseconds": (record(phase="end", duration_s=590_000), "wrong-field"),
    "a duration in words": (record(phase="end", duration_s="590"), "wrong-field"),
    "no duration": (record(phase="end", duration_s=7).replace(b"7}", b"null}"), "wrong-field"),
    "a negative duration": (record(phase="end", duration_s=-1), "wrong-field"),
    "an endless duration": (record(phase="end", duration_s=7).replace(b"7}", b"1e400}"), "wrong-field"),
    "NaN": (record(phase="end", duration_s=7).replace(b"7}", b"NaN}"), "not-json"),
    "a huge nesting": (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"," + record()[1:], "not-json"),
    "an endless nesting": (b'{"x":' * 100_000, "not-json"),
    "too large": (record(note="x" * MAX_BYTES), "too-large"),
    "another subscriber": (record(subscriber=BO), "wrong-key"),
}

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
