"""Kept texts: a recording without texts holds exactly what deciding reads in them, and nothing that somebody wrote."""

from __future__ import annotations

import pytest

from models.detection.kept_texts import KeptTexts, named
from models.events.numbering import Numbering
from models.texts.extraction import read

CHINA = Numbering()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "晚上七点老地方见，带上钥匙",
        "【ETC】您的ETC已停用，请登录ｅｔｃ－ｐａｙ．ｔｏｐ/a?id=7办理",
        "see hxxp://evil[.]example/login and www.other.example",
        "evil.top 快来",
        "go https://a.example/r?u=https%3A%2F%2Fevil.example%2Fx",
        "您的验证码是 482913，请勿告诉他人",
        "【某行】您尾号0000的账户支出5000元，余额12元，详询95588",
        "请致电 400-100 0000 或 +86 755 2222 0000",
        "call +999 001 23456 now, order 99900777777",
        "拨打95588；ring 0099900123456. 群号 99900123456",
        "客服９９９００１２３４５６，另有99900000001、99900000002、99900000003、99900000004、99900000005、99900000006、"
        "99900000007、99900000008、99900000009",
        "http://[::1]/x http://192.0.2.7:8080/a?b=c#d",
        "半个链接 http://evil-",
        "half \ud800 a pair https://evil.example/\ud800",
        "x" * 20_000 + " https://evil.example",
    ],
)
def test_what_is_kept_of_a_text_reads_as_the_text_does(text: str) -> None:
    kept, is_exact = KeptTexts().of(text, CHINA)

    assert is_exact
    assert read(kept) == read(text)
    assert named(kept, CHINA) == named(text[:10_000], CHINA)


def test_nothing_that_a_person_wrote_is_kept() -> None:
    kept, _ = KeptTexts().of(
        "妈，我手机坏了，把 3,000 元转给王老师，卡号 6200000000000000，见 http://evil.example/a", CHINA
    )

    assert kept == "http://evil.example/a\n"


def test_the_numbers_of_an_sms_that_was_sent_are_not_kept() -> None:
    """Deciding reads them in received SMS alone."""
    assert KeptTexts().of("我的电话 +999 001 23456", None).text == ""
