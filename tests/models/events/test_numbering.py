"""Numbering: however a switch writes a number, it is read as one number, or as nobody, or it is refused."""

from __future__ import annotations

import json
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.base.number_keys import FIRST_NAME, NOBODY, is_number, key_of, name_key, number_of
from models.events.batches import UNREAD
from models.events.decoding import CallReader, MessageReader
from models.events.event import RecordError
from models.events.number_ranges import chinese_ranges
from models.events.numbering import CHINA, Numbering, Sources, is_withheld, sender_key
from models.indicators.numbers import normalise
from tests.strategies import ANN, T0, packed

ABROAD = Numbering("852", ("00", "001"), "", ())
AMERICA, RUSSIA, BRITAIN = Numbering("1", ("011",), "1", ()), Numbering("7", ("810",), "8", ()), Numbering("44")
SOURCES = Sources(Numbering(), {"mobile-86": Numbering(), "mobile-852": ABROAD})

PEERS = st.one_of(
    st.sampled_from(["", "0", "000", "Unknown", "anonymous", "USPS", "某银行", "a@mail.example", "tel:110", "N/A"]),
    st.sampled_from(["-1", "99900123456", "+999 00 123456", "sip:10000000001@x", "12593010000000077"]),
    st.text("0123456789+- ()", max_size=24),
    st.text("0123456789ABCxyz@.:_ ", max_size=24),
    st.text(max_size=12),
    st.tuples(
        st.sampled_from(["", "+", "00", "0", "86", "+86", "0086", "106", "10086", "17951", "12593", "95", "999", "1"]),
        st.text("0123456789", max_size=18),
    ).map("".join),
)


def test_no_range_meets_another() -> None:
    assert all(one.high < other.low for one, other in pairwise(chinese_ranges()))


def test_each_range_says_what_the_rule_says() -> None:
    """At both ends of each range, and at random numbers between."""
    random, rule, wrong = Random(1), Numbering(), []
    for low, high, delta in chinese_ranges():
        for key in (low, high, random.randint(low, high), random.randint(low, high)):
            if key_of(rule.normal(number_of(key))) != key + delta:
                wrong.append(number_of(key))

    assert wrong == []


@pytest.mark.parametrize(
    ("written", "number"),
    [
        *((each, "99900123456") for each in ("99900123456", "+99900123456", "0099900123456", "999 00-123456")),
        *((each, "8610000000077") for each in ("10000000077", "+86 100 0000 0077", "010000000077")),
        *((each, "8610000000077") for each in ("1259310000000077", "12593010000000077", "17951008610000000077")),
        *((each, "861062880000") for each in ("01062880000", "861062880000", "(010) 6288 0000", "17951 01062880000")),
        *((each, "10690000000000000001") for each in ("10690000000000000001", "+8610690000000000000001")),
        ("1795100" + "99900123456", "99900123456"),
        ("8610086", "10086"),
        ("sip:+99900123456@ims.example;user=phone", "99900123456"),
        ("Anonymous <sip:x>", None),
        ("anonymous", ""),
        ("sip:anonymous@anonymous.invalid", ""),
        ("tel:anonymous", ""),
        ('"Ann" <sip:+99900123456@ims.example>', "99900123456"),
    ],
)
def test_a_peer_is_read_however_it_is_written(written: str, number: str | None) -> None:
    if number is None:
        with pytest.raises(ValueError, match="letters"):
            Numbering().peer(written)
        return

    assert Numbering().peer(written) == number


@pytest.mark.parametrize(
    ("numbering", "written", "number"),
    [
        *((AMERICA, each, "16505550100") for each in ("6505550100", "16505550100", "+16505550100", "01116505550100")),
        (AMERICA, "011442079460000", "442079460000"),
        (AMERICA, "12345", "12345"),  # a short code, and no number behind a 1
        *((RUSSIA, each, "79990001122") for each in ("9990001122", "89990001122", "79990001122")),
        *((RUSSIA, each, "8610000000001") for each in ("8108610000000001", "8610000000001")),
        (BRITAIN, "07700900123", "447700900123"),
        *((ABROAD, each, "8610000000001") for each in ("0018610000000001", "008610000000001", "+8610000000001")),
        (ABROAD, "+16505550100", "16505550100"),
    ],
)
def test_each_source_has_its_own_rule(numbering: Numbering, written: str, number: str) -> None:
    """Also for numbers that nobody owns, a trunk prefix that is no zero, and prefixes that begin like one another."""
    sources = Sources(Numbering(), {"there": numbering})
    record = value("calls", peer=written, source="there", subscriber=f"{numbering.country_code}2079460000")

    decoded = CallReader(sources, keyed=False).read(packed([record], [None]))

    assert numbering.peer(written) == number
    assert decoded.events.peers.tolist() == [key_of(number)]


@pytest.mark.parametrize("written", ["sip:anonymous@anonymous.invalid", "<sip:unknown@evil.example>", "tel:private"])
def test_an_address_of_nobody_is_nobody_in_columns_as_well(written: str) -> None:
    """Otherwise all withheld callers would be one person that reaches everybody."""
    decoded = CallReader(keyed=False).read(packed([value("calls", peer=written)], [None]))

    assert decoded.events.peers.tolist() == [NOBODY]


@given(PEERS)
@example("179001000000")
@example("1795101062880000")
def test_records_and_indicators_agree(written: str) -> None:
    """Whatever both accept is one number: what is read is also matched."""
    try:
        read, imported = Numbering().normal(written), normalise(written)
    except ValueError:
        return

    assert read == imported


