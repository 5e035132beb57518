"""Extraction: reads the hosts and URLs of one SMS, and whether it holds a verification code or a bank notice.

The worker first finds the traits of a whole batch (`models.texts.prefilter`) and reads only texts with a trait. Only
the reading is passed on; the text itself is not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from models.texts.deobfuscation import deobfuscated, may_be_spaced
from models.texts.hosts import Found, find_hosts
from models.texts.notices import Flag, flags
from models.texts.only_link import only_link
from models.texts.parts import is_full, whole_links
from models.texts.prefilter import DISGUISE, DOT, WORD, worth_reading
from models.texts.redirects import led_to

LONGEST = 10_000
"""The number of characters of a text that are read.

Phones join some ten parts of 153 characters; a longer text is not an SMS.
"""


class Reading(NamedTuple):
    """The only parts of a text that may leave the decoder.

    `domains` are full hosts in lower-case ASCII, in order of appearance, each once; an IP address counts as a host.
    `urls` are the URLs of hosts that were written with a scheme, a port, a path or a query. Each has the scheme (http
    if none was written), host, port, path and query, without user and fragment. A link that carries another in its
    query gives both. `flags` are those of `models.texts.notices`.
    """

    domains: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()


_NOTHING = Reading()

_DEEPEST = 3
"""How many redirects within redirects are followed."""
_LINK_SIGN = re.compile(r"\.[A-Za-z]|//")


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
    written = text
    if traits & DISGUISE:
        text = deobfuscated(text)
        found = find_hosts(text)
    elif traits & DOT:
        link = only_link(text)
        if link is None and ("&amp;" in text or may_be_spaced(text)):
            text = deobfuscated(text)
        found = find_hosts(text) if link is None else [link]
    else:
        found = []
    earned = _flags(text, found, traits)
    if found:
        found = whole_links(found, text, len(written) == LONGEST or is_full(written))
    if not found:
        return Reading(flags=earned) if earned else _NOTHING
    if len(found) == 1 and "?" not in (url := found[0].url or "") and "/amp/" not in url:
        return Reading((found[0].host,), (url,) if url else (), earned)
    domains: dict[str, None] = {}
    urls: dict[str, None] = {}
    for one in found:
        _add(one, domains, urls, _DEEPEST)
    return Reading(tuple(domains), tuple(urls), earned)


def _add(one: Found, domains: dict[str, None], urls: dict[str, None], deepest: int) -> None:
    """Add a host and its URL, and those to which the URL leads on."""
    domains[one.host] = None
    if one.url is None:
        return
    urls[one.url] = None
    for target in led_to(one.url) if deepest else ():
        first = next(iter(find_hosts(target)), None)
        if first is not None and "/" not in target[target.index("//") + 2 : first.begin]:
            _add(first, domains, urls, deepest - 1)


def _flags(text: str, found: Sequence[Found], traits: int) -> tuple[Flag, ...]:
    """The flags of a text; the digits of a link are neither a code nor a sum of money."""
    earned = flags(text) if traits & WORD else ()
    if not earned or _LINK_SIGN.search(text) is None:
        return earned
    if not traits & (DOT | DISGUISE):  # the prefilter of hosts has shown that no known host is in it
        found = find_hosts(text)
    for one in reversed(found):
        text = f"{text[: one.begin]} {text[one.end :]}"
    return flags(text)
