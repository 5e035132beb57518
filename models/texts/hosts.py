"""Hosts: finds the hosts in a plainly spelt text, with the begin and end of each name and its URL.

`models.texts.deobfuscation` prepares the text, and `models.texts.extraction`, which the worker calls, uses the result.
Every dot between two letters or digits may be part of a host; `models.texts.names` decides whether it is.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from models.texts.browsers import ipv4
from models.texts.domains import is_top_level, normalise_host
from models.texts.names import WEAK_FOREIGN, Run, host_in, is_no_name, ordinary
from models.texts.signs import ANY_LABEL, LABEL, NOT_INSIDE, SPACELESS
from models.texts.tlds import Ending, ending
from models.texts.urls import scheme_before, tail_of, url_of
from models.texts.vocabulary import is_plain_word

# The look-behind comes after the dot, so that the search can look for the dot first.
_DOT = re.compile(r"\.(?<=[^\W_]\.)(?:[^\W_]|%)")
_LONE_NUMBER = re.compile(r"://(0[xX][0-9A-Fa-f]{1,12}|[0-9]{8,14})(?![A-Za-z0-9_.@%-])")
_PLACE = re.compile(f"{_DOT.pattern}|{_LONE_NUMBER.pattern}")
_RUN = re.compile(rf"{NOT_INSIDE}{LABEL}(?:\.{LABEL})++")
_FOREIGN_RUN = re.compile(rf"{ANY_LABEL}(?:\.{ANY_LABEL})++")
_END_OF_AUTHORITY = re.compile(r"[\s/\\?#]")
_OPEN_AUTHORITY = re.compile(r"//([^\s/\\?#]*[^\s/\\?#@])\Z")
_SPACELESS = re.compile(SPACELESS)
_SCHEME_AT_END = re.compile(r"(?:https?|hxxps?)\Z", re.IGNORECASE)
_USER = re.compile(r"[^\s/\\?#]*@")
_MAIL_REST = re.compile(rf"@(?:{ANY_LABEL}|\.)*+")
# Chinese words that precede a Chinese name without a space.
_LEADING_WORDS = re.compile(
    ".*(?:点击|點擊|点开|登录|登陆|登錄|登入|访问|訪問|进入|進入|打开|打開|输入|輸入|官网|官網|网址|網址|网站|網站|浏览|链接|連結|查看|请|請)"
)
_ASCII_LABEL = re.compile("[A-Za-z0-9-]+")
# Signs that end no sentence: behind a letter, what follows is the rest of a name that no host can have.
_GLUED = re.compile(r"[a-z0-9][~+&*^$%](?!www\.)", re.IGNORECASE | re.ASCII)
_BEFORE_A_NAME = frozenset("【（(《<“「:：")
_LONGEST_FOREIGN_LABEL = 20
_LONGEST_FOREIGN_ENDING = 10
_LONGEST_HOST = 254


class Found(NamedTuple):
    """One host of a text, in lower-case ASCII, with its URL when it carries a scheme, port, path or query."""

    host: str
    url: str | None
    begin: int
    """Where the host begins in the text."""
    end: int
    """Where the host with its port, path and query ends."""


def find_hosts(text: str) -> list[Found]:
    """The hosts of a plainly spelt text in order of appearance, including repeated ones.

    >>> find_hosts("Pay at evil.top/x now.ok?")
    [Found(host='evil.top', url='http://evil.top/x', begin=7, end=17)]
    """
    found: list[Found] = []
    position = 0
    places = _DOT if _LONE_NUMBER.search(text) is None else _PLACE
    while (place := places.search(text, position)) is not None:
        at = place.start()
        one, after = _lone_number(text, place) if text[at] == ":" else _around(text, at, position)
        position = max(after, at + 1)
        if one is not None:
            found.append(one)
    return found


def _around(text: str, at: int, position: int) -> tuple[Found | None, int]:
    """Judge the name around the dot `at`, from `position` on; also returns the place where the search continues."""
    begin = max(position, text.rfind(" ", position, at) + 1)
    run = _RUN.search(text, begin, at + _LONGEST_HOST)
    if run is None or run.start() > at:
        one, position = _foreign(text, at, begin, run)
        if one is None and run is not None and run.start() == at + 1:
            return _examine(text, run.start(), run.end())
        return one, position
    if run.end() == at + _LONGEST_HOST:  # too long for a host, so all of it is none
        run = _RUN.match(text, run.start()) or run
    start, end = run.span()
    if text.rfind("//", begin, start) >= 0 and (authority := _OPEN_AUTHORITY.search(text, begin, start)) is not None:
        # The run is not all that stands behind the slashes: http://evil中bank.top, http://evil*bank.top.
        whole = _FOREIGN_RUN.match(text, authority.start(1))
        if whole is None or whole.end() <= at:
            rest = _END_OF_AUTHORITY.search(text, end)
            return None, len(text) if rest is None else rest.start()
        one, position = _foreign(text, at, authority.start(1), None)
        return one, max(position, end if one is None else 0)
    if _SPACELESS.match(text, end) is not None and _ends_in_a_name(text, start, end):
        one, position = _foreign(text, at, start, None)  # http://evil.bank中.top
        return one, max(position, end)
    return _examine(text, start, end)


def _ends_in_a_name(text: str, start: int, end: int) -> bool:
    """Whether a run behind a scheme ends in something else than a top-level domain."""
    last = text[text.rfind(".", start, end) + 1 : end].lower()
    return ending(last) is Ending.UNKNOWN and not last.isdigit() and scheme_before(text, start) is not None


def _lone_number(text: str, place: re.Match[str]) -> tuple[Found | None, int]:
    """An IP address that is written as one number behind a scheme."""
    start, end = place.span(1)
    try:
        host = ipv4(place[1])
    except ValueError:
        return None, end
    port, path, after = tail_of(text, end)
    return Found(host, url_of(scheme_before(text, start), host, port, path), start, after), after


def _examine(text: str, start: int, end: int) -> tuple[Found | None, int]:
    """Judge the run of labels at `start:end`; also returns the place where the search continues."""
    run_end = end
    scheme = scheme_before(text, start)
    if text.find("@", start - 1 if start else 0) >= 0:
        behind = _behind_user(text, start, end, scheme)
        if isinstance(behind, int):
            return None, behind
        start, end, scheme = behind
        run_end = end
    if scheme is None and start > 1 and _GLUED.match(text, start - 2) is not None:
        return None, run_end  # evil~bank.top, AT&T.com
    start, end = _trimmed(text, start, end, scheme is not None)
    port, path, after = None, "", end
    if text[end : end + 1] in (":", "/", "\\", "?", "#", "."):
        if text.startswith("://", end) and (glued := _SCHEME_AT_END.search(text, start, end)) is not None:
            end = after = start + len(text[start : glued.start()].rstrip("."))
            if "." not in text[start:end]:
                return None, glued.end()
        else:
            port, path, after = tail_of(text, end)
    raw = text[start:end]
    host = ordinary(raw, scheme is not None)
    if host is None:
        if scheme is None and after == end and is_no_name(raw):
            return None, run_end
        backed = port is not None or (len(path) > 1 and (path[1].isalnum() or len(path) > 3))
        name = host_in(Run(text, start, end, scheme is not None, backed, path))
        if name is None:
            return None, max(after if backed and path else end, run_end)
        host, length = name
        if length < end - start:  # the rest of the run and the path belong to the next sentence
            end = start + length
            return Found(host, f"{scheme}://{host}" if scheme else None, start, end), end
    return Found(host, url_of(scheme, host, port, path), start, after), after


def _trimmed(text: str, start: int, end: int, certain: bool) -> tuple[int, int]:
    """A run without the signs around it, such as a list's hyphen; what stands between slashes is all of a name."""
    while not certain and start < end and not (text[start].isalnum() or text[start] == "%"):
        start += 1
    if text[end : end + 1] not in ("/", "\\"):
        while end > start and not text[end - 1].isalnum() and unicodedata.category(text[end - 1])[0] != "M":
            end -= 1
    return start, end


