"""Undoes what fraudsters do to a host so that filters miss it: full-width letters, `[.]`, hidden characters.

The first step of reading a text that has anything like a dot. Only letters, digits and the punctuation of URLs
are rewritten; Chinese quotes and stops stay, for they tell where a host ends.
"""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff"
_FANCY = (
    "\uff0e\uff0f\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u2024\u2460-\u249b\u24b6-\u24ea\U0001d400-\U0001d7ff"
)
_ODD = re.compile(f"[{_HIDDEN}{_FANCY}]")
_HIDDEN_RUN = re.compile(f"[{_HIDDEN}]+")
# A full-width mark of a URL counts only where a URL may stand: beside letters that are no Chinese.
_MARKS = dict(zip(map(ord, "．／：－＿？＝＆％＃＠＼～＋․"), "./:-_?=&%#@\\~+.", strict=True))
_BRACKETED = re.compile(r"\s?[\[({<（【]\s?(?:\.|dot|d0t|点|點|。)\s?[\])}>）】]\s?", re.IGNORECASE)
_BRACKETED_SCHEME = re.compile(r"(?<=[pPsS])[\[(](:(?://)?)[\])]")
_MAYBE_BRACKETED = re.compile(r"[\[({<（【]\s?(?:[.:。点點]|[dD][oO0][tT])")
# `abc。com`: a full stop inside a sentence is followed by Chinese, or by a word that ends no host.
_ENDINGS = (
    "com|net|org|cn|tw|hk|cc|top|vip|xyz|icu|shop|site|online|club|store|info|app|pro|asia|biz|co|io|ly|ru|uk|jp|kr|"
    "cyou|buzz|sbs|cfd|win|fun|live|link|work|ink|ltd|tech|wang|mobi|tk|pw|ws|gd|gl|gg|me"
)
_IDEOGRAPHIC = re.compile(
    rf"(?<=[A-Za-z0-9-])[。｡](?=(?:[A-Za-z0-9-]+[。｡.])*(?:{_ENDINGS})(?![A-Za-z0-9-]))|(?<=[wW]{{3}})[。｡](?=[A-Za-z0-9])"
    r"|(?<=[A-Za-z0-9-])[。｡](?=(?:[A-Za-z0-9-]+[。｡.])*[A-Za-z]{2,24}/)",
    re.IGNORECASE,
)


def _ascii(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", match[0])


_FANCY_RUN = re.compile(
    "[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u2460-\u2473\u24b6-\u24ea\U0001d400-\U0001d7ff]+"
)


def undisguised(text: str) -> str:
    """The text with hosts spelt plainly; texts without disguise come back as they are, cheaply.

    >>> undisguised("ｗｗｗ．ａｂｃ．ｃｏｍ"), undisguised("abc[.]com"), undisguised("abc。com 好的。")
    ('www.abc.com', 'abc.com', 'abc.com 好的。')
    """
    if not text.isascii():
        if _ODD.search(text) is not None:
            text = _HIDDEN_RUN.sub("", text)
            text = _FANCY_RUN.sub(_ascii, text).translate(_MARKS)
        if "。" in text or "｡" in text:
            text = _IDEOGRAPHIC.sub(".", text)
    if _MAYBE_BRACKETED.search(text) is not None:
        text = _BRACKETED.sub(".", _BRACKETED_SCHEME.sub(r"\1", text))
    return text.replace("&amp;", "&") if "&amp;" in text else text
