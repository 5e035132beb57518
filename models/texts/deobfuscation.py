"""Deobfuscation: undoes the tricks that hide a host from filters: full-width letters, `[.]`, hidden characters.

This is the first step in reading a text that has anything like a dot. Only letters, digits and the punctuation of URLs
are rewritten. Chinese quotation marks and full stops stay, because they show where a host ends.
"""

from __future__ import annotations

import re

from models.texts.browsers import LETTERLIKE, PLAIN_SPELLINGS
from models.texts.signs import SPACELESS
from models.texts.vocabulary import is_plain_word

# A full-width mark of a URL counts only where a URL is possible: next to letters that are not Chinese.
_MARKS = dict(zip(map(ord, "．／：－＿？＝＆％＃＠＼～＋․"), "./:-_?=&%#@\\~+.", strict=True))
_PLAIN = PLAIN_SPELLINGS | _MARKS
DISGUISED_SIGNS = [chr(code) for code in PLAIN_SPELLINGS] + ["．", "․"]
"""Characters that stand for letters, digits, hyphens, dots or nothing in a host."""
# An expression compares a character beyond U+FFFF with each entry of its class, so those are taken by the block.
_BLOCKS = "".join(f"{chr(block[0])}-{chr(block[-1])}" for block in LETTERLIKE if block[0] > 0xFFFF)
_DISGUISED = re.compile("[" + "".join(sign for sign in DISGUISED_SIGNS if ord(sign) <= 0xFFFF) + _BLOCKS + "]")
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
_SPELT_DOT = re.compile(r"[点點·•∙‧・丶，、。｡](?<=[A-Za-z0-9-].)[A-Za-z0-9]")
# `abc点com`, `www·abc·com`, `abc，com`, `abc dot com`: 12点 is noon, so digits count only when there are many.
_SPELT = re.compile(
    rf"(?:(?<=[A-Za-z])|(?<=[0-9]{{4}}))[点點](?=(?:[A-Za-z0-9-]+[点點.])?(?:{_COMMON})(?![A-Za-z0-9]))"
    r"|(?<=[A-Za-z0-9])[·•∙‧・丶](?=(?:[A-Za-z0-9-]+[·•∙‧・丶])?(?:com|net|org|cn|cc|top|xyz)(?![A-Za-z0-9.-]))"
    r"|(?<=www)[·•∙‧・丶](?=[A-Za-z0-9])"
    r"|(?<=[A-Za-z0-9])[，、](?=(?:com|net)(?![A-Za-z0-9]))"
    r"|(?<=[A-Za-z0-9]) dot (?=(?:com|net|org)\b)",
    re.IGNORECASE,
)
# A space next to a dot: after a scheme or www, before a path, or before an ending when the label is not a plain word.
# Classes and boundaries are those of ASCII, since Chinese touches a host.
_SPACED = re.compile(
    r"(?<=//)([a-z0-9-]+)[ \n](?=[a-z0-9-]+\.[a-z])"
    rf"|(?:(?<=//)|(?<![\w.])(?=www))([a-z0-9-]+)(?: \.|\.\s)(?=[a-z0-9-]+(?:\.[a-z0-9]|[/:?])|(?:{_COMMON})\b)"
    rf"|(?<![\w.-])([a-z0-9-]{{2,}})(?: \.|\.\s)(?=(?:com|net|org|cn|cc|xyz|icu|co\.uk)/[\w?])"
    rf"|(?<![\w.-])(?P<bare>(?:[a-z0-9-]+\.){{0,4}}[a-z0-9-]{{3,}}) \.(?=(?:{_COMMON})\b)"
    rf"|(?<={SPACELESS})(?P<glued>[a-z0-9-]{{3,}})(?:\.| \.)\s(?=(?:{_COMMON})(?![\w.-]))",
    re.IGNORECASE | re.ASCII,
)
_SPACE_IN_URL = re.compile(r"//[\w-]*(?: |\n|\.\s)")
# Each pattern begins with a rare character, so the search is as fast as a search for that character.
_SPACE_BEFORE_ENDING = re.compile(rf" \.(?:{_COMMON})\b", re.ASCII)
_SPACE_AFTER_DOT = re.compile(rf"\.\s(?:{_COMMON})\b", re.ASCII)
_SPACED_WWW = re.compile(r"[wW]{3}[\w-]*(?: \.|\.\s)")
_ENCODED_DOT = re.compile(r"//[^\s/\\?#]*%2e[^\s/\\?#]*", re.IGNORECASE)
_COMMAS = re.compile(
    rf"(?:(?<=//)|(?<![\w.,])(?=www[.,，]))[a-z0-9-]+(?:[.,，][a-z0-9-]+)*?[,，](?:{_COMMON})(?![a-z0-9])",
    re.IGNORECASE | re.ASCII,
)
_MAYBE_COMMAS = re.compile(rf"[,，](?:{_COMMON})", re.IGNORECASE)


def deobfuscated(text: str) -> str:
    """The text with its hosts in plain spelling; a text without disguise is returned unchanged and cheaply.

    >>> deobfuscated("ｗｗｗ．ａｂｃ．ｃｏｍ"), deobfuscated("abc[.]com"), deobfuscated("abc。com 好的。")
    ('www.abc.com', 'abc.com', 'abc.com 好的。')
    >>> deobfuscated("abc点com"), deobfuscated("https://abc .top/x"), deobfuscated("www,abc,com")
    ('abc.com', 'https://abc.top/x', 'www.abc.com')
    """
    if not text.isascii():
        if _DISGUISED.search(text) is not None:
            text = text.translate(_PLAIN)
        if _SPELT_DOT.search(text) is not None:
            text = _SPELT.sub(".", _IDEOGRAPHIC.sub(".", text))
    if " dot " in text or " DOT " in text:
        text = _SPELT.sub(".", text)
    if "%2" in text:
        text = _ENCODED_DOT.sub(_with_dots, text)
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


def _joined(match: re.Match[str]) -> str:
    name = match[match.lastindex or 0]
    if (match["bare"] or match["glued"]) and is_plain_word(name.rpartition(".")[2].lower()):
        return match[0]
    return f"{name}." if "." in match[0][len(name) :] else name


def _dotted(match: re.Match[str]) -> str:
    return match[0].replace(",", ".").replace("，", ".")


def _with_dots(match: re.Match[str]) -> str:
    return match[0].replace("%2e", ".").replace("%2E", ".")
