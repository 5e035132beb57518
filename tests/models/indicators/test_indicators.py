"""Indicators as values: each has one normal form, and none may accuse the innocent."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.indicators.indicator import (
    SCAM_TYPES,
    TYPES,
    Indicator,
    IndicatorError,
    IndicatorType,
    check,
    encode,
    guess_type,
    normalise,
    parse,
    type_named,
)
from models.texts import domains
from models.texts.extraction import read

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
ANY_TEXT = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(categories=["Cs", "Nd", "Lo", "Po", "Cc"]), max_size=12),
    st.text("0123456789+-.:/?#[]()@* evilcomtp例中国。．", max_size=40),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "http://", "hxxps://", "*.", "//", "u@", "[", "www."]),
        st.sampled_from(
            ["evil.example", "坏.中国", "bit.ly", "com.cn", "192.0.2.7", "[2001:db8::1]", "evil[.]top", "a"]
        ),
        st.sampled_from(["", ".", ":80", ":8443", ":99999", "/", "]"]),
        st.text("/?#aB%=&.坏 \\", max_size=10),
    ),
    st.builds(
        "{}{}".format, st.sampled_from(["+", "00", "+86", "0", "", "106"]), st.text("0123456789- *", max_size=17)
    ),
)
KINDS = st.sampled_from(TYPES)


def indicator(kind: IndicatorType, value: str, **fields: Any) -> Indicator:
    """An indicator as a line of an import list."""
    said = {"scam_type": "loan", "confidence": 80, "source": "centre", "valid_from": 0, **fields}
    return Indicator(type=kind, value=value, **said)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("+999 00 123456", "number"),
        ("99900123456", "number"),
        ("(010) 6288 0000", "number"),
        ("（010）62880000", "number"),
        ("TEL:+99900123456", "number"),
        ("+99900123456 ext 7", "number"),
        ("10000000001 张三", "number"),
        ("10000000001/10000000002", "number"),
        ("", "number"),
        ("861700*", "number-prefix"),
        ("+999 00*", "number-prefix"),
        ("evil.example", "domain"),
        ("*.evil.example", "domain"),
        ("hxxps://evil[.]example/", "domain"),
        ("坏。中国", "domain"),
        ("192.0.2.7", "domain"),
        ("192.0.2.0/24", "domain"),
        ("1.38E10", "number"),
        ("192[.]0[.]2[.]7", "domain"),
        ("192.0.2.77.", "domain"),
        ("1.650.555.0100", "number"),
        ("4008.example", "domain"),
        ("evil.example/a", "url"),
        ("evil.example?a=1", "url"),
        ("evil.example:8443", "url"),
        ("192.0.2.7:8080", "url"),
        ("192.0.2.7/a", "url"),
        ("http://[2001:db8::1]/a", "url"),
    ],
)
def test_the_looks_of_a_value_say_what_it_is(value: str, kind: str) -> None:
    """A number followed by a note is still typed as a number, so the refusal is about the note."""
    assert guess_type(value) == kind


@pytest.mark.parametrize(
    ("kind", "values", "normal"),
    [
        ("number", ["+999 00 123456", "0099900123456", "99900123456"], "99900123456"),
        ("number-prefix", ["+999 00*", "99900"], "99900"),
        (
            "domain",
            [
                "evil.example",
                " EVIL.example. ",
                "*.evil.example",
                ".evil.example",
                "hxxp://evil[.]example/",
                "evil(dot)example",
            ],
            "evil.example",
        ),
        ("domain", ["例子.中国", "xn--fsqu00a.xn--fiqs8s", "例子。中国", "XN--FSQU00A.中国"], "xn--fsqu00a.xn--fiqs8s"),
        ("domain", ["straße.example", "xn--strae-oqa.example"], "xn--strae-oqa.example"),
        ("domain", ["192.0.2.7", "192[.]0[.]2[.]7"], "192.0.2.7"),
        ("domain", ["hxxpay.example", "HXXPS[:]//hxxpay.example"], "hxxpay.example"),
        (
            "url",
            ["https://u:p@Evil.example:443/Pay/#x", "evil.example/Pay", "https://evil.example:80/Pay"],
            "evil.example/Pay",
        ),
        ("url", ["http://evil.example:8443/", "evil.example:8443"], "evil.example:8443"),
        ("url", ["http://例子.中国/a", "xn--fsqu00a.xn--fiqs8s/a"], "xn--fsqu00a.xn--fiqs8s/a"),
        ("url", ["http://[2001:DB8:0::1]/a"], "[2001:db8::1]/a"),
        ("url", ["evil.example/坏?q=a b", "evil.example/%E5%9D%8F?q=a%20b"], "evil.example/%E5%9D%8F?q=a%20b"),
    ],
)
def test_all_spellings_of_a_value_are_one_thing(kind: IndicatorType, values: list[str], normal: str) -> None:
    """IDN and punycode, upper and lower case, defanged addresses, schemes."""
    assert {normalise(kind, value) for value in values} == {normal}


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        ("number", "110", "never be an indicator"),
        ("number", "+86 755 110", "never be an indicator"),
        ("number", "01096110", "never be an indicator"),
        ("number", "86-95588", "never be an indicator"),
        ("number", "tel:12381", "never be an indicator"),
        ("number-prefix", "9558*", "never be an indicator|5 to 14"),
        ("number-prefix", "95588*", "never be an indicator"),
        ("domain", "com", "not a host"),
        ("domain", "com.cn", "public suffix"),
        ("domain", "github.io", "public suffix"),
        ("domain", "公司.cn", "public suffix"),
        ("domain", "bit.ly", "shared by strangers"),
        ("domain", "m.weibo.com", "shared by strangers"),
        ("domain", "evil.example:443", "not a host"),
        ("domain", "user@evil.example", "not a host"),
        ("domain", "[2001:db8::1]", "IPv6"),
        ("url", "https://bit.ly/", "needs its path"),
        ("url", "t.me:443", "needs its path"),
        ("url", "evil.example:99999/a", "its port is above"),
        ("url", "evil.example/" + "a" * 2000, "at most 2000 characters"),
    ],
)
def test_what_would_accuse_the_innocent_is_refused(kind: IndicatorType, value: str, why: str) -> None:
    """Protected numbers, public suffixes, and hosts that unrelated people share."""
    with pytest.raises(IndicatorError, match=why):
        check(indicator(kind, value))


def test_the_public_suffixes_are_at_hand_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is part of the installation; a police network reaches no other."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr("socket.socket", refuse)
    domains._suffixes.cache_clear()
    domains.parents.cache_clear()

    assert check(indicator("domain", "evil.co.uk")).value == "evil.co.uk"
    with pytest.raises(IndicatorError, match="public suffix"):
        check(indicator("domain", "co.uk"))


@pytest.mark.parametrize("value", ["bit.ly/3AbC", "https://t.me/evil", "docs.google.com/forms?id=7", "wjx.top?x=1"])
def test_a_shared_host_is_listed_with_its_path(value: str) -> None:
    """The path separates the fraudster's page from the others."""
    assert check(indicator("url", value)).type == "url"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"scam_type": "Loan"}, "scam_type"),
        ({"scam_type": ""}, "scam_type"),
        ({"scam_type": "贷款"}, "scam_type"),
        ({"scam_type": "a" * 41}, "scam_type"),
        ({"confidence": -1}, "0 to 100"),
        ({"confidence": 101}, "0 to 100"),
        ({"source": ""}, "source"),
        ({"source": "two\nlines"}, "source"),
        ({"source": "x" * 201}, "source"),
        ({"case": "\x1b[31m"}, "case"),
        ({"valid_from": -1}, "valid_from"),
        ({"valid_from": 1_700_000_000}, "looks like seconds"),
        ({"valid_from": 10**18}, "year 9999"),
        ({"valid_until": 1_700_000_000}, "looks like seconds"),
        ({"valid_until": 0}, "after valid_from"),
        ({"valid_from": 1_700_000_000_000, "valid_until": 1_700_000_000_000}, "after valid_from"),
    ],
)
def test_a_field_out_of_range_is_refused_by_import_and_worker(fields: dict[str, Any], why: str) -> None:
    """It does not matter who wrote the record."""
    wrong = indicator("domain", "evil.example", **fields)

    with pytest.raises(IndicatorError, match=why):
        check(wrong)
    with pytest.raises(IndicatorError, match=why):
        parse(encode(wrong))


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        ("number", "+99900123456", "normal form"),
        ("number", "8695588", "normal form"),
        ("number", "95588", "never be an indicator"),
        ("number", "86755110", "never be an indicator"),
        ("number-prefix", "99900*", "digits only"),
        ("number-prefix", "95588", "would cover"),
        ("domain", "Evil.example", "normal form"),
        ("domain", "例子.中国", "normal form"),
        ("domain", "co.uk", "public suffix"),
        ("domain", "bit.ly", "shared"),
        ("url", "http://evil.example/a", "normal form"),
        ("url", "bit.ly", "needs its path"),
    ],
)
def test_a_record_that_no_import_would_write_is_not_believed(kind: IndicatorType, value: str, why: str) -> None:
    """The topic has other writers, and an older import knew fewer hotlines."""
    with pytest.raises(IndicatorError, match=why):
        parse(encode(indicator(kind, value)))


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"type":"email","value":"a","scam_type":"loan","confidence":80,"source":"x","valid_from":0}',
        b'{"type":"number","value":99900123456,"scam_type":"loan","confidence":80,"source":"x","valid_from":0}',
        b'{"type":"number","value":"99900123456","scam_type":"loan","confidence":8.5,"source":"x","valid_from":0}',
        b'{"type":"domain","value":"\\ud800.example","scam_type":"loan","confidence":80,"source":"x","valid_from":0}',
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_a_record_that_is_none_is_refused_in_one_sentence(record: bytes) -> None:
    """No other exception is raised: it would stop the worker."""
    with pytest.raises(IndicatorError, match="not an indicator record"):
        parse(record)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_or_an_indicator_error(record: bytes) -> None:
    """No other exception is raised."""
    with suppress(IndicatorError):
        indicator = parse(record)

        assert parse(encode(indicator)) == indicator


