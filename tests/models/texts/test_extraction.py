"""Extraction: the hosts, URLs, flags and template of a text, measured on real lists where they are available."""

from __future__ import annotations

import doctest
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.texts.domains import normalise_host, normalise_url
from models.texts.extraction import LONGEST, Reading, read
from models.texts.notices import BANK_NOTICE, VERIFICATION_CODE

DATA = Path(os.environ.get("FOREWARN_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))

MARKS = """
http:// hxxp:// https: . [.] @ / // com top cn evil www. www 。 ． :80 :99999 中国 例子 xn-- 1.2.3.4 - _ ａ Reply co
uk me 点 · % ? # \\ ß İ ſ , ; ( ) 【 code 123456 银行 支出
"""
PIECES = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=4),
    st.sampled_from([*MARKS.split(), "\ud800", "\0", "\u200b", "\n", " ", "\r\n"]),
)


@given(st.lists(PIECES, max_size=14).map("".join))
@example("http://0.http://")
@example("http://0.0._")
@example("WWW.WWW.AL")
def test_any_string_can_be_read(text: str) -> None:
    """Lone surrogates and NULs included. Every host has the spelling of indicators, so that it can match one."""
    found = read(text)
    for host in found.domains:
        assert normalise_host(host) == host
    for url in found.urls:
        normalise_url(url)
        assert urlsplit(url).hostname in found.domains


def test_hosts_and_urls_stand_in_order_each_once() -> None:
    text = "at b.top/1 then https://a.top, b.top/1 and b.top/2"
    assert read(text) == Reading(("b.top", "a.top"), ("http://b.top/1", "https://a.top", "http://b.top/2"), ())


def test_what_no_sms_is_long_enough_for_is_not_read() -> None:
    assert read("x" * (LONGEST - 9) + " evil.top").domains == ("evil.top",)
    assert read("x" * LONGEST + " evil.top").domains == ()


@pytest.mark.parametrize(
    "text",
    [
        "您的验证码是 482913，请勿告诉他人",
        "驗證碼：1234",
        "【某应用】动态密码 8412，5 分钟内有效",
        "Your OTP is 482913",
        "482-913 is your verification code",
        "G-482913 is your code",
        "Su código es 482913",
        "認証コード：482913",
        "인증번호 482913",
        "Код: 482913",
    ],
)
def test_a_verification_code_is_flagged(text: str) -> None:
    assert read(text).flags == (VERIFICATION_CODE,)


@pytest.mark.parametrize(
    "text",
    [
        "【某行】您尾号0000的账户支出5000元，余额12元",
        "您的储蓄卡12日转账收入100.00元",
        "Rs.500.00 debited from a/c XX000 on 12.03.24. Avl bal Rs.200.00",
        "Your account ending 000 was credited with $5",
        "Card purchase of 12.00 at a shop",
    ],
)
def test_a_notice_of_moved_money_is_flagged(text: str) -> None:
    assert read(text).flags == (BANK_NOTICE,)


def test_a_code_for_a_transfer_is_a_code_for_no_money_has_moved() -> None:
    text = "【某行】验证码482913，您尾号0000的账户将支出5000元"
    assert read(text).flags == (VERIFICATION_CODE,)


@pytest.mark.parametrize(
    "text",
    [
        "验证码请勿告诉他人",
        "扫码领取100元",
        "The dress code is black tie",
        "Meet me at the bank",
        "See you at the river bank at 5",
        "我在银行门口等你",
        "call 0800123456 about the code of conduct",
        "您的动态密码器即将过期,请登录95588.me进行认证",
        "验证码请在http://evil.top/482913查看",
        "Your verification code is at https://evil482913.top",
        "您的账户余额异常,请登录95588.me处理",
    ],
)
def test_words_without_a_code_or_moved_money_are_not_flagged(text: str) -> None:
    assert read(text).flags == ()


