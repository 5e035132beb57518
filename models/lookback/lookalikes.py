"""Lookalikes: which organisation's name a domain borrows, and which domains are an organisation's own.

People trust a link because it looks like their bank's. The organisations are those that are impersonated in China's
published cases. A site that misses one adds a line for it here, or names its domains in ``policy.yaml``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import idna

from models.texts.domains import registrable

ORGANISATIONS: Final[dict[str, str]] = {
    "中国工商银行 ICBC": "icbc.com.cn icbc.com",
    "中国农业银行 Agricultural Bank of China": "abchina.com abchina.com.cn 95599.cn",
    "中国银行 Bank of China": "boc.cn bankofchina.com bankofchina.com.cn",
    "中国建设银行 China Construction Bank": "ccb.com ccb.cn",
    "交通银行 Bank of Communications": "bankcomm.com bankcomm.cn 95559.com.cn",
    "中国邮政储蓄银行 Postal Savings Bank of China": "psbc.com psbcltd.cn",
    "招商银行 China Merchants Bank": "cmbchina.com cmbchina.cn",
    "浦发银行 Shanghai Pudong Development Bank": "spdb.com.cn spdbccc.com.cn",
    "中信银行 China CITIC Bank": "citicbank.com citic.com",
    "中国光大银行 China Everbright Bank": "cebbank.com",
    "中国民生银行 China Minsheng Bank": "cmbc.com.cn",
    "兴业银行 Industrial Bank": "cib.com.cn",
    "平安 Ping An": "pingan.com pingan.com.cn 4008000000.com",
    "华夏银行 Hua Xia Bank": "hxb.com.cn",
    "广发银行 China Guangfa Bank": "cgbchina.com.cn",
    "浙商银行 China Zheshang Bank": "czbank.com",
    "北京银行 Bank of Beijing": "bankofbeijing.com.cn",
    "上海银行 Bank of Shanghai": "bosc.cn bankofshanghai.com",
    "宁波银行 Bank of Ningbo": "nbcb.com.cn",
    "江苏银行 Bank of Jiangsu": "jsbchina.cn",
    "中国人民银行 People's Bank of China": "pbc.gov.cn pbccrc.org.cn",
    "中国银联 China UnionPay": "unionpay.com 95516.com chinaums.com",
    "支付宝 Alipay": "alipay.com antgroup.com",
    "微信 WeChat": "wechat.com weixin.com tenpay.com",
    "中国移动 China Mobile": "10086.cn chinamobile.com chinamobileltd.com",
    "中国联通 China Unicom": "10010.com chinaunicom.com chinaunicom.cn",
    "中国电信 China Telecom": "189.cn chinatelecom.com.cn",
    "中国铁路 China Railway": "12306.cn",
    "顺丰 SF Express": "sf-express.com",
    "中国邮政 China Post": "ems.com.cn chinapost.com.cn 11183.com.cn",
    "中通 ZTO": "zto.com zto.cn",
    "圆通 YTO": "yto.net.cn",
    "韵达 Yunda": "yundaex.com",
    "菜鸟 Cainiao": "cainiao.com",
    "京东 JD": "jd.com jd.hk jdwl.com",
    "淘宝 Taobao": "taobao.com tmall.com alibaba.com",
    "拼多多 Pinduoduo": "pinduoduo.com yangkeduo.com",
    "抖音 Douyin": "douyin.com",
    "税务 State Taxation Administration": "chinatax.gov.cn",
    "社保 social insurance": "12333.gov.cn mohrss.gov.cn",
    "医保 healthcare security": "nhsa.gov.cn",
    "公安 public security": "mps.gov.cn 122.gov.cn 12123.gov.cn 12389.gov.cn",
    "检察 procuratorates": "spp.gov.cn 12309.gov.cn",
    "法院 courts": "court.gov.cn",
    "学信网 student records": "chsi.com.cn",
}
"""Each organisation and its own domains, from their own pages; the names are those of `models.indicators.hotlines`."""

OFFICIAL_SUFFIXES: Final = ("gov.cn", "edu.cn", "mil.cn", "gov.hk", "gov.mo", "gov.tw")
"""Suffixes below which the registries register only public bodies."""

OWN: Final = frozenset(domain for domains in ORGANISATIONS.values() for domain in domains.split())
"""The organisations' own domains."""

