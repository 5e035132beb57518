"""URL starts: the beginnings of a URL at which an indicator that covers it can end.

An indicator of a URL covers every URL below its path. So the engine looks up each beginning of a link, and the ledger
keeps a hash of each (`models.indicators.path_hashes`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

DEEPEST: Final = 32
"""The slashes of a path before which a beginning may end. No real page lies as deep."""


def split_url(url: str) -> tuple[str, str]:
    """Split a normalised URL into its host with the port, and its path with the query.

    >>> split_url("evil.top:8080/a?x=1"), split_url("evil.top?x=1")
    (('evil.top:8080', '/a?x=1'), ('evil.top', '?x=1'))
    """
    end = min((at for at in (url.find("/"), url.find("?")) if at >= 0), default=len(url))
    return url[:end], url[end:]


def starts_of(path: str) -> Iterator[str]:
    """A path and the paths above it, longest first; the empty path covers the whole host.

    Beyond its first `DEEPEST` slashes, a path has no beginning but itself and itself without the query.

    >>> list(starts_of("/a/b?x=1"))
    ['/a/b?x=1', '/a/b', '/a', '']
    """
    yield path
    bare = path.partition("?")[0]
    if bare != path:
        yield bare
    slashes = islice((at for at, sign in enumerate(bare) if sign == "/"), DEEPEST)
    for at in reversed([*slashes]):
        yield bare[:at]
