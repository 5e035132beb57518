"""Finds the hosts in a plainly spelt text: where a name begins and ends, and whether it is one at all.

Between `models.disguises`, which undoes the spelling, and `models.texts`, which the worker calls. Every dot
between two letters or digits is a question; a scheme, a path, `www.`, a port or an ending that only hosts have
answers it, and for the rest `models.tlds` knows which words people write around a full stop.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from models.domains import SHARED_HOSTS, is_top_level, normalise_host
from models.tlds import FILLERS, Ending, ending, is_plain_word

_NAME = Ending.NAME  # looking a member up in its class costs as much as a dictionary

# Letters of scripts whose writers put spaces between words; Chinese and the like border on a host without one.
_LETTER = "A-Za-z0-9\u00c0-\u024f\u0370-\u058f\u1e00-\u1fff"
# The look-behind stands after the dot, so that the search can look for the dot first.
_DOT = re.compile(r"\.(?<=[^\W_]\.)[^\W_]")
_RUN = re.compile(rf"(?<![{_LETTER}])[{_LETTER}][{_LETTER}_-]*+(?:\.[{_LETTER}_][{_LETTER}_-]*+)++")
_FOREIGN_RUN = re.compile(r"[\w-]++(?:\.[\w-]++)++")
_SCHEME = re.compile(
    r"(?:(h(?:t{1,3}|xx|\*\*|tx|xt|t\*|\*t)ps?|ttps?|ftp)(?:[:;]\s?/*|/+)|:?/{2,})\s?\Z", re.IGNORECASE
)
_TAIL = re.compile(r"(?::([0-9]{1,5})(?![0-9]))?([/\\?#][!#-;=?-\]_a-z~]*)?")
_GLUED_SCHEME = re.compile(r"(?<=[^/=])(?:https?|hxxps?)://", re.IGNORECASE)
_USER = re.compile(r"[!-.0-;=A-\[\]-~]*@")
_MAIL_REST = re.compile(r"@[\w.-]*")
_CUE = re.compile(
    r"(?:visit|click|tap|links?|url|web|site|website|log ?in|log ?on|goto|go to|via|here|open|page|download|at)"
    r"\s*(?:[:>=-]+|on|at|to)?\s*\Z|[:=>]\s*\Z",
    re.IGNORECASE,
)
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_GLUED_ENDING = re.compile(r"([a-z]{2,})(?=[A-Z0-9_-])|([A-Z]{2,})(?=[a-z0-9_-])|([A-Z][a-z]+)(?=[0-9_-])")
_SECOND_LEVEL = frozenset(["co", "com", "org", "net", "gov", "edu", "ac", "or", "ne", "go", "gob", "gouv", "govt"])
_FILE_NAMES = frozenset(
    ["html", "htm", "php", "asp", "aspx", "jsp", "pdf", "doc", "docx", "xls", "xlsx", "txt", "jpg", "jpeg", "png"]
    + ["gif", "apk", "exe", "rar", "mp3", "mp4", "csv", "json", "xml", "js", "css", "wml", "do", "zip"]
)
_ONE_LETTER_NAMES = frozenset(["x.com", "z.com", "q.com", "x.org", "i.net", "q.net", "g.co", "t.co", "t.cn"])
# Chinese words that precede a Chinese name without a space, and endings that are as well words of a message.
_LEADING_WORDS = re.compile(
    r".*(?:点击|點擊|点开|登录|登陆|登錄|登入|访问|訪問|进入|進入|打开|打開|输入|輸入|官网|官網|网址|網址|网站|網站|浏览|链接|連結|查看|请|請)"
)
_WEAK_FOREIGN = frozenset(
    ["我爱你", "在线", "手机", "娱乐", "时尚", "移动", "网络", "新闻", "游戏", "购物", "食品", "健康", "招聘", "慈善"]
    + ["八卦", "大拿", "家電", "世界", "信息", "公益", "商店", "書籍", "机构", "点看", "微博", "企业", "广东", "佛山"]
    + ["餐厅", "天主教", "通販", "みんな", "セール", "ポイント", "ストア", "дети", "москва", "онлайн", "сайт", "рус"]
)


class Found(NamedTuple):
    """One host of a text, in lower-case ASCII, with its URL when it carries a scheme, port, path or query."""

    host: str
    url: str | None


class _Name(NamedTuple):
    """A run of labels that may be a host, with what stands around it."""

    raw: str
    start: int
    end: int
    certain: bool  # a scheme stands before it
    backed: bool  # a port, a path or a query follows


def find_hosts(text: str) -> list[Found]:
    """The hosts of a plainly spelt text in order of appearance, repeated ones included.

    >>> find_hosts("Pay at evil.top/x now.ok?")
    [Found(host='evil.top', url='http://evil.top/x')]
    """
    found: list[Found] = []
    position = 0
    while (dot := _DOT.search(text, position)) is not None:
        at = dot.start()
        begin = max(position, text.rfind(" ", position, at) + 1)
        run = _RUN.search(text, begin)
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
    """`http`, `https` or `ftp` when a scheme, however mangled, or `//` ends right before `start`."""
    if start == 0 or not (text[start - 1] in "/:\\;" or (start > 1 and text[start - 2] in "/:" and text[start - 1] == " ")):
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
    """Judge the run of labels at `start:end`; also where the search goes on."""
    scheme = _scheme_before(text, start)
    if text.find("@", start - 1 if start else 0) >= 0:
        if start and text[start - 1] == "@" and scheme is None:
            slashes = text.rfind("//", 0, start)
            user = _USER.match(text, slashes + 2) if slashes >= 0 else None
            if user is not None and user.end() == start:
                scheme = _scheme_before(text, slashes + 2)
            elif start > 1 and (text[start - 2].isalnum() or text[start - 2] in "._-+"):
                return None, _MAIL_REST.match(text, start - 1).end()  # type: ignore[union-attr]
        elif scheme is not None and (user := _USER.match(text, start)) is not None:
            run = _RUN.match(text, user.end())
            if run is None:
                return None, user.end()
            start, end = run.span()
        elif text[end : end + 1] == "@":
            return None, _MAIL_REST.match(text, end).end()  # type: ignore[union-attr]
    port, path, after = None, "", end
    if text[end : end + 1] in (":", "/", "\\", "?", "#"):
        tail = _TAIL.match(text, end)
        if tail is not None:
            port, path = tail[1], tail[2] or ""
            after = tail.end()
            if path and ("://" in path or not path[-1].isalnum()):
                path = _trimmed_path(path)
                after = tail.start(2) + len(path)
    raw = text[start:end]
    host = _ordinary(raw, scheme is not None)
    if host is None:
        backed = port is not None or (len(path) > 1 and (path[1].isalnum() or len(path) > 3))
        name = _host(text, _Name(raw, start, end, scheme is not None, backed), path)
        if name is None:
            return None, after if backed and path else end
        host, length = name
        if length < end - start:  # the rest of the run is the next sentence, and so is its path
            return Found(host, f"{scheme}://{host}" if scheme else None), start + length
    if scheme is None and port is None and len(path) < 1:
        return Found(host, None), max(after, end)
    if "#" in path or "\\" in path:
        path = path.partition("#")[0].replace("\\", "/")
    if path == "/":
        path = ""
    return Found(host, f"{scheme or 'http'}://{host}{':' + port if port else ''}{path}"), max(after, end)


def _ordinary(raw: str, certain: bool) -> str | None:
    """The host when a run is one beyond doubt: nine in ten are, and need none of the questions in `_host`."""
    host = raw.lower()
    last = host[host.rfind(".") + 1 :]
    if ending(last) is not _NAME or not raw.isascii() or len(host) > 63 or "-." in host or not raw[-1].isalpha():
        return None
    first = host.find(".")
    if not certain and (first == 1 or host.find("www.") > 0):
        return None
    if len(last) == 2 and (host[:first] in FILLERS or host[:first] in _SECOND_LEVEL):
        return None
    return host


def _trimmed_path(path: str) -> str:
    """A path without the punctuation of the sentence that it stands in, cut where another URL is glued to it."""
    glued = _GLUED_SCHEME.search(path.partition("?")[0]) if "://" in path else None
    if glued is not None:
        path = path[: glued.start()]
    path = path.rstrip(".,;:!?'*~$")
    while path and ((path[-1] == ")" and "(" not in path) or (path[-1] == "]" and "[" not in path)):
        path = path[:-1].rstrip(".,;:!?'*~$")
    return path


def _host(text: str, name: _Name, path: str) -> tuple[str, int] | None:
    """The host at the beginning of a run and how much of the run it takes; None when there is none."""
    raw = name.raw.rstrip("-_")
    if raw.isascii():
        host = raw.lower()
    else:
        try:
            host = normalise_host(raw)
        except ValueError:
            return None
    labels = host.split(".")
    last = labels[-1]
    if last.isdigit():
        return _address(text, name, raw)
    spelt = raw.split(".")
    kind = ending(last)
    if spelt[-1].lower() in _WEAK_FOREIGN:
        kind = Ending.SENTENCE
    if kind is Ending.UNKNOWN or (len(labels) > 2 and kind <= Ending.WORD and not name.backed):
        shorter = _without_next_sentence(spelt, labels, kind, name.certain)
        if shorter is not None:
            found = _host(text, name._replace(raw=shorter, backed=False), "")
            return found and (found[0], found[1])
    if kind is Ending.UNKNOWN and (not name.certain or last in _FILE_NAMES or not last[0].isalpha()):
        return None
    if len(labels) == 2 and labels[0] in _SECOND_LEVEL and len(last) == 2:
        return None
    if not name.certain:
        if "www" in labels[1:-1]:
            cut = labels.index("www")
            inner = ".".join(spelt[cut:])
            begin = len(raw) - len(inner)
            rest = _host(text, name._replace(raw=inner, start=name.start + begin), path)
            return rest and (rest[0], rest[1] + begin)
        if not _credible(text, name, spelt, labels, kind, path):
            return None
    try:
        host = normalise_host(host)
    except ValueError:
        return None
    return host, len(raw)


def _without_next_sentence(spelt: list[str], labels: list[str], kind: Ending, certain: bool) -> str | None:
    """The run without the sentence glued behind it (`abc.comReply`, `abc.com.Reply`); None when none is."""
    if kind is Ending.UNKNOWN:
        glued = _GLUED_ENDING.match(spelt[-1])
        if glued is not None:
            tld = glued[0].lower()
            if (len(tld) == 2 and labels[-2] in _SECOND_LEVEL) or ending(tld) is Ending.NAME and len(tld) > 2:
                return ".".join([*spelt[:-1], glued[0]])
    if len(labels) < 3 or ending(labels[-2]) < Ending.OPEN:
        return None
    sentence = spelt[-1].istitle() and not spelt[-2].istitle()
    if kind is Ending.UNKNOWN and certain and not sentence and not is_plain_word(labels[-1]):
        # An unknown ending after a scheme: `evil.co.zzzz` is a host, `evil.com.subs16` hardly.
        return ".".join(spelt[:-1]) if labels[-2] in ("com", "net", "org") else None
    if kind is Ending.UNKNOWN or sentence:
        return ".".join(spelt[:-1])
    if kind is Ending.SENTENCE and labels[-2] not in _SECOND_LEVEL:
        return ".".join(spelt[:-1])
    return ".".join(spelt[:-1]) if kind is Ending.SENTENCE and labels[-2] == "com" and len(labels[-1]) > 2 else None


def _credible(text: str, name: _Name, spelt: list[str], labels: list[str], kind: Ending, path: str) -> bool:
    """Whether a run without a scheme is a host, by its ending, its label and what stands around it."""
    label, last = labels[-2], labels[-1]
    if labels[0] in ("www", "wap") and len(labels) > 2:
        return True
    if name.backed:
        word = path[1:].lower()
        return not (
            kind in (Ending.SENTENCE, Ending.WORD)
            and is_plain_word(label)
            and (is_plain_word(word) or not word)
            and ".".join(labels) not in SHARED_HOSTS
        )
    if all(len(part) == 1 for part in labels[:-1]):  # "U.S.A", "B.Com", "a.m.to"
        known = ".".join(labels)
        east = kind >= Ending.OPEN and len(last) < 4 and last not in ("com", "net", "org") and _beside_chinese(text)
        return known in _ONE_LETTER_NAMES or known[1:-1].isdigit() or (labels[0].isdigit() and kind is Ending.NAME) or east
    sentence = spelt[-1].istitle() and not (spelt[-2].istitle() and kind >= Ending.OPEN and label not in FILLERS)
    if kind is Ending.NAME:
        return not (sentence and len(last) == 2 and label in FILLERS)
    if sentence or kind is Ending.FILE:
        return False
    if kind is Ending.OPEN:
        return label not in FILLERS
    plain = is_plain_word(label)
    alone = name.end - name.start >= len(text.strip(" .\r\n"))
    mixed = not plain and ("-" in label or (not label.isalpha() and len(label) > 2))
    if kind is Ending.WORD:
        if label in FILLERS:
            return False
        return mixed or alone or (not plain and len(label) > 3) or _beside_chinese(text) or _after_cue(text, name)
    if plain:
        return False
    return mixed or alone or len(label) > 9 or _beside_chinese(text) or _after_cue(text, name)


def _beside_chinese(text: str) -> bool:
    return not text.isascii() and _EAST_ASIAN.search(text) is not None


def _after_cue(text: str, name: _Name) -> bool:
    return _CUE.search(text[max(0, name.start - 20) : name.start]) is not None


def _address(text: str, name: _Name, raw: str) -> tuple[str, int] | None:
    """An IPv4 address; bare ones must look like an address, for `1.2.3.4` is rather a version or a list."""
    try:
        host = normalise_host(raw)
    except ValueError:
        return None
    if host.startswith("0.") or raw != host:
        return None
    if not (name.certain or name.backed):
        before = text[max(0, name.start - 9) : name.start].lower().rstrip(" .:")
        if len(raw) < 10 or before.endswith(("v", "ver", "version", "版本", "rp", "$", "€", "£", "₫", "-", "+")):
            return None
    return host, len(raw)


def _foreign(text: str, at: int, begin: int, ascii_run: re.Match[str] | None) -> tuple[Found | None, int]:
    """Judge a name at the dot `at` one of whose labels is written in a script without spaces."""
    run = _FOREIGN_RUN.search(text, begin)
    while run is not None and run.end() <= at:
        run = _FOREIGN_RUN.search(text, run.end())
    if run is None or run.start() > at:
        return None, at + 1
    start, end = run.span()
    scheme = _scheme_before(text, start)
    if scheme is None:
        www = text.lower().find("www.", start, at + 1)
        if www > start:
            start = www
        elif (words := _LEADING_WORDS.match(text, start, at)) is not None and words.end() < at:
            start = words.end()
        if start < at and ascii_run is not None and ascii_run.start() == at + 1:
            return None, at + 1  # a sentence's dot before a host of its own: 你好.abc.com
    last_dot = text.rfind(".", start, end)
    if last_dot <= start:
        return None, at + 1
    last = text[last_dot + 1 : end]
    letters = re.match(r"[A-Za-z0-9-]+", last)
    if letters is not None:
        tld = letters[0]
    else:
        tld = next((last[:size] for size in range(min(len(last), 10), 0, -1) if is_top_level(last[:size].lower())), "")
    raw = text[start : last_dot + 1] + tld
    after = last_dot + 1 + len(tld)
    certain = scheme is not None or raw[:4].lower() == "www."
    label = raw[: -len(tld) - 1].rpartition(".")[2] if tld else ""
    backed = text[after : after + 1] in ("/", ":")
    exact = after == end
    if not tld or not label or len(label) > 20:
        return None, at + 1
    if not certain:
        if letters is not None:
            credible = ending(tld.lower()) >= Ending.OPEN and not label.isdigit()
        else:
            strong = tld.lower() not in _WEAK_FOREIGN
            credible = strong and (exact or backed or label.isascii()) and not is_plain_word(label.lower())
        if not credible:
            return None, at + 1
    try:
        host = normalise_host(raw)
    except ValueError:
        return None, at + 1
    tail = _TAIL.match(text, after)
    if tail is None or not (tail[1] or tail[2] or scheme):
        return Found(host, None), after
    path = _trimmed_path(tail[2] or "")
    url = path.partition("#")[0].replace("\\", "/")
    port = f":{tail[1]}" if tail[1] else ""
    return Found(host, f"{scheme or 'http'}://{host}{port}{'' if url == '/' else url}"), max(after, tail.end())
