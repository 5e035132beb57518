"""Deobfuscation: undoes the tricks that hide a host from filters: full-width letters, `[.]`, hidden characters.

This is the first step in reading a text that has anything like a dot. Only letters, digits and the punctuation of URLs
are rewritten. Chinese quotation marks and full stops stay, because they show where a host ends.
"""

from __future__ import annotations

import re
import unicodedata

from models.texts.vocabulary import is_plain_word

_HIDDEN = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff"
_FANCY = "\uff0e\uff0f\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u2024\u2460-\u249b\u24b6-\u24ea\U0001d400-\U0001d7ff"
HIDDEN_CHARACTERS = [chr(code) for code in range(0x10000) if re.match(f"[{_HIDDEN}]", chr(code))]
"""Characters that are invisible to a reader."""
_ODD = re.compile(f"[{_HIDDEN}{_FANCY}]")
_HIDDEN_RUN = re.compile(f"[{_HIDDEN}]+")
# A full-width mark of a URL counts only where a URL is possible: next to letters that are not Chinese.
_MARKS = dict(zip(map(ord, "．／：－＿？＝＆％＃＠＼～＋․"), "./:-_?=&%#@\\~+.", strict=True))
_BRACKETED = re.compile(
    r"\s?[\[({<（【]\s?(?:\.|dot|d0t|点|點|。)\s?[\])}>）】]\s?|(?<=[a-z0-9])[\[({]\.(?=(?:com|net|org|co|top|xyz)\b)",
    re.IGNORECASE,
)
_BRACKETED_SCHEME = re.compile(r"(?<=[pPsS])[\[(](:(?://)?)[\])]")
_MAYBE_BRACKETED = re.compile(r"[\[({<（【]\s?(?:[.:。点點]|[dD][oO0][tT])")
# `abc。com`: after a full stop between sentences comes Chinese, or a word that cannot end a host.
_ENDINGS = (
    "com|net|org|cn|tw|hk|cc|top|vip|xyz|icu|shop|site|online|club|store|info|app|pro|asia|biz|co|io|ly|ru|uk|jp|kr|"
    "cyou|buzz|sbs|cfd|win|fun|live|link|work|ink|ltd|tech|wang|mobi|tk|pw|ws|gd|gl|gg|me"
)
_COMMON = "com|net|org|cn|cc|top|vip|xyz|icu|info|co\\.uk"
COMMON_ENDINGS = (*_COMMON.split("|")[:-1], "co.uk")
"""Endings that prove a host even with a space or a comma inside it."""
OTHER_DOTS = "。｡．․点點·•∙‧・丶，、"
"""Characters that may stand for a dot."""
_IDEOGRAPHIC = re.compile(
    rf"(?<=[A-Za-z0-9-])[。｡](?=(?:[A-Za-z0-9-]{{1,63}}[。｡.]){{0,5}}(?:{_ENDINGS})(?![A-Za-z0-9-]))|(?<=[wW]{{3}})[。｡](?=[A-Za-z0-9])"
    r"|(?<=[A-Za-z0-9-])[。｡](?=(?:[A-Za-z0-9-]{1,63}[。｡.]){0,5}[A-Za-z]{2,24}/)",
    re.IGNORECASE,
)
SPELT_DOT = re.compile(rf"[点點·•∙‧・丶，、。｡](?<=[A-Za-z0-9{_FANCY}-].)[A-Za-z0-9{_FANCY}]")
"""A mark between letters that may stand for a dot."""
# `abc点com`, `www·abc·com`, `abc，com`, `abc dot com`: 12点 is noon, so digits count only when there are many.
_SPELT = re.compile(
    rf"(?:(?<=[A-Za-z])|(?<=[0-9]{{4}}))[点點](?=(?:[A-Za-z0-9-]+[点點.])?(?:{_COMMON})(?![A-Za-z0-9]))"
    r"|(?<=[A-Za-z0-9])[·•∙‧・丶](?=(?:[A-Za-z0-9-]+[·•∙‧・丶.])?(?:com|net|org|cn|cc|top|xyz)(?![A-Za-z0-9]))"
    r"|(?<=[A-Za-z0-9])[，、](?=(?:com|net)(?![A-Za-z0-9]))"
    r"|(?<=[A-Za-z0-9]) dot (?=(?:com|net|org)\b)",
    re.IGNORECASE,
)
# A space next to a dot: after a scheme or www, before a path, or before an ending when the label is not a plain word.
_SPACED = re.compile(
    r"(?<=//)([a-z0-9-]+)[ \n](?=[a-z0-9-]+\.[a-z])"
    rf"|(?:(?<=//)|(?<![\w.])(?=www))([a-z0-9-]+)(?: \.|\.\s)(?=[a-z0-9-]+(?:\.[a-z0-9]|[/:?])|(?:{_COMMON})\b)"
    rf"|(?<![\w.-])([a-z0-9-]{{2,}})(?: \.|\.\s)(?=(?:com|net|org|cn|cc|xyz|icu|co\.uk)/[\w?])"
    rf"|(?<![\w.-])(?P<bare>[a-z0-9-]{{3,}}) \.(?=(?:{_COMMON})\b)",
    re.IGNORECASE,
)
_SPACE_IN_URL = re.compile(r"//[\w-]*(?: |\n|\.\s)")
# Each pattern begins with a rare character, so the search is as fast as a search for that character.
_SPACE_BEFORE_ENDING = re.compile(rf" \.(?:{_COMMON})\b")
_SPACE_AFTER_DOT = re.compile(rf"\.\s(?:{_COMMON})\b")
_SPACED_WWW = re.compile(r"[wW]{3}[\w-]*(?: \.|\.\s)")
_COMMAS = re.compile(
    rf"(?:(?<=//)|(?<![\w.,])(?=www[.,，]))[a-z0-9-]+(?:[.,，][a-z0-9-]+)*?[,，](?:{_COMMON})(?![a-z0-9])",
    re.IGNORECASE,
)
_MAYBE_COMMAS = re.compile(rf"[,，](?:{_COMMON})", re.IGNORECASE)
_FANCY_RUN = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u2460-\u2473\u24b6-\u24ea\U0001d400-\U0001d7ff]+")


