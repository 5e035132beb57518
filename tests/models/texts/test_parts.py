"""Parts of a long SMS: a link that was cut is never taken for another host."""

from __future__ import annotations

import pytest

from models.texts.extraction import LONGEST, read
from models.texts.parts import is_full

LATIN = (
    "Your account is locked and we could not reach you. To keep it open you must verify your details today, so log in"
)
CHINESE = "【某行】尊敬的客户，您的账户存在异常，将于今日冻结，逾期将影响您的正常使用，请您尽快处理，立即登录"


def ending(link: str, size: int, begin: str) -> str:
    """A text of this length that ends with a link."""
    filling = "啊" if not begin.isascii() else "x "
    return (begin + filling * size)[: size - len(link) - 1] + " " + link


@pytest.mark.parametrize(
    "text",
    [
        "bank.top/a进行实名认证逾期将影响您的正常使用",
        "bank.top进行实名认证",
        "nk-login.top/x to verify your account",
        "-bank.top/a进行实名认证",
        ".bank.top/a进行实名认证",
        "@bank.top/a进行实名认证",
        "请立即登录手机网址http://evil-",
        "请立即登录手机网址http://secure-ba",
        "请立即登录手机网址http://bank.com-",
        "请立即登录手机网址bank.com-",
        "请立即登录手机网址bank.com-tra",
        ending("http://bank.co", 67, CHINESE),
        ending("http://bank.to", 66, CHINESE),
        ending("bank.co", 67, CHINESE),
        ending("https://bank.co", 153, LATIN),
        ending("https://bank.co", 152, LATIN),
        ending("https://bank.co", LONGEST, LATIN),
    ],
)
def test_a_half_of_a_link_is_no_host(text: str) -> None:
    assert read(text).domains == ()


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("bank.top", "bank.top"),
        ("bank.top/a", "bank.top"),
        ("bank.top/a。", "bank.top"),
        ("bank.top/a\nThanks", "bank.top"),
        ("Bank.top/a is ours", "bank.top"),
        ("www.bank.top/a is ours", "www.bank.top"),
        ("http://bank.top/a进行实名认证", "bank.top"),
        ("//bank.top/a进行实名认证", "bank.top"),
        ("请bank.top/a进行实名认证", "bank.top"),
        ("icbc.top is ours", "icbc.top"),
        ("请登录http://bank.com", "bank.com"),
        ("请登录http://bank.co", "bank.co"),
        ("log in at http://bank.com.Reply", "bank.com"),
        (ending("http://bank.com/a", 67, CHINESE), "bank.com"),
        (ending("http://bank.com", 67, CHINESE), "bank.com"),
        (ending("http://bank.co", 68, CHINESE), "bank.co"),
        (ending("https://bank.co", 67, LATIN), "bank.co"),
        (ending("https://bank.com/a", 153, LATIN), "bank.com"),
    ],
)
def test_a_whole_link_is_a_host(text: str, host: str) -> None:
    assert read(text).domains == (host,)


def test_a_full_part_is_counted_as_networks_do() -> None:
    full = {size for size in range(200) if is_full("x" * size)}
    assert full == {152, 153}
    assert {size for size in range(200) if is_full("字" * size)} == {66, 67, 152, 153}
    assert is_full("字" * 65 + "😀")
