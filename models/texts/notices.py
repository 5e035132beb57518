"""Notices: whether an SMS holds a verification code or reports a movement of money on a bank account.

These two kinds of ordinary SMS matter when they come near a suspicious contact. `models.texts.extraction` uses them.
"""

from __future__ import annotations

import re
from typing import Final, Literal

Flag = Literal["verification-code", "bank-notice"]
VERIFICATION_CODE: Final = "verification-code"
BANK_NOTICE: Final = "bank-notice"

_CODE_FLAG: Final[tuple[Flag, ...]] = (VERIFICATION_CODE,)
_BANK_FLAG: Final[tuple[Flag, ...]] = (BANK_NOTICE,)

_DIGIT = re.compile("[0-9]")
_CODE = re.compile(r"[0-9]{3}(?<![0-9.,][0-9]{3})(?:[0-9]{1,5}|[ -][0-9]{3})(?![0-9])")
# Words in Latin and Cyrillic letters, each keyed by a part of it: most texts have none of these parts.
_SPACED_CODE_WORDS = {
    "otp": re.compile(r"\botp\b"),
    "one": re.compile(r"\bone[- ]time (?:pass|pin|code)"),
    "code": re.compile(r"code\b"),
    "cod": re.compile(r"\bcodigo\b|\bcodice\b"),
    "cód": re.compile(r"\bcódigo\b"),
    "kod": re.compile(r"\bkode?\b"),
    "kód": re.compile(r"\bkóde?\b"),
    "код": re.compile(r"\bкод\b"),
    "tac": re.compile(r"\btac\b"),
}
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
MOVEMENT_WORDS = tuple(_MOVEMENT_TERMS.split())
"""Words about a movement of money, in lower case; every bank notice has one."""
CODE_WORDS = (*_CODE_WORDS, "one time", "one-time", "codigo", "código", "codice", "kod", "kód", "код")
WHOLE_CODE_WORDS = ("code", "tac")
"""Words of verification codes, in lower case.

Every text with a code has one of `CODE_WORDS`, or one of `WHOLE_CODE_WORDS` that no letter follows.
"""


def flags(text: str) -> tuple[Flag, ...]:
    """The flags of a text: `VERIFICATION_CODE`, `BANK_NOTICE` or none.

    A text with a code may mention the transfer that it confirms; no money has moved then.

    >>> flags("Your OTP is 482913"), flags("【银行】您正在办理转账，验证码209417")
    (('verification-code',), ('verification-code',))
    >>> flags("您尾号0000的账户支出500.00元")
    ('bank-notice',)
    """
    low = text.lower()
    if _DIGIT.search(low) is None:
        return ()
    if (_any(_CODE_WORDS, low) or _has_spaced_code_word(low)) and _CODE.search(low) is not None:
        return _CODE_FLAG
    return _BANK_FLAG if _any(MOVEMENT_WORDS, low) and _any(_BANK_WORDS, low) else ()


def _has_spaced_code_word(low: str) -> bool:
    for part, word in _SPACED_CODE_WORDS.items():  # noqa: SIM110 - as in `_any`
        if part in low and word.search(low) is not None:
            return True
    return False


def _any(words: tuple[str, ...], text: str) -> bool:
    for word in words:  # noqa: SIM110 - a generator would cost as much as ten of these look-ups
        if word in text:
            return True
    return False