@given(KINDS, ANY_TEXT)
def test_what_import_accepts_workers_accept_as_it_is(kind: IndicatorType, value: str) -> None:
    """The value is in its normal form after the first pass, and a second pass does not change it."""
    reason = ""
    try:
        checked = check(indicator(kind, value))
    except IndicatorError as error:
        reason = str(error)

    assert sum(map(str.isdigit, reason)) < 7
    if reason:
        return
    assert parse(encode(checked)) == checked
    if kind in ("domain", "url"):
        assert normalise(kind, checked.value) == checked.value
        assert checked.value.isascii()


@given(ANY_TEXT)
def test_guessing_never_fails_and_gives_a_type(value: str) -> None:
    """Guessing gets every line of every file."""
    assert guess_type(value) in TYPES


@pytest.mark.parametrize(
    "value",
    [
        "99900123456 ext 7",
        "+999 00 123456 v.2",
        "联系人：99900123456",
        "99900123456.bit.ly",
        "９９９００１２３４５６＠x",
        "999\t001\t23456.x.y",
        "x.99900-123456..example",
        "bit.ly:99900123456/x",
        "①②③④⑤⑥⑦⑧⑨.bad_.",
    ],
)
def test_no_refusal_repeats_a_phone_number(value: str) -> None:
    """Refusal reasons end up in logs and tickets."""
    reasons = []
    for kind in TYPES:
        try:
            check(indicator(type_named(kind), value))
        except IndicatorError as error:
            reasons.append(str(error))

    assert reasons
    assert not any(sum(map(str.isdigit, reason)) > 6 for reason in reasons)


