"""URLs: the scheme before a host in a text, and the port, path and query behind it."""

from __future__ import annotations

import re

_SCHEME = re.compile(
    r"(?:(h(?:t{1,3}|xx|\*\*|tx|xt|t\*|\*t)ps?|ttps?|ftp)(?:[:;]\s?/*|/+)|:?/{2,})\s?\Z", re.IGNORECASE
)
_TAIL = re.compile(r"(?::([0-9]{1,5})(?![0-9]))?([/\\?#][!#-;=?-\]_a-z~]*)?", re.IGNORECASE)
_NEXT_SCHEME = re.compile(r"(?<=[^/=])(?:https?|hxxps?)://", re.IGNORECASE)
_HIGHEST_PORT = 65535


def scheme_before(text: str, start: int) -> str | None:
    """`http`, `https` or `ftp` when a scheme, however mangled, or `//` ends right before `start`; else None."""
    if start == 0 or not (
        text[start - 1] in "/:\\;" or (start > 1 and text[start - 2] in "/:" and text[start - 1] == " ")
    ):
        return None
    if text.endswith("https://", 0, start):
        return "https"
    if text.endswith("http://", 0, start):
        return "http"
    scheme = _SCHEME.search(text[max(0, start - 14) : start].replace("\\", "/"))
    if scheme is None:
        return None
    name = (scheme[1] or "http").lower()
    return "ftp" if name == "ftp" else "https" if name.endswith("s") else "http"


def tail_of(text: str, end: int) -> tuple[str | None, str, int]:
    """The port after a host, the path with its query, and the place where they end."""
    if text[end : end + 1] == ".":  # the root of all names: evil.top./a
        if text[end + 1 : end + 2] not in ("/", ":"):
            return None, "", end
        port, path, after = tail_of(text, end + 1)
        return (port, path, after) if after > end + 1 else (None, "", end)
    tail = _TAIL.match(text, end)
    if tail is None:
        return None, "", end
    port, path = tail[1], tail[2] or ""
    if port is not None and int(port) > _HIGHEST_PORT:
        return None, "", end
    if not path:
        return port, "", tail.end()
    if "://" in path or not path[-1].isalnum():
        path = _trimmed_path(path)
    return port, path, tail.start(2) + len(path)


def _trimmed_path(path: str) -> str:
    """A path without the punctuation of its sentence, cut where another URL follows without a space."""
    glued = _NEXT_SCHEME.search(path.partition("?")[0]) if "://" in path else None
    if glued is not None:
        path = path[: glued.start()]
    path = path.rstrip(".,;:!?'*~$")
    while path and ((path[-1] == ")" and "(" not in path) or (path[-1] == "]" and "[" not in path)):
        path = path[:-1].rstrip(".,;:!?'*~$")
    return path


def url_of(scheme: str | None, host: str, port: str | None, path: str) -> str | None:
    """The URL without its fragment; None when there is only a host."""
    if scheme is None and port is None and not path:
        return None
    if "#" in path or "\\" in path:
        path = path.partition("#")[0].replace("\\", "/")
    return f"{scheme or 'http'}://{host}{':' + port if port else ''}{'' if path == '/' else path}"
