"""Hosts: finds the hosts in a plainly spelt text, with the begin and end of each name and its URL.

`models.texts.deobfuscation` prepares the text, and `models.texts.extraction`, which the worker calls, uses the result.
Every dot between two letters or digits may be part of a host; `models.texts.names` decides whether it is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from models.texts.domains import is_top_level, normalise_host
from models.texts.names import WEAK_FOREIGN, Run, host_in, is_no_name, ordinary
from models.texts.tlds import Ending, ending
from models.texts.vocabulary import is_plain_word

# Letters of scripts with spaces between words; Chinese and similar scripts touch a host without a space.
_LETTER = "A-Za-z0-9\u00c0-\u024f\u0370-\u058f\u1e00-\u1fff"
# The look-behind comes after the dot, so that the search can look for the dot first.
_DOT = re.compile(r"\.(?<=[^\W_]\.)[^\W_]")
_RUN = re.compile(rf"(?<![{_LETTER}])[{_LETTER}][{_LETTER}_-]*+(?:\.[{_LETTER}_][{_LETTER}_-]*+)++")
_FOREIGN_RUN = re.compile(r"[\w-]++(?:\.[\w-]++){1,8}+")
_SCHEME = re.compile(
    r"(?:(h(?:t{1,3}|xx|\*\*|tx|xt|t\*|\*t)ps?|ttps?|ftp)(?:[:;]\s?/*|/+)|:?/{2,})\s?\Z", re.IGNORECASE
)
_TAIL = re.compile(r"(?::([0-9]{1,5})(?![0-9]))?([/\\?#][!#-;=?-\]_a-z~]*)?", re.IGNORECASE)
_NEXT_SCHEME = re.compile(r"(?<=[^/=])(?:https?|hxxps?)://", re.IGNORECASE)
_SCHEME_AT_END = re.compile(r"(?:https?|hxxps?)\Z", re.IGNORECASE)
_USER = re.compile(r"[!-.0-;=A-\[\]-~]*@")
_MAIL_REST = re.compile(r"@[\w.-]*")
# Chinese words that precede a Chinese name without a space.
_LEADING_WORDS = re.compile(
    ".*(?:点击|點擊|点开|登录|登陆|登錄|登入|访问|訪問|进入|進入|打开|打開|输入|輸入|官网|官網|网址|網址|网站|網站|浏览|链接|連結|查看|请|請)"
)
_ASCII_LABEL = re.compile("[A-Za-z0-9-]+")
_BEFORE_A_NAME = frozenset("【（(《<“「:：")
_LONGEST_FOREIGN_LABEL = 20
_LONGEST_FOREIGN_ENDING = 10
_LONGEST_HOST = 254
_HIGHEST_PORT = 65535


class Found(NamedTuple):
    """One host of a text, in lower-case ASCII, with its URL when it carries a scheme, port, path or query."""

    host: str
    url: str | None


def find_hosts(text: str) -> list[Found]:
    """The hosts of a plainly spelt text in order of appearance, including repeated ones.

    >>> find_hosts("Pay at evil.top/x now.ok?")
    [Found(host='evil.top', url='http://evil.top/x')]
    """
    found: list[Found] = []
    position = 0
    while (dot := _DOT.search(text, position)) is not None:
        at = dot.start()
        begin = max(position, text.rfind(" ", position, at) + 1)
        run = _RUN.search(text, begin, at + _LONGEST_HOST)
        if run is None or run.start() > at:
            one, position = _foreign(text, at, begin, run)
            if one is None and run is not None and run.start() == at + 1:
                one, position = _examine(text, run.start(), run.end())
        else:
            one, position = _examine(text, run.start(), run.end())
        if one is not None:
            found.append(one)
    return found


def _scheme_before(text: str, start: int) -> str | None:
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


def _examine(text: str, start: int, end: int) -> tuple[Found | None, int]:
    """Judge the run of labels at `start:end`; also returns the place where the search continues."""
    scheme = _scheme_before(text, start)
    if text.find("@", start - 1 if start else 0) >= 0:
        behind = _behind_user(text, start, end, scheme)
        if isinstance(behind, int):
            return None, behind
        start, end, scheme = behind
    port, path, after = None, "", end
    if text[end : end + 1] in (":", "/", "\\", "?", "#"):
        if text.startswith("://", end) and (glued := _SCHEME_AT_END.search(text, start, end)) is not None:
            end = after = start + len(text[start : glued.start()].rstrip("."))
            if "." not in text[start:end]:
                return None, glued.end()
        else:
            port, path, after = _tail(text, end)
    raw = text[start:end]
    host = ordinary(raw, scheme is not None)
    if host is None:
        if scheme is None and after == end and is_no_name(raw):
            return None, end
        backed = port is not None or (len(path) > 1 and (path[1].isalnum() or len(path) > 3))
        name = host_in(Run(text, start, end, scheme is not None, backed, path))
        if name is None:
            return None, after if backed and path else end
        host, length = name
        if length < end - start:  # the rest of the run and the path belong to the next sentence
            return Found(host, f"{scheme}://{host}" if scheme else None), start + length
    return Found(host, _url(scheme, host, port, path)), after


def _behind_user(text: str, start: int, end: int, scheme: str | None) -> tuple[int, int, str | None] | int:
    """The run that is the host when an @ is next to a run, with its scheme; or the end of an e-mail address."""
    if start and text[start - 1] == "@" and scheme is None:
        slashes = text.rfind("//", 0, start)
        user = _USER.match(text, slashes + 2) if slashes >= 0 else None
        if user is not None and user.end() == start:
            return start, end, _scheme_before(text, slashes + 2)
        if start > 1 and (text[start - 2].isalnum() or text[start - 2] in "._-+"):
            return _end_of_mail(text, start - 1)
    elif scheme is not None and (user := _USER.match(text, start)) is not None:
        run = _RUN.match(text, user.end())
        return user.end() if run is None else (*run.span(), scheme)
    elif text[end : end + 1] == "@":
        run = _RUN.match(text, end + 1)
        if run is None or text[run.end() : run.end() + 1] != "/" or ordinary(text[start:end], False) is None:
            return _end_of_mail(text, end)
        return (*run.span(), None)  # bank.com@evil.top/login: an e-mail address has no path
    return start, end, scheme


def _end_of_mail(text: str, at: int) -> int:
    rest = _MAIL_REST.match(text, at)
    return rest.end() if rest is not None else at + 1


def _tail(text: str, end: int) -> tuple[str | None, str, int]:
    """The port after a host, the path with its query, and the place where they end."""
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


def _url(scheme: str | None, host: str, port: str | None, path: str) -> str | None:
    """The URL without its fragment; None when there is only a host."""
    if scheme is None and port is None and not path:
        return None
    if "#" in path or "\\" in path:
        path = path.partition("#")[0].replace("\\", "/")
    return f"{scheme or 'http'}://{host}{':' + port if port else ''}{'' if path == '/' else path}"


def _foreign(text: str, at: int, begin: int, ascii_run: re.Match[str] | None) -> tuple[Found | None, int]:
    """Judge a name at the dot `at` that has a label in a script without spaces."""
    run = _FOREIGN_RUN.search(text, begin, at + _LONGEST_HOST)
    while run is not None and run.end() <= at:
        run = _FOREIGN_RUN.search(text, run.end(), at + _LONGEST_HOST)
    if run is None or run.start() > at:
        return None, at + 1
    start, end = run.span()
    scheme = _scheme_before(text, start)
    shown = text[start - 1 : start] in _BEFORE_A_NAME
    if scheme is None:
        start, run_start = _beginning(text, start, at), start
        shown = shown or start > run_start
        if start < at and ascii_run is not None and ascii_run.start() == at + 1:
            return None, at + 1  # the full stop of a sentence before a separate host: 你好.abc.com
    last_dot = text.rfind(".", start, end)
    if last_dot <= start:
        return None, at + 1
    last = text[last_dot + 1 : end]
    tld = _foreign_ending(last)
    raw = text[start : last_dot + 1] + tld
    after = last_dot + 1 + len(tld)
    label = text[start:last_dot].rpartition(".")[2]
    if not tld or not label or len(label) > _LONGEST_FOREIGN_LABEL or text[after : after + 1] == "@":
        return None, at + 1
    if scheme is None and raw[:4].lower() != "www.":
        backed = after == end or text[after : after + 1] in ("/", ":")
        shown = (shown and after == end) or text[after : after + 1] == "/" or text.strip() == raw
        if not _is_credible_foreign(raw, label, tld, backed, shown):
            return None, at + 1
    try:
        host = normalise_host(raw)
    except ValueError:
        return None, at + 1
    port, path, after = _tail(text, after)
    return Found(host, _url(scheme, host, port, path)), after


def _beginning(text: str, start: int, at: int) -> int:
    """Where a foreign name begins when words precede it without a space."""
    www = text[start : at + 1].lower().find("www.")
    if www > 0:
        return start + www
    words = _LEADING_WORDS.match(text, start, at)
    return words.end() if words is not None and words.end() < at else start


def _foreign_ending(last: str) -> str:
    """The top-level domain at the beginning of a run's last part; empty when there is none."""
    letters = _ASCII_LABEL.match(last)
    if letters is not None:
        return letters[0]
    sizes = range(min(len(last), _LONGEST_FOREIGN_ENDING), 0, -1)
    return next((last[:size] for size in sizes if is_top_level(last[:size].lower())), "")


def _is_credible_foreign(raw: str, label: str, tld: str, backed: bool, shown: bool) -> bool:
    """Whether a name with a label in Chinese or the like is a host, not a sentence: 我在用.net, 几点到.公司."""
    if tld.isascii():
        # A label with both scripts is words joined to a host: 加微信abc.官网evil.com.
        mixed = any(not part.isascii() and _ASCII_LABEL.search(part) is not None for part in raw.split("."))
        proven = backed and ending(tld.lower()) >= Ending.OPEN and tld.lower() != "net"
        return proven and not mixed and not label.isdigit()
    if tld.lower() in WEAK_FOREIGN or is_plain_word(label.lower()):
        return False
    return backed if label.isascii() else shown