# How fraudulent texts carry hosts; {d} plain, {w} full-width, {D} with [.], {U} upper case, {z} with hidden characters.
TEMPLATES = r"""
{d}
http://{d}
https://{d}/
hxxps://{d}/pay
hxxp[:]//{D}/x
HTTP://{U}/A
【某行】您的账户异常请登录{d}处理
尊敬的客户，您的积分即将过期，请登陆{d}兑换，退订回T
您的ETC已过期,请点击https://{d}/a办理。
您的包裹无法派送，请更新地址：{d}。
网址【{d}】查看
网址（{d}）
详情{w}查看
ｈｔｔｐ：／／{w}／ａ
访问{d}/index.html，如有疑问
戳{d}回N退订
👉{d}👈
お荷物は{d}でご確認ください
[국제발신] https://{d}/가
Go to <{d}> now
Please visit ({d}).
Your parcel is on hold. Pay at:{d}
Your account is locked. Verify at http://{d}/login.php?id=12, thanks
Click {d}/x7Gh2 to confirm
Visit {d}. Reply STOP to end
See "{d}" for more
USPS: {U}
http://{d}:8080/a
{d}:8443
https://www.bank.com@{d}/x
http:\\{d}\a
http:// {d}/a
{z}
Update your details\n{d}\nThanks
Votre colis est en attente, réglez les frais : {d} merci
Su paquete está retenido. Pague en {d} ahora
"""


def _lines(name: str) -> list[str]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not there; FOREWARN_TEST_DATA names the folder with the real lists")
    return path.read_text(encoding="utf-8").splitlines()


def _domains(name: str, step: int) -> Iterator[str]:
    """Every nth domain of a list in its normal form; a few lines of the lists are not domains."""
    for line in _lines(name)[1::step]:
        try:
            yield normalise_host(line.rpartition("\t")[2])
        except ValueError:
            continue


def _spelt(pattern: str, host: str) -> str:
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in host)
    spellings = {"d": host, "w": wide, "D": host.replace(".", "[.]"), "U": host.upper()}
    return pattern.replace("\\n", "\n").format(**spellings, z=host.replace(".", "\u200b.\u200b"))


@pytest.mark.parametrize(
    ("name", "step"), [("fraud-domains.tsv", 15), ("benign-domains.txt", 40), ("bank-domains.txt", 1)]
)
def test_real_domains_are_found_in_99_of_100_texts_and_nothing_beside_them(name: str, step: int) -> None:
    patterns = TEMPLATES.strip().splitlines()
    written = found = beside = 0
    for host in _domains(name, step):
        for pattern in patterns:
            seen = read(_spelt(pattern, host)).domains
            written += 1
            found += host in seen
            beside += any(one != host for one in seen)
    assert written > 1_000
    assert found >= 0.99 * written
    assert beside <= 0.001 * written


REAL_HOSTS = 15
"""The ordinary messages of the collection that do name a host; each was checked by hand."""


def _ordinary() -> list[str]:
    messages = (line.partition("\t") for line in _lines("sms-uci.tsv"))
    return [text for kind, _, text in messages if kind == "ham"]


def test_real_ordinary_messages_have_less_than_one_false_host_in_1000() -> None:
    messages = _ordinary()
    assert len(messages) > 4_000
    assert sum(bool(read(text).domains) for text in messages) - REAL_HOSTS < len(messages) / 1_000


def test_real_messages_with_no_space_after_any_full_stop_seldom_have_false_hosts() -> None:
    """On average, a message has three full stops or more; at most one message in 200 yields a false host."""
    real = {host for text in _ordinary() for host in read(text).domains}
    glued = {text: ".".join(part.strip() for part in text.split(".")) for text in _ordinary() if ". " in text}
    assert len(glued) > 1_000
    assert sum(not real.issuperset(read(text).domains) for text in glued.values()) < len(glued) / 200


def test_the_examples_of_the_page_are_true() -> None:
    page = Path(__file__).parents[3] / "docs" / "extraction.md"
    done = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert done.attempted > 10
    assert done.failed == 0
