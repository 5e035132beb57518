"""Scam types: every kind of fraud that Forewarn knows by name, with its names and advice.

To add one, write its entry here, its playbook (``models/casework/playbooks/NAME.yaml``) and its script for the
simulated city (``models/city/scripts/``); tests/test_registries.py reports missing parts. A site may use other words,
which are shown as written.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import Struct


class Advice(NamedTuple):
    """One sentence of a reminder by SMS, in Chinese and in English (only letters of the GSM alphabet)."""

    zh: str
    en: str


class ScamType(Struct, frozen=True, gc=False, kw_only=True):
    """One kind of fraud: its names and the advice about it."""

    name: str
    """A word of ``a-z``, ``0-9`` and ``-``, used in indicators, alerts and file names."""
    zh: str
    en: str
    advice: Advice | None
    """The advice in a reminder; None: only the general advice."""
    courts: bool = False
    """Whether a gang courts people for weeks before it asks for anything, so that an early reply means little."""


ENTRIES: Final[tuple[ScamType, ...]] = (
    ScamType(
        name="impersonated-authority",
        zh="冒充公检法及政府机关",
        en="impersonated authority",
        advice=Advice(
            "公检法不会电话办案，没有“安全账户”。", "Police and courts do not work by phone; there is no safe account."
        ),
    ),
    ScamType(
        name="impersonated-service",
        zh="冒充电商物流客服",
        en="impersonated customer service",
        advice=Advice("客服退款、理赔不会要求转账或屏幕共享。", "No refund needs a transfer from you or your screen."),
    ),
    ScamType(
        name="impersonated-boss",
        zh="冒充领导、熟人",
        en="impersonated boss or acquaintance",
        advice=Advice(
            "领导、熟人要求转账，请当面或打电话核实。", "Ask a boss or friend who wants money in person first."
        ),
    ),
    ScamType(
        name="loan",
        zh="虚假贷款",
        en="fake loan",
        advice=Advice("放款前先收费的都是诈骗。", "Who wants a fee before a loan is a fraud."),
    ),
    ScamType(
        name="task-rebate",
        zh="刷单返利",
        en="task rebate",
        advice=Advice("刷单、做任务返利就是诈骗。", "Paid tasks that ask for deposits are a fraud."),
    ),
    ScamType(
        name="romance-investment",
        zh="虚假投资理财、婚恋交友",
        en="romance or investment",
        advice=Advice("网友带您投资稳赚不赔，就是诈骗。", "A net friend's sure investment is a fraud."),
        courts=True,
    ),
    ScamType(
        name="virtual-currency",
        zh="虚拟货币投资",
        en="virtual currency",
        advice=Advice("虚拟币“内幕”投资平台多为诈骗。", "Sure profits with virtual coins are a fraud."),
    ),
    ScamType(
        name="sextortion",
        zh="网络敲诈",  # a reminder shows on a lock screen, so its words expose nobody
        en="online blackmail",
        advice=Advice("遇网络敲诈勿转账，请立即报警。", "Do not pay blackmailers; tell the police."),
    ),
    ScamType(
        name="fake-prize",
        zh="虚假中奖",
        en="fake prize",
        advice=Advice("领奖先交费就是诈骗。", "A prize that costs a fee is a fraud."),
    ),
    ScamType(
        name="insurance-sms",
        zh="虚假医保社保短信",
        en="fake insurance notice",
        advice=Advice("医保社保不会用短信链接要求认证。", "Insurance offices do not ask you to confirm by a link."),
    ),
    ScamType(name="other", zh="其他诈骗", en="other fraud", advice=None),
)
"""Every scam type, in the order of display."""