_LEAST_TOKEN: Final = 3
_LEAST_WITHIN: Final = 6
"""The fewest letters of a name that is recognised anywhere within another name."""
_LEAST_ALIKE: Final = 5
"""The fewest letters of a name that is recognised with one letter changed."""

_TOKEN: Final = re.compile(r"[a-z]+|[0-9]+")
_FIGURES: Final = str.maketrans("0135", "oles")
_ONE_AS_I: Final = str.maketrans("01357", "oiest")


def is_own(domain: str) -> bool:
    """Whether a normalised domain is, or lies below, an organisation's own domain or an official suffix.

    >>> is_own("mybank.icbc.com.cn"), is_own("beijing.chinatax.gov.cn"), is_own("icbc.com.evil.top")
    (True, True, False)
    """
    return any(parent in OWN or parent in OFFICIAL_SUFFIXES for parent in _parents(domain))


@lru_cache(maxsize=1 << 14)
def resembled(domain: str) -> str:
    """The organisation whose name a normalised domain borrows; empty if it borrows none, or is an own domain.

    >>> resembled("icbc-vip.top"), resembled("www.1cbc.top"), resembled("al1pay-safe.xyz"), resembled("banana.top")
    ('中国工商银行 ICBC', '中国工商银行 ICBC', '支付宝 Alipay', '')
    """
    if is_own(domain):
        return ""
    for label in _labels(domain):
        owner = _owner(label)
        if owner:
            return owner
    return ""


def _parents(domain: str) -> Iterator[str]:
    while domain:
        yield domain
        domain = domain.partition(".")[2]


def _labels(domain: str) -> tuple[str, ...]:
    """The labels that the registrant chose: those of the registrable domain and below, without the public suffix."""
    whole = registrable(domain) or domain
    suffix = whole.partition(".")[2]
    chosen = domain.removesuffix(suffix).rstrip(".").split(".")
    return tuple(_plain(label) for label in reversed(chosen) if label)


def _plain(label: str) -> str:
    """A label in the Latin letters that a reader sees in it."""
    if label.startswith("xn--"):
        try:
            label = idna.decode(label)
        except (idna.IDNAError, UnicodeError):
            return label
    label = label.translate(_LOOK_ALIKES)
    return unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()


_LOOK_ALIKES: Final = str.maketrans("аеорсухіјѕԁһԛԝɡıοαν", "aeopcyxijsdhqwgioav")
"""Cyrillic, Greek and other letters that look like Latin ones (Unicode TR 39, the lower-case letters of names)."""


def _names() -> dict[str, str]:
    """The names in the organisations' own domains, each with its organisation; common words are left out."""
    names: dict[str, str] = {}
    for owner, domains in ORGANISATIONS.items():
        for domain in domains.split():
            name = _labels(domain)[0]
            if len(name) >= _LEAST_TOKEN and name not in _COMMON_WORDS:
                names.setdefault(name, owner)
    return names


_COMMON_WORDS: Final = frozenset({"court", "abc", "ems"})
_NAMES: Final = _names()
_LONG_NAMES: Final = {name: owner for name, owner in _NAMES.items() if len(name) >= _LEAST_WITHIN}


def _owner(label: str) -> str:
    """The organisation whose name a label contains, as written or with digits for letters; empty if there is none."""
    parts = [part for part in re.split(r"[-_]", label) if part]
    for spelt in (part.translate(table) for part in parts for table in ({}, _FIGURES, _ONE_AS_I)):
        for token in (spelt, *_TOKEN.findall(spelt)):
            if token in _NAMES:
                return _NAMES[token]
        for name, owner in _LONG_NAMES.items():
            if name in spelt:
                return owner
    joined = "".join(parts)
    for name, owner in _NAMES.items():
        if len(name) >= _LEAST_ALIKE and name[0].isalpha() and _is_one_edit(joined, name):
            return owner
    return ""


def _is_one_edit(one: str, other: str) -> bool:
    """Whether one letter inserted, left out, changed or swapped with its neighbour turns one into the other."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    at = next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    left, right = one[at:], other[at:]
    return left[1:] == right[1:] or left[1:] == right or left == right[1:] or (left[1::-1] + left[2:]) == right
