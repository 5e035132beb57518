"""The prefilter of texts: only texts without content are skipped, and the shortcuts give the full result."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.texts.extraction import Reading, read, read_with_traits
from models.texts.prefilter import DISGUISE, DOT, WORD, worth_reading

REAL = Path(__file__).parents[4] / "shared" / "data" / "sms-uci.tsv"
PIECES = [
    *[
        "a",
        "b",
        "co",
        "com",
        "net",
        "top",
        "evil",
        "shop",
        "www",
        "WWW",
        "http",
        "https",
        "hxxp",
        "://",
        "//",
        ".",
        "..",
        "。",
        "．",
        "｡",
        "・",
        "点",
        "點",
        "dot",
        "DOT",
        "[",
        "]",
        "(",
        ")",
        "【",
        "】",
        "<",
        "@",
        ",",
        "，",
        ";",
        ":",
        "/",
    ],
    *[
        "\\",
        "?",
        "#",
        "=",
        "&",
        "&amp;",
        "%",
        "_",
        "-",
        "1",
        "12",
        "482913",
        "3.5",
        "12.30",
        "v2.1",
        "code",
        "Code",
        "CODE",
        "otp",
        "OTP",
        "验证码",
        "余额",
        "账户",
        "bank",
        "spent",
        "$5",
        "é",
        "ü",
        "公司",
        "我",
        "的",
    ],
    *(" ", " ", " ", "\n", "\t", "\u200b", "\u00ad", "ｅ", "ｖ", "Ａ", "．com", "①", "𝐚", "İ", "K", "ẞ", "."),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=24).map("".join) | st.text(max_size=60)


def the_long_way(text: str) -> Reading:
    """The result when everything is examined closely."""
    return read_with_traits(text, DOT | DISGUISE | WORD)


@settings(max_examples=1500, deadline=None)
@example("https://a.com.www.b.co.WWW")
@example("aa・\u200bcom")
@example("①，com")
@example("aa．公司")
@example("aa․公司")
@example("a&amp;b https://evil.top/x?a=1&amp;b=2")
@example("see https://abc def.top now")
@example("www abc. com/x")
@example("code https://evil.top/482913")
@example("https://evil.top/?u=a1aHR0cHM6Ly9hLnRvcA")
@example("evil.com—b.com")
@example("http://3221225985/ https://evil.top")
@example("go to https://evil.top/x.y) or not")
@given(TEXTS)
def test_any_text_says_what_the_long_way_says(text: str) -> None:
    assert read(text) == the_long_way(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, max_size=8))
def test_a_batch_says_what_its_texts_say_one_by_one(texts: list[str]) -> None:
    found = {index: read_with_traits(texts[index], traits) for index, traits in worth_reading(texts)}
    assert list(found) == sorted(found)
    for index, text in enumerate(texts):
        assert found.get(index, Reading()) == the_long_way(text)


def test_marks_tell_what_to_look_for() -> None:
    texts = ["see you", "evil.top", "evil[.]top", "余额不足", "code at evil.top", "。"]
    assert worth_reading(texts) == [
        (1, DOT),
        (2, DISGUISE),
        (3, WORD),
        (4, DOT | WORD),
    ]


def test_nothing_is_skimmed_out_of_nothing() -> None:
    assert worth_reading([]) == []
    assert worth_reading(["", ""]) == []


@pytest.mark.skipif(not REAL.is_file(), reason="the real texts are not beside this checkout")
def test_real_texts_say_what_the_long_way_says() -> None:
    texts = [line.partition("\t")[2] for line in REAL.read_text(encoding="utf-8").splitlines()]
    texts += [f"{text} https://shop.example.com/a?b={index}" for index, text in enumerate(texts)]
    found = {index: read_with_traits(texts[index], traits) for index, traits in worth_reading(texts)}
    wrong = [index for index, text in enumerate(texts) if found.get(index, Reading()) != the_long_way(text)]
    assert not wrong  # indices only, because the texts are real