def deobfuscated(text: str) -> str:
    """The text with its hosts in plain spelling; a text without disguise is returned unchanged and cheaply.

    >>> deobfuscated("ｗｗｗ．ａｂｃ．ｃｏｍ"), deobfuscated("abc[.]com"), deobfuscated("abc。com 好的。")
    ('www.abc.com', 'abc.com', 'abc.com 好的。')
    >>> deobfuscated("abc点com"), deobfuscated("https://abc .top/x"), deobfuscated("www,abc,com")
    ('abc.com', 'https://abc.top/x', 'www.abc.com')
    """
    if not text.isascii():
        if _ODD.search(text) is not None:
            text = _HIDDEN_RUN.sub("", text)
            text = _FANCY_RUN.sub(_ascii, text).translate(_MARKS)
        if SPELT_DOT.search(text) is not None:
            text = _SPELT.sub(".", _IDEOGRAPHIC.sub(".", text))
    if " dot " in text or " DOT " in text:
        text = _SPELT.sub(".", text)
    if "\\." in text:
        text = text.replace("\\.", ".")
    if ("[" in text or "(" in text or "{" in text or "<" in text or "（" in text or "【" in text) and (
        _MAYBE_BRACKETED.search(text) is not None
    ):
        text = _BRACKETED.sub(".", _BRACKETED_SCHEME.sub(r"\1", text))
    if may_be_spaced(text):
        text = _SPACED.sub(_joined, text)
    if ("," in text or "，" in text) and _MAYBE_COMMAS.search(text) is not None:
        text = _COMMAS.sub(_dotted, text)
    return text.replace("&amp;", "&") if "&amp;" in text else text


def may_be_spaced(text: str) -> bool:
    """Whether a host in the text may have a space inside it."""
    if "//" in text and _SPACE_IN_URL.search(text) is not None:
        return True
    return (
        (" ." in text and _SPACE_BEFORE_ENDING.search(text) is not None)
        or ((". " in text or ".\n" in text) and _SPACE_AFTER_DOT.search(text) is not None)
        or (("www" in text or "WWW" in text) and _SPACED_WWW.search(text) is not None)
    )


def _ascii(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", match[0])


def _joined(match: re.Match[str]) -> str:
    name = match[match.lastindex or 0]
    if match["bare"] and is_plain_word(name.lower()):
        return match[0]
    return f"{name}." if "." in match[0] else name


def _dotted(match: re.Match[str]) -> str:
    return match[0].replace(",", ".").replace("，", ".")
