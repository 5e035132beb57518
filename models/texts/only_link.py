"""The common case of a link, at a fraction of the cost: one plain `https://host/path` in a plain ASCII text.

A short cut for `models.texts.extraction`, which says exactly what the long way says or leaves the text to it; a test
holds the two equal on any text.
"""

from __future__ import annotations

import re

from models.texts.hosts import Found
from models.texts.names import ordinary

_LINK = re.compile(
    r"(https?)://([a-z0-9][a-z0-9_-]*+(?:\.[a-z0-9_][a-z0-9_-]*+)++)(/[A-Za-z0-9/?&=_%.~+-]*[A-Za-z0-9])?(?=\s|\Z)"
)
_OPEN_DOT = re.compile(r"\.(?<=[A-Za-z0-9]\.)[A-Za-z0-9]")


def only_link(text: str) -> Found | None:
    """The one link of an undisguised text (see `models.texts.prefilter`) that holds nothing else; None: look closely.

    >>> only_link("Your parcel waits: https://parcel.top/x1 Thanks.")
    Found(host='parcel.top', url='https://parcel.top/x1')
    """
    if not text.isascii():
        return None
    link = _LINK.search(text)
    if link is None:
        return None
    start, end = link.span()
    if (
        _OPEN_DOT.search(text, 0, start) is not None
        or _OPEN_DOT.search(text, end) is not None
        or text.count("//") > 1
        or text.count("www") > ("www" in link[2])
        or "WWW" in text
        or "_." in link[2]  # no dot of a host follows an underscore, says the long way
    ):
        return None
    scheme, raw, path = link.groups()
    host = ordinary(raw, True)
    return None if host is None else Found(host, f"{scheme}://{host}{path or ''}")