def _behind_user(text: str, start: int, end: int, scheme: str | None) -> tuple[int, int, str | None] | int:
    """The run that is the host when an @ is next to a run, with its scheme; or the end of an e-mail address."""
    if start and text[start - 1] == "@" and scheme is None:
        slashes = text.rfind("//", 0, start)
        if slashes >= 0 and _end_of_user(text, slashes + 2) == start:
            return start, end, scheme_before(text, slashes + 2)
        if start > 1 and (text[start - 2].isalnum() or text[start - 2] in "._-+"):
            return _end_of_mail(text, start - 1)
    elif scheme is not None and (host := _end_of_user(text, start)) is not None:
        run = _RUN.match(text, host)
        return host if run is None else (*run.span(), scheme)
    elif text[end : end + 1] == "@":
        run = _RUN.match(text, end + 1)
        if run is None or text[run.end() : run.end() + 1] != "/" or ordinary(text[start:end], False) is None:
            return _end_of_mail(text, end)
        return (*run.span(), None)  # bank.com@evil.top/login: an e-mail address has no path
    return start, end, scheme


def _end_of_user(text: str, start: int) -> int | None:
    """Where the host behind `user@` begins; words in Chinese end with an e-mail address, unless a path shows a URL."""
    user = _USER.match(text, start)
    if user is None or user[0].isascii():
        return None if user is None else user.end()
    run = _RUN.match(text, user.end())
    return user.end() if run is not None and text[run.end() : run.end() + 1] == "/" else None


def _end_of_mail(text: str, at: int) -> int:
    rest = _MAIL_REST.match(text, at)
    return rest.end() if rest is not None else at + 1


def _foreign(text: str, at: int, begin: int, ascii_run: re.Match[str] | None) -> tuple[Found | None, int]:
    """Judge a name at the dot `at` that has a label in a script without spaces."""
    run = _FOREIGN_RUN.search(text, begin, at + _LONGEST_HOST)
    while run is not None and run.end() <= at:
        run = _FOREIGN_RUN.search(text, run.end(), at + _LONGEST_HOST)
    if run is None or run.start() > at:
        return None, at + 1
    if run.end() == at + _LONGEST_HOST and (whole := _FOREIGN_RUN.match(text, run.start())) is not None:
        return None, whole.end()  # too long for a host
    scheme = scheme_before(text, run.start())
    start, end = _trimmed(text, *run.span(), scheme is not None)
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
    port, path, after = tail_of(text, after)
    return Found(host, url_of(scheme, host, port, path), start, after), after


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
        tld = letters[0]
    else:
        sizes = range(min(len(last), _LONGEST_FOREIGN_ENDING), 0, -1)
        tld = next((last[:size] for size in sizes if is_top_level(last[:size].lower())), "")
    # Only the next words may follow it without a space.
    return tld if len(tld) == len(last) or _SPACELESS.match(last, len(tld)) is not None else ""


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
