"""Named numbers: the phone numbers that a text tells its reader to ring, read as people write them.

`models.indicators.text_numbers` finds the runs of digits that may hold a known number. Here the signs between and
around the digits decide what was meant. Digits are joined only where they are one number; the digits of a link, a code,
a sum of money or an account are none. Anything else would accuse a stranger.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.events.numbering import Numbering
from models.indicators.text_numbers import LONG, TextNumberPrefilter
from models.texts.hosts import find_hosts

_NEAR: Final = 200
"""Bytes before and behind a run of digits that are looked at."""

_WORD: Final = 24
"""Characters before a number that are searched for a word which says what it is."""
_MOST_ASKED: Final = 1 << 12
"""How many written numbers are remembered with their normal form."""

_PARTS: Final = ((re.compile(r"\S+"), 1), (re.compile(r"[^\s()（）\[\]]+"), LONG))
"""What may be a number by itself in a run that is none: what stands between blanks, else, with more digits than an area
code has, between brackets as well."""
_GROUP: Final = re.compile(r"\d+")
_PLUS: Final = re.compile(r"[+＋][(（]?\Z")

_ASKED: Final = re.compile(
    r"(?:电话|热线|专线|客服|拨打?|致电|回拨|来电|呼叫|联系|咨询|详询|垂询"
    r"|\b(?:call|ring|dial|phone|telephone|tel|hotline|helpline|contact|text|txt))"
    r"(?:\s?(?:号码|为|是|us|me|back|now|on|at|to)){0,3}[\s:：.()（）-]{0,3}\Z",
    re.IGNORECASE,
)
_GLUED: Final = re.compile(r"(?<![a-z0-9])(?:call|ring|dial|phone|tel|hotline|contact|on|to|at|or)\Z", re.IGNORECASE)
"""Words that people write right before a number without a blank."""
_JOINED_BEFORE: Final = re.compile(r"(?:[A-Za-z_=#%&@~*]|[A-Za-z]/|\d[.:：]|(?<!\d)\d{1,3}[,，])\Z")
_NO_NUMBER_FOLLOWS: Final = re.compile(
    r"(?:[$€£¥￥]|金额|人民币|(?:账|帐|卡|户|单|编|工|学|证|群|案|货|期|批|流水|护照)号码?|账户|帐户|尾号"
    r"|(?:订单|运单|快递|包裹|身份证|证件|保单)(?:编号|号码)?|验证码|校验码|动态码|取件码|密码|口令|QQ群?"
    r"|\b(?:rmb|cny|usd|gbp|eur|code|otp|pin|password|order|account|acct?|a/c|ref|reference|id|tracking|invoice|parcel)"
    r"(?:\s?(?:number|no\b\.?|num\b\.?|id))?)"
    r"[\s:：.为是号#-]{0,3}\Z",
    re.IGNORECASE,
)
_NO_NUMBER_BEFORE: Final = re.compile(
    r"\s?(?:元|块|万|亿|美元|港币|人民币|[%％‰$€£¥￥]|(?:rmb|cny|usd|yuan|dollars?|pounds?|pence)\b)"
    r"|[_=@*#]|[.:：]\d|[,，]\d{1,3}(?!\d)|/[A-Za-z]|[A-Za-z]+\d",
    re.IGNORECASE,
)
_UNIT: Final = re.compile(r"[年月日秒次个條条天人件名位折岁份张]|分(?!机)|小时")
"""What the last of several groups counts, so that it is no part of a number."""

_LINK_SIGNS: Final = "".join(map(chr, range(0x21, 0x7F))).translate({ord(sign): None for sign in ",<>"})
_LINK_SIGN: Final = re.compile(r"[./@]")


def named_numbers(text: str, numbering: Numbering, known: TextNumberPrefilter) -> Iterator[str]:
    """The numbers that a text names, in normal form, of those runs of digits in which a known number may be.

    Not every one of them is known. ``numbering`` is that of the record's source. Any text can be read, and none raises.
    Of a text with very many numbers, only some are read (`models.indicators.text_numbers.MOST_RUNS`).
    """
    spelt = np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8)
    for begin, end in known.runs(spelt):
        yield from numbers_at(spelt, begin, end, numbering)


def numbers_at(text: NDArray[np.uint8], begin: int, end: int, numbering: Numbering) -> Iterator[str]:
    """The numbers of the run of digits that lies at a place of a text in UTF-8, in normal form."""
    before = text[max(begin - _NEAR, 0) : begin].tobytes().decode("utf-8", "ignore")
    behind = text[end : end + _NEAR].tobytes().decode("utf-8", "ignore")
    return numbers_of_run(before, text[begin:end].tobytes().decode(), behind, numbering)


def numbers_of_run(before: str, run: str, behind: str, numbering: Numbering) -> Iterator[str]:
    """The numbers of a run of groups of digits, by what is written ``before`` and ``behind`` it, in normal form.

    The run is one number if it can be one; if not, each part between blanks, or between brackets, that is a number by
    itself counts.

    >>> china = Numbering()
    >>> [*numbers_of_run("请致电", "400-100 0000", "", china)], [*numbers_of_run("", "99900123456 2", "次", china)]
    (['864001000000'], ['99900123456'])
    >>> [*numbers_of_run("卡号", "99900123456", "", china)], [*numbers_of_run("", "99900123456", "元", china)]
    ([], [])
    """
    whole = _number(before, run, behind, numbering)
    if whole is not None:
        yield whole
        return
    for parts, fewest in _PARTS:
        found = [
            number
            for part in parts.finditer(run)
            if part[0] != run
            and sum(map(str.isdigit, part[0])) >= fewest
            and (number := _number(before + run[: part.start()], part[0], run[part.end() :] + behind, numbering))
        ]
        if found:
            yield from found
            return


def _number(before: str, written: str, behind: str, numbering: Numbering) -> str | None:
    """The number that the digits between two pieces of text are, in normal form; None if they are none."""
    if plus := _PLUS.search(before):
        before, written = before[: plus.start()], "+" + written
    groups, word = _GROUP.findall(written), before[-_WORD:]
    is_short = sum(map(len, groups)) < LONG
    if is_short and (len(groups) > 1 or _ASKED.search(word) is None):
        return None
    if _JOINED_BEFORE.search(word) and not _GLUED.search(word):
        return None
    if _NO_NUMBER_FOLLOWS.search(word) or _NO_NUMBER_BEFORE.match(behind):
        return None
    if (len(groups) > 1 and _UNIT.match(behind)) or _is_in_link(before, written, behind):
        return None
    return _normal(written, numbering)


@lru_cache(maxsize=_MOST_ASKED)
def _normal(written: str, numbering: Numbering) -> str | None:
    try:
        return numbering.normal(written)
    except ValueError:
        return None


def _is_in_link(before: str, written: str, behind: str) -> bool:
    """Whether the digits are part of a link, a host or an e-mail address."""
    head = before[len(before.rstrip(_LINK_SIGNS)) :]
    tail = behind[: len(behind) - len(behind.lstrip(_LINK_SIGNS))]
    if not _LINK_SIGN.search(head + tail):
        return False
    end = len(head) + len(written)
    return any(one.begin < end and one.end > len(head) for one in find_hosts(head + written + tail))