def test_a_number_in_a_wrong_field_is_not_repeated_either() -> None:
    """Columns in a file get shifted."""
    shifted: list[dict[str, Any]] = [
        {"confidence": 99900123456},
        {"valid_from": 99900123456},
        {"scam_type": "99900123456"},
    ]
    for fields in shifted:
        with pytest.raises(IndicatorError) as caught:
            check(indicator("domain", "evil.example", **fields))
        assert not re.search(r"\d{7}", str(caught.value))
    with pytest.raises(IndicatorError, match="not '###########'"):
        type_named("99900123456")


def test_the_examples_of_the_contract_are_indicators() -> None:
    """The worker accepts whatever the schema promises to writers."""
    lines = (EXAMPLES / "indicators-v1.jsonl").read_bytes().splitlines()

    assert lines
    assert {parse(line).type for line in lines} <= set(TYPES)


def test_an_unset_field_is_not_in_the_record() -> None:
    """Records stay small, and the order of their fields is fixed."""
    assert list(json.loads(encode(indicator("domain", "evil.example")))) == [
        "type",
        "value",
        "scam_type",
        "confidence",
        "source",
        "valid_from",
    ]
    assert json.loads(encode(indicator("domain", "evil.example", revoked=True)))["revoked"] is True


def test_every_scam_type_has_its_names_and_passes() -> None:
    """The scam types of the design, with the wording of the alerts."""
    for scam_type, (chinese, english) in SCAM_TYPES.items():
        assert check(indicator("domain", "evil.example", scam_type=scam_type)).scam_type == scam_type
        assert not chinese.isascii()
        assert english.isascii()


@pytest.mark.parametrize(
    "spelt",
    [
        "http://ｅｖｉｌ．ｔｏｐ",
        "https://ev%69l.top/",
        "http://ev\u200bil.top",
        "hxxps[:]//evil[.]top",
        "http://evil－bank.top",
        "http://evil‐bank.top",
        "http://evil—bank.top",
        "http://user@evil.top/",
        "http://Bücher-x.de",
        "http://例子.中国",
        "http://3221225985/",
        "http://0xC0.0.2.1",
        "http://0300.0.513/",
        "https://evil.top%2Fa",
        "http://evil\u200ebank.top",
    ],
)
def test_a_spelling_is_one_thing_for_an_import_and_in_a_text(spelt: str) -> None:
    found = read(f"see {spelt} now").domains
    imported: tuple[str, ...] = ()
    with suppress(IndicatorError):
        imported = (normalise(guess_type(spelt), spelt),)

    assert found == imported
