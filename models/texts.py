"""Reads one SMS: the hosts and URLs in it, and whether it brings a verification code or a bank's notice.

The worker calls `read` for every text in its hot path and keeps only what it returns; the text itself goes no
further. Almost every text holds nothing, so each step looks for a mark of it before it parses.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from typing import NamedTuple

from models.disguises import SPELT_DOT, undisguised
from models.hosts import find_hosts

VERIFICATION_CODE = "verification-code"
BANK_NOTICE = "bank-notice"
LONGEST = 10_000
"""Characters of a text that are read. Phones join some ten parts of 153; what is longer is no SMS."""


class Reading(NamedTuple):
    """What may leave the decoder of one text.

    `domains` are full hosts in lower-case ASCII, in order of appearance, each once; an IP address is one.
    `urls` are those hosts' URLs where a scheme, a port, a path or a query was written: scheme (http where none was
    written), host, port, path and query, without user and fragment. `flags` are of `VERIFICATION_CODE`
    and `BANK_NOTICE`.
    """

    domains: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


_NOTHING = Reading()
_CODE_FLAG, _BANK_FLAG, _BOTH_FLAGS = (VERIFICATION_CODE,), (BANK_NOTICE,), (VERIFICATION_CODE, BANK_NOTICE)

# A dot that is none of ASCII, between what may be letters of a host, spelt with full-width letters or not.
_OTHER_DOT = re.compile(r"[。｡．․][\u00ad\u200b-\u200f\u2060\ufeff]*[A-Za-z0-9０-９Ａ-Ｚａ-ｚ\U0001d400-\U0001d7ff]")
_BRACKETED_DOT = re.compile(r"[\[({（【]\s?(?:d[o0]t|点|點|。)\s?[\])}）】]", re.IGNORECASE)
_DIGIT = re.compile("[0-9]")
_CODE = re.compile(r"[0-9]{3}(?<![0-9.,][0-9]{3})(?:[0-9]{1,5}|[ -][0-9]{3})(?![0-9])")
_LATIN_CODE_WORD = re.compile(
    r"\botp\b|\bone[- ]time (?:pass|pin|code)|\w*code\b|\bc[oó]digo\b|\bcodice\b|\bk[oó]de?\b|\bкод\b|\btac\b"
)
_CODE_TERMS = """
验证码 驗證碼 校验码 校驗碼 动态码 動態碼 动态密码 動態密碼 认证码 認證碼 確認碼 确认码 激活码 一次性密码 一次性密碼
短信密码 簡訊密碼 認証コード 確認コード 認証番号 인증번호 인증코드 รหัส otp mã xác
"""
_BANK_TERMS = """
银行 銀行 尾号 末四码 末四碼 後五碼 储蓄卡 信用卡 借记卡 账户 帳戶 bank a/c acct account card upi
"""
_MOVEMENT_TERMS = """
支出 收入 转账 轉帳 轉出 轉入 转入 转出 入账 入帳 扣款 扣费 消费 刷卡 存入 取款 提款 汇款 匯款 交易 余额 餘額
debited credited withdraw deposited transferred spent purchase balance bal: bal. bal txn
"""
_CODE_WORDS = tuple(_CODE_TERMS.split())
_BANK_WORDS = tuple(_BANK_TERMS.split())
_MONEY_MOVED = tuple(_MOVEMENT_TERMS.split())


def read(text: str) -> Reading:
    """The hosts, URLs and flags of one text; any string is readable and none raises.

    Cost: about 1 µs for a text without anything, 5 to 8 µs for one with a host (see docs/extraction.md).

    >>> read("【某行】您尾号0000的账户有异常,点击ｅｖｉｌ．ｔｏｐ/x查看")
    Reading(domains=('evil.top',), urls=('http://evil.top/x',), flags=())
    >>> read("Your OTP is 482913. ok.see you")
    Reading(domains=(), urls=(), flags=('verification-code',))
    """
    if len(text) > LONGEST:
        text = text[:LONGEST]
    flags = _flags(text)
    if not _may_hold_host(text):
        return _NOTHING if not flags else Reading(flags=flags)
    found = find_hosts(undisguised(text))
    if not found:
        return _NOTHING if not flags else Reading(flags=flags)
    if len(found) == 1:
        ((host, url),) = found
        return Reading((host,), (url,) if url else (), flags)
    return Reading(
        tuple(dict.fromkeys(one.host for one in found)),
        tuple(dict.fromkeys(one.url for one in found if one.url)),
        flags,
    )


_TIGHT_DOT = re.compile(r"\.(?:[^\s.]| [A-Za-z.]{2,5}/)")


def _may_hold_host(text: str) -> bool:
    """Whether there is anything like a dot inside a name, however disguised."""
    if "." in text and _TIGHT_DOT.search(text) is not None:
        return True
    if "//" in text or "www" in text or " dot " in text or " DOT " in text:
        return True
    if text.isascii():
        return ("]" in text or ")" in text or "}" in text) and _BRACKETED_DOT.search(text) is not None
    if ("。" in text or "．" in text or "｡" in text or "․" in text) and _OTHER_DOT.search(text) is not None:
        return True
    if SPELT_DOT.search(text) is not None:
        return True
    return ("dot" in text or "点" in text or "點" in text or "." in text) and _BRACKETED_DOT.search(text) is not None


def _flags(text: str) -> tuple[str, ...]:
    """The flags of a text; the first lines are what almost every text costs."""
    if text.isascii():
        low = text.lower()
        code = "code" in low or "otp" in low or "codi" in low or "one time" in low or "one-time" in low
        bank = "bank" in low or "acc" in low or "card" in low or "a/c" in low
    else:
        code = (
            "码" in text
            or "碼" in text
            or "OTP" in text
            or "otp" in text
            or "od" in text
            or "ód" in text
            or "コード" in text
        )
        code = code or "番号" in text or "인증" in text or "รหัส" in text or "од" in text or "ã" in text
        bank = "行" in text or "尾" in text or "卡" in text or "户" in text or "戶" in text or "bank" in text
        if not (code or bank):
            return ()
        low = text.lower()
    if code:
        code = _CODE.search(text) is not None and (_any(_CODE_WORDS, low) or _LATIN_CODE_WORD.search(low) is not None)
    if bank:
        bank = _any(_MONEY_MOVED, low) and _any(_BANK_WORDS, low) and _DIGIT.search(text) is not None
    if code:
        return _BOTH_FLAGS if bank else _CODE_FLAG
    return _BANK_FLAG if bank else ()


def _any(words: tuple[str, ...], text: str) -> bool:
    for word in words:  # noqa: SIM110 - a generator would cost as much as ten of these look-ups
        if word in text:
            return True
    return False


_URL = re.compile(
    r"(?<![a-z0-9_-])(?![0-9.]+(?![a-z0-9_./:-]))(?:[a-z*]{3,6}:?//)?[a-z0-9_-]++(?:\.[a-z0-9_-]++)++(?::\d+)?(?:[/?][!-~]*)?"
)
_NUMBER = re.compile(r"(?<![a-z])[a-z]*+\d[a-z0-9*,.:/-]*|\*{2,}")
_ADDRESSED = re.compile(
    r"(?<=尊敬的)[^\s,:!0]{1,8}?(?=先生|女士|小姐|客户|用户|[,:!])|\b(?:dear|hi|hello|hey) [a-z]+(?: [a-z]+)?(?=[,!:.])"
)


def template(text: str) -> str:
    """A hash of the text without its variable parts, 16 hex digits: the same for each copy of a mass mailing.

    Hosts with their paths, numbers, codes and masked digits, and the name in a salutation are replaced; case,
    width, spaces and hidden characters do not count. Stable across processes and releases of Python.

    >>> template("Dear Ann, your parcel 123 waits: http://a.top/x") == template("Dear Bo, your parcel 98 waits: b.cc/7")
    True
    """
    text = text[:LONGEST]
    plain = unicodedata.normalize("NFKC", undisguised(text)).lower()
    plain = _NUMBER.sub("0", _URL.sub("~", plain))
    plain = " ".join(_ADDRESSED.sub("@", plain).split())
    return blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
