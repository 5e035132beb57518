"""Redirects: the URLs that a link carries in its query, to which it leads on.

Fraudsters hide a host behind a well-known one: `google.com/url?q=https%3A%2F%2Fevil.top`. Both are what the text says,
so both are evidence. Any host's query is read, since every redirector is well known to somebody.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

REDIRECTS: Final = ["=a1ahr0c", "/amp/"]
"""Parts, in lower case, of URLs that lead on to another without `//` or a percent sign, by Bing and by Google.

Bing writes `a1` and the other URL in base64.
"""

_PARTS = re.compile(r"[?&;]")
_SIGN = re.compile("//|%|a1")
"""What the query of a link to another has."""
_LINK = re.compile(r"(?:(?:https?|hxxps?):)?//", re.IGNORECASE)
_AMP = re.compile(r"https?://(?:www\.)?google\.[a-z.]+/amp/(s/)?", re.IGNORECASE)
_MOST = 8
"""The number of parts of a query that are read."""
_DEEPEST = 3
"""How many times a part may be encoded."""


def led_to(url: str) -> Iterator[str]:
    """The URLs that the query of a URL carries, plain or encoded up to three times, as they are written there.

    >>> list(led_to("https://www.google.com/url?q=https%3A%2F%2Fevil.top%2Fa&sa=D"))
    ['https://evil.top/a']
    >>> list(led_to("https://www.bing.com/ck/a?u=a1aHR0cHM6Ly9ldmlsLnRvcC8"))
    ['https://evil.top/']
    """
    amp = _AMP.match(url)
    if amp is not None:
        yield f"http{'s' if amp[1] else ''}://{url[amp.end() :]}"
    query = url.find("?")
    if query < 0 or _SIGN.search(url, query) is None:  # nearly always
        return
    parts = _PARTS.split(url)
    for part in parts[1 : 1 + _MOST]:
        value = part if _LINK.match(part) is not None else part.partition("=")[2] or part
        for _ in range(_DEEPEST):
            if _LINK.match(value) is not None:
                break
            value = unquote(value)
        else:
            if value[:2] == "a1":
                value = _decoded(value[2:])
        if _LINK.match(value) is not None:
            yield value


def _decoded(value: str) -> str:
    """The URL that base64 without its padding denotes; empty when it denotes no text."""
    try:
        return urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
    except ValueError:
        return ""