@given(st.text("0123456789", min_size=2, max_size=15))
def test_a_normal_number_stays_as_it_is(digits: str) -> None:
    if Numbering().is_normal(digits):
        assert Numbering().normal(digits) == digits


def value(kind: str, **fields: object) -> bytes:
    """A record of a call or an SMS."""
    phase = {"phase": "start"} if kind == "calls" else {"text": "x"}
    return json.dumps({"id": "e", "subscriber": ANN, "direction": "in", "at": T0, **phase, **fields}).encode()


@given(st.lists(PEERS, min_size=1, max_size=6), st.sampled_from([None, "mobile-852", "mobile-86", "other"]))
@example(["+1234", "106900000000000001"], None)
@example(["USPS", "Un known", "unknown", "99900123456789012345"], "mobile-852")
@example(["No Caller-ID", "unknown1", "ANONYMOUS ", "n/a", "0 0", "none:", "+unknown"], None)
def test_a_batch_has_the_keys_that_each_record_has_alone(peers: list[str], source: str | None) -> None:
    """The compiled pass decides alone: it must neither accept more nor read anything differently."""
    readers: dict[str, CallReader | MessageReader] = {"calls": CallReader(SOURCES), "sms": MessageReader(SOURCES)}
    for kind, reader in readers.items():
        values = [value(kind, peer=peer, source=source) for peer in peers]
        expected = []
        for peer, one in zip(peers, values, strict=True):
            try:
                expected.append(sender_key(reader.one(one, ANN.encode()).peer, peer))
            except RecordError:
                assert kind == "calls"

        decoded = reader.read(packed(values, [ANN.encode()] * len(values)))

        assert decoded.events.peers.tolist() == expected
        assert set(decoded.events.sources.tolist()) <= {SOURCES.code(source)}
        numbers = [decoded.events.event(row).peer for row in range(len(expected))]
        assert numbers == [number_of(key) if is_number(key) else "" for key in expected]


@pytest.mark.parametrize(
    ("peer", "key"),
    [
        ("USPS", name_key("USPS")),
        ("某银行", name_key("某银行")),
        ("someone@mail.example", name_key("someone@mail.example")),
        ("X" * 5000, name_key("X" * 5000)),
        ("2222000", name_key("2222000")),  # a local number says nothing without its area
        ("106900000000000001", key_of("106900000000000001")),
        ("Unknown", NOBODY),
        ("", NOBODY),
        (None, NOBODY),
    ],
)
def test_an_sms_is_read_whoever_sends_it(peer: str | None, key: int) -> None:
    decoded = MessageReader().read(packed([value("sms", peer=peer, text="http://evil.example/a")], [ANN.encode()]))

    assert decoded.events.peers.tolist() == [key]
    assert not decoded.refusals
    if peer is None or peer.isascii():  # a wrong or unusual sender does not make its text slower to read
        assert not decoded.events.traits[0] & UNREAD
    assert [event.text for event in decoded.events] == ["http://evil.example/a"]


def test_a_source_decides_how_numbers_are_read() -> None:
    """A handset of Hong Kong has eight digits; without a declared source these would be a local number."""
    sources = ["mobile-852", "mobile-86", "elsewhere", None]
    values = [value("sms", peer="51230000", source=source) for source in sources]

    events = MessageReader(SOURCES).read(packed(values, [ANN.encode()] * 4)).events

    assert [event.peer for event in events] == ["85251230000", "", "", ""]
    assert events.sources.tolist() == [3, 2, 1, 0]
    assert events[np.array([2, 0])].sources.tolist() == [1, 3]


def test_a_subscriber_in_another_form_is_refused_by_the_batch_as_well() -> None:
    spellings = ["10000000001", "010000000001", "008610000000001", "8699900123456", "99900000001", ANN, "861062880000"]
    values = [value("calls", peer="110", subscriber=each) for each in spellings]

    decoded = CallReader(keyed=False).read(packed(values))

    assert [event.subscriber for event in decoded.events] == spellings[4:]
    assert {refusal.reason for refusal in decoded.refusals} == {"subscriber-form"}


@given(st.text("0123456789", min_size=14, max_size=18).map("10".__add__), st.text(max_size=20))
def test_ports_can_be_read_back_and_names_are_never_numbers(port: str, name: str) -> None:
    assert number_of(key_of(port)) == port
    assert is_number(key_of(port))
    assert FIRST_NAME <= name_key(name) < 2**63
    assert number_of(name_key(name)) == number_of(NOBODY) == ""


def test_a_refusal_never_repeats_the_number() -> None:
    for peer in ("8699900123456", "99900000001,99900000002", "22220000", "bank 99900123456"):
        with pytest.raises(RecordError) as raised:
            CallReader().one(value("calls", peer=peer), ANN.encode())

        assert not any(part in str(raised.value) for part in ("999001", "9990000", "2222"))


def test_the_word_for_nobody_may_be_spelt_in_any_way() -> None:
    spelt = ["ANONYMOUS", " unknown ", "<private>", "No Caller ID", "no_caller_id", "n/a", "0000", "未知号码", "＊＊＊"]

    assert [each for each in spelt if not is_withheld(each)] == []
    assert [each for each in ("USPS", "110", "0110", "anonymous x") if is_withheld(each)] == []


def test_numbers_of_no_declared_source_are_read_as_in_china() -> None:
    assert CHINA.code(None) == 0
    assert CHINA.code("x") == CHINA.code(7) == 1
    assert CHINA.numbering(1) == Numbering()
