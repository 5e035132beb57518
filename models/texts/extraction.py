"""Extraction: reads the hosts and URLs of one SMS, and whether it holds a verification code or a bank notice.

The worker first finds the traits of a whole batch (`models.texts.prefilter`) and reads only texts with a trait. Only
the reading is passed on; the text itself is not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from models.texts.deobfuscation import HIDDEN_CHARACTERS, SPELT_DOT, deobfuscated, may_be_spaced
from models.texts.hosts import find_hosts
from models.texts.notices import Flag, flags
from models.texts.only_link import only_link
from models.texts.prefilter import DISGUISE, DOT, WORD, worth_reading

LONGEST = 10_000
"""The number of characters of a text that are read.

Phones join some ten parts of 153 characters; a longer text is not an SMS.
"""


class Reading(NamedTuple):
    """The only parts of a text that may leave the decoder.

    `domains` are full hosts in lower-case ASCII, in order of appearance, each once; an IP address counts as a host.
    `urls` are the URLs of hosts that were written with a scheme, a port, a path or a query. Each has the scheme (http
    if none was written), host, port, path and query, without user and fragment. `flags` are those of
    `models.texts.notices`.
    """

    domains: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()


_NOTHING = Reading()

# A dot beyond ASCII between possible letters of a host, full-width or not. The last two dots are read as plain dots
# whatever follows, and an ending may be Chinese.
_OTHER_DOT = re.compile(
    r"[。｡．․][\u00ad\u200b-\u200f\u2060\ufeff]*[A-Za-z0-9０-９Ａ-Ｚａ-ｚ\U0001d400-\U0001d7ff]|[．․][^\s.．․]"
)
_BRACKETED_DOT = re.compile(r"[\[({（【]\s?(?:d[o0]t|点|點|。)\s?[\])}）】]", re.IGNORECASE)


def read(text: str) -> Reading:
    """Read the hosts, URLs and flags of one text; any string can be read, and none raises.

    >>> read("【某行】您尾号0000的账户有异常,点击ｅｖｉｌ．ｔｏｐ/x查看")
    Reading(domains=('evil.top',), urls=('http://evil.top/x',), flags=())
    >>> read("Your OTP is 482913. ok.see you")
    Reading(domains=(), urls=(), flags=('verification-code',))
    """
    return read_all([text])[0]


def read_all(texts: Sequence[str]) -> list[Reading]:
    """The result of `read` for each of several texts, in less time."""
    texts = [text[:LONGEST] for text in texts]
    readings = [_NOTHING] * len(texts)
    for index, traits in worth_reading(texts):
        readings[index] = read_with_traits(texts[index], traits)
    return readings


def read_with_traits(text: str, traits: int) -> Reading:
    """The result of `read` for a text of at most `LONGEST` characters with these traits (`models.texts.prefilter`)."""
    earned = flags(text) if traits & WORD else ()
    if traits & DISGUISE:
        if not traits & DOT and not _may_hold_host(text):
            return Reading(flags=earned) if earned else _NOTHING
        found = find_hosts(deobfuscated(text))
    elif traits & DOT:
        link = only_link(text)
        if link is not None:
            return Reading((link.host,), (link.url or "",), earned)
        found = find_hosts(deobfuscated(text) if "&amp;" in text or may_be_spaced(text) else text)
    else:
        found = []
    if not found:
        return Reading(flags=earned) if earned else _NOTHING
    if len(found) == 1:
        ((host, url),) = found
        return Reading((host,), (url,) if url else (), earned)
    return Reading(
        tuple(dict.fromkeys(one.host for one in found)),
        tuple(dict.fromkeys(one.url for one in found if one.url)),
        earned,
    )


_TIGHT_DOT = re.compile(r"\.(?:[^\s.]| [A-Za-z.]{2,5}/)")


def _may_hold_host(text: str) -> bool:
    """Whether the text has anything like a dot inside a name, however disguised."""
    if "." in text and _TIGHT_DOT.search(text) is not None:
        return True
    if "//" in text or "www" in text or " dot " in text or " DOT " in text:
        return True
    if text.isascii():
        return ("]" in text or ")" in text or "}" in text) and _BRACKETED_DOT.search(text) is not None
    if any(sign in text for sign in HIDDEN_CHARACTERS):
        return True  # one may be between a dot of any kind and the next letter
    if ("。" in text or "．" in text or "｡" in text or "․" in text) and _OTHER_DOT.search(text) is not None:
        return True
    if SPELT_DOT.search(text) is not None:
        return True
    return ("dot" in text or "点" in text or "點" in text or "." in text) and _BRACKETED_DOT.search(text) is not None
