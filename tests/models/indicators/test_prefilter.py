"""Prefilters: everything that matches is kept, and almost everything else is dropped."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import models.indicators.prefilter as module
from models.base.number_keys import NOBODY, key_of, name_key, number_of
from models.indicators.matching import Indicators
from models.indicators.prefilter import HostPrefilter, NumberPrefilter, Prefilter
from models.texts.extraction import LONGEST, read
from models.texts.prefilter import DOT, worth_reading
from models.texts.signs import ENDS
from tests.models.texts.test_prefilter import TEXTS
from tests.strategies import T0, indicator

NUMBERS = st.text("0123456789", min_size=2, max_size=15) | st.text("0123456789", min_size=14, max_size=18).map(
    "10".__add__
)


def is_port(number: str) -> bool:
    """Whether a number has a key though it is longer than phone numbers are."""
    return 16 <= len(number) <= 20 and number.startswith("10")


@given(NUMBERS, NUMBERS)
def test_a_code_is_of_one_number(one: str, other: str) -> None:
    assert number_of(key_of(one)) == one
    assert (key_of(one) == key_of(other)) == (one == other)


@given(st.sets(st.integers(1, 2**62), max_size=3000), st.sets(st.integers(1, 2**62), max_size=50))
def test_a_prefilter_keeps_what_was_added_however_it_grew(added: set[int], others: set[int]) -> None:
    prefilter = NumberPrefilter()
    for code in [*added, *list(added)[:10]]:
        prefilter.add(code)

    asked = np.array([*added, *others], dtype=np.int64)

    assert prefilter.may_hold(asked).tolist() == [code in added for code in asked.tolist()]


PREFIXES = st.text("0123456789", min_size=1, max_size=6) | st.text("01", max_size=12).map("10".__add__)


@given(st.lists(NUMBERS, max_size=5), st.lists(PREFIXES, max_size=5), st.data())
def test_numbers_and_prefixes_are_kept(numbers: list[str], prefixes: list[str], data: st.DataObject) -> None:
    prefilter = NumberPrefilter()
    for number in numbers:
        prefilter.add_number(number)
    for prefix in prefixes:
        prefilter.add_prefix(prefix)
    near = [number[: data.draw(st.integers(1, len(number)))] + "7" for number in [*numbers, *prefixes]]
    asked = [number for number in [*numbers, *prefixes, *near] if 2 <= len(number) <= 15 or is_port(number)]

    kept = prefilter.may_hold(np.array([key_of(number) for number in asked], dtype=np.int64)).tolist()

    for number, held in zip(asked, kept, strict=True):
        assert held or not (number in numbers or number.startswith(tuple(prefixes)))
        assert not held or number.startswith((*prefixes, *numbers))  # a number as long as a prefix may be taken for one


def kept(prefilter: HostPrefilter, texts: list[str]) -> list[bool]:
    """Whether the prefilter keeps each of these texts."""
    spelt = [text.encode("utf-8", "replace") for text in texts]
    ends = np.cumsum([len(each) for each in spelt], dtype=np.int64)
    begins = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1]))
    return list(prefilter.may_hold(np.frombuffer(b"".join(spelt), dtype=np.uint8), begins, ends).tolist())


HOSTS = ["evil.top", "b.co", "example.com", "a.com", "bank.com", "x.com", "github.io", "12.30", "b.bank.com"]


@settings(max_examples=3000)
@given(TEXTS, st.data())
@example("see https://evil.tophttps://b.co", None)
@example("bü.evil.top", None)
@example("点击evil.top查看", None)
@example("EVIL.TOPReply", None)
@example("www.evil .com now https://a.com", None)
@example("https://ev il.top x.com", None)
@example(":///a a.a", None)
@example("点击evil‐bank.top查看", None)
@example("see http://3221225985/ now", None)
@example("see http://0xC0.0.2.1/ now", None)
@example("go to https://a.com/?u=http://evil.top", None)
@example("only £192.0.2.1 or é3.top", None)
@example("http://公司evil.top http://evil中bank.top", None)
@example("see //a中.b.top", None)
def test_every_plain_text_whose_host_is_known_is_kept(text: str, data: st.DataObject | None) -> None:
    """Each prefilter knows one of the hosts that a text contains, or one of their parent domains."""
    traits = dict(worth_reading([text])).get(0, 0)
    hosts = read(text).domains
    if traits == DOT and hosts:
        for host in hosts:
            labels = host.split(".")
            for first in range(len(labels) - 1):
                prefilter = HostPrefilter()
                prefilter.add_host(".".join(labels[first:]))
                assert kept(prefilter, ["before.x", text, "after"])[1], labels[first:]


def test_a_name_is_never_kept_and_nobody_neither() -> None:
    prefilter = NumberPrefilter()
    prefilter.add_number("99900000001")
    prefilter.add_prefix("99955")

    assert prefilter.may_hold(np.array([name_key("USPS"), NOBODY])).tolist() == [False, False]


def test_texts_of_unknown_hosts_are_let_go() -> None:
    prefilter = HostPrefilter()
    prefilter.add_host("evil.top")
    texts = [
        "see https://shop.example.com/a?b=1",
        "ok.so see you.now",
        "v1.2 costs 3.50 at www.shop.com. Thanks",
        "notevil.top",
        "evil.topper",
        "点击 good.top 查看",
        "only £1.50 or £12.30.40, ú9.99.",
        "点击http://good.top，或http://good.top登录",
    ]

    assert not any(kept(prefilter, texts))
    assert kept(prefilter, ["evil.top", "https://a.evil.top/x", "not-evil.top"]) == [True, True, True]


class Counted:
    """Bytes of a text that count how often one is read."""

    def __init__(self, text: str) -> None:
        self._bytes = text.encode()
        self.reads = 0

    def __getitem__(self, at: int) -> int:
        self.reads += 1
        return self._bytes[at]

    def __len__(self) -> int:
        return len(self._bytes)


def reads(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many bytes the prefilter of hosts reads in a text, each time counted."""
    prefilter = HostPrefilter()
    prefilter.add_host("login.evil-bank.com.cn")
    for name in ("_holds", "_is_spaced", "_is_number", "_is_foreign", "_goes_on", "_goes_on_before", "_code"):
        function = getattr(module, name)
        monkeypatch.setattr(module, name, getattr(function, "py_func", function))
    monkeypatch.setattr(module, "_slot", lambda table, key: 0)  # machine code has no integers as long as Python's
    counted = Counted(text)
    module._may_hold.py_func(  # type: ignore[attr-defined]
        prefilter.table, prefilter.longest, ENDS, counted, 0, len(counted)
    )
    return counted.reads


