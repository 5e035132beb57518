"""Deobfuscation: the disguises of hosts are undone, and texts that only look like disguises stay unchanged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.texts.deobfuscation import deobfuscated
from models.texts.extraction import read

DISGUISED = [
    ("ｗｗｗ．ｅｖｉｌ．ｔｏｐ", "www.evil.top"),
    ("请ＥＶＩＬ．ＣＯＭ查看", "evil.com"),
    ("ｅｖｉｌ。ｃｏｍ", "evil.com"),
    ("ｈｔｔｐ：／／ｅｖｉｌ．ｔｏｐ／ａ", "evil.top"),
    ("https：//evil.top", "evil.top"),
    ("𝐞𝐯𝐢𝐥.𝐜𝐨𝐦", "evil.com"),
    ("ⓔⓥⓘⓛ.ⓒⓞⓜ", "evil.com"),
    ("evil[.]com", "evil.com"),
    ("evil[.]co[.]uk/pay", "evil.co.uk"),
    ("hxxps[:]//evil[.]com", "evil.com"),
    ("hxxp[://]evil[.]com", "evil.com"),
    ("evil(.)com", "evil.com"),
    ("evil{.}com", "evil.com"),
    ("evil[dot]com", "evil.com"),
    ("evil (DOT) com", "evil.com"),
    ("evil【点】com", "evil.com"),
    ("evil[.com", "evil.com"),
    ("evil\\.com", "evil.com"),
    ("evil dot com", "evil.com"),
    ("£5 at evil DOT com", "evil.com"),
    ("网址evil点com", "evil.com"),
    ("www点evil点com", "www.evil.com"),
    ("www·evil·com", "www.evil.com"),
    ("请evil，com查看", "evil.com"),
    ("请evil。cc查看", "evil.cc"),
    ("登录wap。evil。com", "wap.evil.com"),
    ("请evil。com。好", "evil.com"),
    ("evil．vip", "evil.vip"),
    ("evil․com", "evil.com"),
    ("evil｡com", "evil.com"),
    ("http://evil,com/x", "evil.com"),
    ("www,evil,com", "www.evil.com"),
    ("e\u200bvil.c\u200bom", "evil.com"),
    ("evil\u00ad.com", "evil.com"),
    ("evil\ufeff.com", "evil.com"),
    ("http://wap. evil.com?n=1", "wap.evil.com"),
    ("http//wap. evil.com/x", "wap.evil.com"),
    ("https://evil. top/a", "evil.top"),
    ("https://evil .top/a", "evil.top"),
    ("https://evil.\ntop/a", "evil.top"),
    ("https://usps-tra ck.com/x", "usps-track.com"),
    ("https://usps-tra\nck.com/x", "usps-track.com"),
    ("www. evil.com", "www.evil.com"),
    ("请登录evil-bank .top处理", "evil-bank.top"),
    ("请登录evil-bank. top处理", "evil-bank.top"),
    ("请登录evil-bank . top处理", "evil-bank.top"),
    ("登录http://evil-bank .top处理", "evil-bank.top"),
    ("登录www.evil-bank .top处理", "www.evil-bank.top"),
    ("secure-evil .com login", "secure-evil.com"),
    ("evilx .com login", "evilx.com"),
    ("evil. com/x", "evil.com"),
    ("evil.com/a?b=1&amp;c=2", "evil.com"),
]


@pytest.mark.parametrize(("text", "host"), DISGUISED)
def test_a_disguised_host_is_found(text: str, host: str) -> None:
    assert read(text).domains == (host,)


@pytest.mark.parametrize(
    "text",
    [
        "好的。ok",
        "abc。好",
        "“你好。”",
        "（１）ＡＢＣ好",
        "Visit http://evil.com. Thanks",
        "see you at 12. com lab is full",
        "下午3点top见",
        "价格(.5折)",
    ],
)
def test_ordinary_punctuation_makes_no_dot(text: str) -> None:
    assert "." not in deobfuscated(text).replace("evil.com. ", "").replace("12. ", "").replace("(.5", "")


def test_two_urls_in_a_row_stay_two() -> None:
    assert read("Visit http://evil.com. bad.cn/x").domains == ("evil.com", "bad.cn")


def test_entities_of_html_are_undone_in_urls() -> None:
    assert read("evil.com/a?b=1&amp;c=2").urls == ("http://evil.com/a?b=1&c=2",)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="[({<&\\., ")))
def test_plain_ascii_comes_back_as_it_is(text: str) -> None:
    assert deobfuscated(text) == text
