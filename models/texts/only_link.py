"""Only link: reads the common case of one plain `https://host/path` in a plain ASCII text, at a fraction of the cost.

This is a short cut for `models.texts.extraction`. It returns exactly what the full reading returns, or leaves the text
to the full reading. A test compares the two on any text.
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
    """The only link of an undisguised text (see `models.texts.prefilter`); None: the text needs the full reading.

    >>> only_link("Your parcel waits: https://parcel.top/x1 Thanks.")
    Found(host='parcel.top', url='https://parcel.top/x1', begin=27, end=40)
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
        or "_." in link[2]  # in the full reading no dot of a host follows an underscore
    ):
        return None
    scheme, raw, path = link.groups()
    host = ordinary(raw, True)
    return None if host is None else Found(host, f"{scheme}://{host}{path or ''}", link.start(2), end)