@pytest.mark.parametrize("unit", ["a.", "a-", "a", "a1", "1.", "//", "//a.", "www.", "a..", "a.b-", "aB.", "好.a"])
def test_the_work_on_a_text_grows_with_its_length_and_not_with_its_square(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte is read for at most as many parts of a name as fit into the longest known host."""
    size = 3000
    once, twice = (reads(unit * (length // len(unit)), monkeypatch) for length in (size, 2 * size))
    assert twice < 2.1 * once + 100
    assert once < 100 * size


def test_without_a_known_host_no_text_is_kept() -> None:
    assert kept(HostPrefilter(), ["see https://shop.example.com/a", "a.b-c.d", "-.a"]) == [False, False, False]


def test_only_the_part_of_a_text_that_is_read_is_searched() -> None:
    prefilter = HostPrefilter()
    prefilter.add_host("evil.top")
    assert kept(prefilter, ["字" * LONGEST + " evil.top", "字" * (LONGEST * 2) + " evil.top"]) == [True, False]


def test_a_url_is_kept_by_its_host() -> None:
    known = Indicators([indicator("url", "bit.ly/3AbC"), indicator("url", "shop.example:8080/pay")])

    assert all(kept(known.hosts, ["go to https://bit.ly/other", "shop.example:8080/pay"]))
    assert not any(kept(known.hosts, ["shop.test/pay"]))


def test_what_was_revoked_is_kept_and_matches_nothing() -> None:
    known = Indicators([indicator("domain", "evil.top"), indicator("number", "99900000001")])
    known.remove("domain:evil.top")
    known.remove("number:99900000001")

    assert kept(known.hosts, ["evil.top"]) == [True]
    assert known.host("evil.top", T0) is None
    assert known.numbers.may_hold(np.array([key_of("99900000001")])).tolist() == [True]
    assert known.number("99900000001", T0) is None


@given(st.sets(st.integers(1, 2**62), max_size=3000), st.sets(st.integers(1, 2**62), max_size=50))
def test_many_keys_at_once_are_kept_too_and_a_copy_grows_on_its_own(added: set[int], others: set[int]) -> None:
    prefilter = NumberPrefilter()
    prefilter.add_all([*added, *list(added)[:10]])
    twin = prefilter.copy()
    for code in others:
        twin.add(code)

    asked = np.array([*added, *others], dtype=np.int64)

    assert prefilter.may_hold(asked).tolist() == [code in added for code in asked.tolist()]
    assert twin.may_hold(asked).all()


@pytest.mark.parametrize("count", [10, 100_000])
def test_the_table_stays_half_empty(count: int) -> None:
    rng = random.Random(count)
    prefilter = Prefilter()
    for _ in range(count):
        prefilter.add(rng.randrange(1, 2**63))
    at_once = Prefilter()
    at_once.add_all(rng.sample(range(1, 2**63), count))

    assert at_once.count == prefilter.count == count
    assert count * 2 <= len(at_once.table) <= max(count * 4, 1024)
    assert count * 2 <= len(prefilter.table) <= max(count * 4, 1024)
