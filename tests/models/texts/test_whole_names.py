"""Whole names: a sign inside a host never leaves a part of it behind, which would be somebody else's host."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.texts.domains import normalise_host
from models.texts.extraction import read
from models.texts.signs import ENDS

NAMES = ["evil-bank.top", "pay.evilbank.com", "www.evil-bank.com", "icbc-evil.com.cn", "evilbank.vip"]
AROUND = ["请登录{}处理", "http://{}/a", "请登录http://{}/a处理", "Pay at {}/a now", "网址：{}", "点击{}/a，谢谢"]
UNKNOWN = st.characters(min_codepoint=0x80, exclude_categories=("Cs", "Zs", "Zl", "Zp")).filter(
    lambda sign: sign not in "．․" and (ord(sign) >= len(ENDS) or not ENDS[ord(sign)])
)
INSIDE = "－‐‑–—−﹣·•_＿\u0301\u0336\ufe0f\U000e0101\u200b\u200c\u200d\u2060\u00ad\u3164ʼ£一ー・😀№ⅼаɑℯ²ⓔ"


def allowed(name: str, at: int, sign: str) -> set[str]:
    """The hosts that a text with this name, broken by a sign, may give: what a browser opens, or none."""
    try:
        return {normalise_host(name[:at] + sign + name[at:])}
    except ValueError:
        return set()


def holds(name: str, at: int, sign: str, around: str) -> None:
    """Assert that a text with this name, broken by a sign, gives nothing but the host that a browser opens."""
    found = set(read(around.format(name[:at] + sign + name[at:])).domains)
    assert found <= allowed(name, at, sign), (name, at, sign, around)


@pytest.mark.parametrize("sign", INSIDE)
@pytest.mark.parametrize("around", AROUND)
def test_a_known_trick_inside_a_host_leaves_no_part_of_it(sign: str, around: str) -> None:
    for name in NAMES:
        for at in range(1, len(name)):
            holds(name, at, sign, around)


@pytest.mark.parametrize("sign", "~+&*^$%")
@pytest.mark.parametrize("text", ["请登录evil{}bank.top处理", "Pay at evil{}bank.com/a now"])
def test_a_sign_that_ends_no_sentence_leaves_no_part_of_a_name(text: str, sign: str) -> None:
    """AT&T.com is not t.com."""
    assert read(text.format(sign)).domains == ()


@pytest.mark.parametrize("text", ["请登录*evil.top*处理", "快来~evil.top", "url=evil.top", "a+www.evil.top"])
def test_a_sign_before_a_name_does_not_hide_it(text: str) -> None:
    assert [host.removeprefix("www.") for host in read(text).domains] == ["evil.top"]


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(NAMES), st.data(), UNKNOWN | st.text(UNKNOWN, min_size=1, max_size=3), st.sampled_from(AROUND))
def test_no_unknown_sign_inside_a_host_leaves_a_part_of_it(
    name: str, data: st.DataObject, sign: str, around: str
) -> None:
    holds(name, data.draw(st.integers(1, len(name) - 1)), sign, around)


@given(st.sampled_from(NAMES), st.data(), st.sampled_from(["http://{}/a", "请登录http://{}/a处理"]))
def test_an_encoded_sign_inside_a_host_leaves_no_part_of_it(name: str, data: st.DataObject, around: str) -> None:
    at, byte = data.draw(st.integers(1, len(name) - 1)), data.draw(st.integers(0, 255))
    holds(name, at, f"%{byte:02x}", around)


@given(st.sampled_from(NAMES), st.data())
def test_behind_a_scheme_no_sign_at_all_leaves_a_part(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, name.index(".") - 1))
    sign = data.draw(st.sampled_from("!$&'()*+,;=~^|\"`，；！（）、“”中の한"))
    holds(name, at, sign, "http://{}/a")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("请登录evil－bank.top处理", "evil-bank.top"),
        ("请登录evil﹣bank.top处理", "evil-bank.top"),
        ("https://%65vil-bank%2Etop/a", "evil-bank.top"),
        ("https://evil-bank.top%2Fa", ""),
        ("https://evil-bank.top%2F.bank.com/a", ""),
        ("http://-evil-bank.top/a", ""),
        ("http://evil-bank.top-/a", ""),
        ("http://evil中bank.top/a", "xn--evilbank-od0m.top"),
        ("http://evil，bank.top/a", ""),
        ("http://evil*bank.top/a", ""),
        ("http://evil*b.top*bank.com/a", ""),
        ("http://a@bank.com@evil.top/a", "evil.top"),
        ("http://bank.com中文@evil.top/a", "evil.top"),
        ("http://evil.top，邮箱kf@bank.com", "evil.top"),
        ("http://evil.top./a", "evil.top"),
        ("登录evil-bank.top—详情", "evil-bank.top"),
        ("👉evil-bank.top👈", "evil-bank.top"),
        ("看·evil-bank.top·谢谢", "evil-bank.top"),
        ("详情——evil-bank.top", "evil-bank.top"),
        ("登录evil-bank.top✅", "evil-bank.top"),
    ],
)
def test_the_whole_name_is_taken_and_signs_around_it_are_none_of_it(text: str, host: str) -> None:
    assert read(text).domains == tuple(host.split())


@pytest.mark.parametrize(
    "text",
    ["http://3221225985/a", "http://0xC0000201", "http://0xC0.0.2.1/a", "http://0300.0.02.1", "http://192.0.513:80/a"],
)
def test_an_address_in_any_spelling_is_the_address(text: str) -> None:
    assert read(text).domains == ("192.0.2.1",)


@pytest.mark.parametrize(
    "text", ["电话//13800138000", "3.5/5 stars", "见1.2/3号", "http://12345678901/", "code 0x12.5/7"]
)
def test_figures_are_no_addresses(text: str) -> None:
    assert read(text).domains == ()


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(NAMES), st.data(), UNKNOWN)
@example("evil-bank.top", None, "－")
def test_the_same_spelling_is_one_thing_for_an_import_and_in_a_text(
    name: str, data: st.DataObject | None, sign: str
) -> None:
    at = 4 if data is None else data.draw(st.integers(1, len(name) - 1))
    spelt = name[:at] + sign + name[at:]
    for host in read(f"http://{spelt}/a").domains:
        assert normalise_host(spelt) == host
