"""Names: decides whether a run of labels in a text is a host, and how much of the run.

`models.texts.hosts` finds the runs and their surroundings. A scheme, a path, `www.`, a port or an ending that only
hosts have proves a host. For other runs `models.texts.tlds` says what the ending proves, and `models.texts.vocabulary`
knows the words that people write around a full stop.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from models.texts.browsers import is_number
from models.texts.domains import SHARED_HOSTS, is_public_suffix, normalise_host
from models.texts.tlds import Ending, ending
from models.texts.vocabulary import FILLERS, is_plain_word

_NAME, _OPEN, _UNKNOWN = (
    Ending.NAME,
    Ending.OPEN,
    Ending.UNKNOWN,
)  # the look-up of a member in its class costs as much as one in a dictionary

_SECOND_LEVEL_WORDS = "co com org net gov edu ac or ne go gob gouv govt"
_SENTENCE_WORDS = "is so to me at it no as am be do by us"
_FILE_NAME_WORDS = """
html htm php asp aspx jsp pdf doc docx xls xlsx txt jpg jpeg png gif apk exe rar mp3 mp4 csv json xml js css wml do zip
"""
_ONE_LETTER = "x.com z.com q.com x.org i.net q.net g.co t.co t.cn"
_WEAK_FOREIGN = """
我爱你 在线 手机 娱乐 时尚 移动 网络 新闻 游戏 购物 食品 健康 招聘 慈善 八卦 大拿 家電 世界 信息 公益 商店 書籍
机构 点看 微博 企业 广东 佛山 餐厅 天主教 通販 みんな セール ポイント ストア дети москва онлайн сайт рус
"""
_SECOND_LEVEL = frozenset(_SECOND_LEVEL_WORDS.split())
_SENTENCES = frozenset(_SENTENCE_WORDS.split())  # after "abc.com." they begin a sentence, although `com.so` is a suffix
_FILE_NAMES = frozenset(_FILE_NAME_WORDS.split())
_ONE_LETTER_NAMES = frozenset(_ONE_LETTER.split())
WEAK_FOREIGN = frozenset(_WEAK_FOREIGN.split())
"""Top-level domains that are also ordinary words in their language."""

_CUE = re.compile(
    r"(?:visit|click|tap|links?|url|web|site|website|log ?in|log ?on|goto|go to|via|here|open|page|download|at|check"
    r"|verify|confirm|track|register|update|visite|ingrese|entre|clic|aqu[ií]|pague en|cliquez|ici|sur|hier|unter|klik)"
    r"\s*(?:[:>=-]+|on|at|to|en|sur)?\s*\Z|[:=>]\s*\Z",
    re.IGNORECASE,
)
# A name that follows these words without a space is a destination, whatever its labels are.
_CHINESE_CUE = re.compile(
    "(?:点击|點擊|点开|點開|登录|登陆|登錄|登入|访问|訪問|进入|進入|打开|打開|输入|輸入|官网|官網|网址|網址|网站|網站|链接|連結)[:：]?\\Z"
)
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_GLUED_ENDING = re.compile(r"(?:[a-z]{2,}(?=[_-]?[A-Z]|[0-9])|[A-Z]{2,}(?=[a-z0-9])|[A-Z][a-z]+(?=[0-9]))")
_WORD = re.compile(r"\.?(?:[A-Za-z0-9\u00c0-\u024f]+|[^\W\d_A-Za-z]+)|[_-][A-Z][A-Za-z0-9]*")
_AFTER_WORD = re.compile(r"[\s.,;:!?)+…，。；：！？）]")
_NEAR = 20  # characters on each side of a run that are looked at
_OPENING = frozenset("\n\r\t<([{\"'“‘《「『〈|*→>👉")
_CLOSING = frozenset("\n\r\t>)]}\"'”’》」』〉|*←<👈…。")


class Run(NamedTuple):
    """Labels joined by dots, from `start` to `end` of a text, with their surroundings."""

    text: str
    start: int
    end: int
    certain: bool
    """A scheme precedes the run."""
    backed: bool
    """A port, a path or a query follows the run."""
    path: str


def ordinary(raw: str, certain: bool) -> str | None:
    """The host of a run that is one beyond doubt; else None. Nine in ten runs are and do not need `host_in`."""
    host = raw.lower()
    last = host[host.rfind(".") + 1 :]
    kind = ending(last)
    if not (kind is _NAME or (certain and kind is _OPEN and raw == host)) or not raw.isascii():
        return None
    if len(host) > 63 or "-." in host or ".-" in host or "%" in host or not (raw[0].isalnum() and raw[-1].isalpha()):
        return None
    first = host.find(".")
    if not certain and (first == 1 or host.find("www.") > 0):
        return None
    if len(last) == 2 and (host[:first] in FILLERS or host[:first] in _SECOND_LEVEL):
        return None
    return host


def is_no_name(raw: str) -> bool:
    """Whether a run without a scheme is clearly two words around a full stop: the second word cannot end a host."""
    label, _, last = raw.partition(".")
    return last.isalpha() and raw.isascii() and raw.islower() and ending(last) is _UNKNOWN and bool(label)


def host_in(run: Run, raw: str | None = None) -> tuple[str, int] | None:
    """The host at the beginning of a run and its length in characters of the run; None when there is none.

    `raw` is the remaining part of the run when another part has been judged not to belong to the host.
    """
    raw = run.text[run.start : run.end] if raw is None else raw
    if "." not in raw:
        return None
    try:
        host = raw.lower() if raw.isascii() and "%" not in raw else normalise_host(raw)
    except ValueError:
        return None
    labels, spelt = host.split("."), raw.split(".")
    if is_number(labels[-1]):
        return _address(run, raw)
    if len(labels) != len(spelt):
        return None
    kind = _kind(labels, spelt)
    if kind is Ending.UNKNOWN or (len(labels) > 2 and kind <= Ending.WORD and not run.backed):
        shorter = _without_next_sentence(spelt, labels, kind, run.certain)
        if shorter is not None:
            if not _is_next_sentence(run, raw[len(shorter) :]):
                return None
            return host_in(run._replace(backed=False, path=""), shorter)
    if kind is Ending.UNKNOWN and (not run.certain or labels[-1] in _FILE_NAMES or not labels[-1][0].isalpha()):
        return None
    if not run.certain:
        if "www" in labels[1:-1]:
            begin = len(raw) - len(".".join(spelt[labels.index("www", 1) :]))
            rest = host_in(run._replace(start=run.start + begin), raw[begin:])
            return rest and (rest[0], rest[1] + begin)
        if not _is_credible(run, spelt, labels, kind):
            return None
    try:
        return normalise_host(host), len(raw)
    except ValueError:
        return None


def _kind(labels: list[str], spelt: list[str]) -> Ending:
    """How much the ending of a run proves; `co.in` and `pages.dev` prove more than `in` and `dev`."""
    last = labels[-1]
    kind = ending(last)
    if spelt[-1].lower() in WEAK_FOREIGN:
        return Ending.SENTENCE
    if kind is Ending.UNKNOWN and len(last) == 2 and len(labels) > 2 and is_public_suffix(f"{labels[-2]}.{last}"):
        return _NAME  # `co.za`: nobody can register right below `za`
    if kind in (Ending.SENTENCE, Ending.WORD) and len(labels) > 2 and last not in _SENTENCES:
        spelt_as_one = not spelt[-1].istitle() or spelt[-2].istitle()
        owned = labels[-2] in _SECOND_LEVEL or not is_plain_word(labels[-3])
        if spelt_as_one and owned and is_public_suffix(f"{labels[-2]}.{last}"):
            return _NAME
    return kind


def _without_next_sentence(spelt: list[str], labels: list[str], kind: Ending, certain: bool) -> str | None:
    """The run without a sentence that follows it directly (`abc.comReply`, `abc.com.Reply`); None when none does."""
    if kind is Ending.UNKNOWN:
        glued = _GLUED_ENDING.match(spelt[-1])
        if glued is not None:
            tld = glued[0].lower()
            if (len(tld) == 2 and labels[-2] in _SECOND_LEVEL) or (ending(tld) is _NAME and len(tld) > 2):
                return ".".join([*spelt[:-1], glued[0]])
    if len(labels) < 3 or ending(labels[-2]) < _OPEN:
        return None
    rest = ".".join(spelt[:-1])
    if spelt[-1].istitle() and not spelt[-2].istitle():
        return rest
    if kind is Ending.UNKNOWN:
        if certain and not is_plain_word(labels[-1]):
            # An unknown ending after a scheme: `evil.co.zzzz` is a host, `evil.com.subs16` is hardly one.
            return rest if labels[-2] in ("com", "net", "org") else None
        return rest
    if kind is Ending.SENTENCE and (labels[-2] not in _SECOND_LEVEL or (labels[-2] == "com" and len(labels[-1]) > 2)):
        return rest
    return None


def _is_next_sentence(run: Run, rest: str) -> bool:
    """Whether the rest of a run is a word of the next sentence and not the end of a longer host."""
    if _WORD.fullmatch(rest) is None:
        return False
    # Without a capital it must be a whole word: `evil.com.reply STOP`, but `evil.com.rep` at the end may have been cut.
    return rest[0] != "." or "A" <= rest[1] <= "Z" or _AFTER_WORD.match(run.text, run.end) is not None


def _is_credible(run: Run, spelt: list[str], labels: list[str], kind: Ending) -> bool:
    """Whether a run without a scheme is a host, judged by its ending, its label and its surroundings."""
    label, last = labels[-2], labels[-1]
    if labels[0] in ("www", "wap") and len(labels) > 2:
        return True
    if kind > Ending.FILE and _CHINESE_CUE.search(run.text[max(0, run.start - 3) : run.start]) is not None:
        return True
    if run.backed:
        word = run.path[1:].lower()
        spoken = not word or (is_plain_word(word) and (word.isalpha() or word.isdigit()))
        sentence = kind in (Ending.SENTENCE, Ending.WORD) and is_plain_word(label) and spoken
        return not sentence or ".".join(labels) in SHARED_HOSTS
    if label in _SECOND_LEVEL and len(labels) == 2 and len(last) == 2:
        return False
    if all(len(part) == 1 for part in labels[:-1]):
        return _is_short_name(run, labels, kind)
    # "Great.In that case": a capital letter begins a sentence, unless the label before has one too: `Amazon.Com`.
    if spelt[-1].istitle() and not (spelt[-2].istitle() and kind >= _OPEN and label not in FILLERS):
        return kind is _NAME and not (len(last) == 2 and label in FILLERS)
    if kind is _NAME:
        return label not in FILLERS or len(last) > 2 or len(labels) > 2 or _is_shown(run)
    if kind is Ending.FILE:
        return False
    if kind is _OPEN:
        if label in FILLERS:
            return False
        number = label.isdigit() and len(label) > 2
        return number or len(labels) > 2 or not is_plain_word(label) or _is_shown(run)
    if is_plain_word(label):
        if label.isdigit() and len(label) > 3:
            return (kind is Ending.WORD and len(label) > 4) or _is_shown(run)
        return kind is Ending.WORD and label not in FILLERS and _is_shown(run)
    if "-" in label or (not label.isalpha() and len(label) > 2):
        return True
    if kind is Ending.WORD:
        return len(label) > 3 or len(labels) > 2 or _is_shown(run)
    return (len(label) > 9 and not spelt[-2].istitle()) or _is_shown(run)


def _is_short_name(run: Run, labels: list[str], kind: Ending) -> bool:
    """Whether one-letter labels are a host (`x.com`, `8.cc`) and not an abbreviation ("U.S.A", "B.Com", "a.m.to")."""
    known, last = ".".join(labels), labels[-1]
    if known in _ONE_LETTER_NAMES or known[1:-1].isdigit() or (labels[0].isdigit() and kind is _NAME):
        return True
    degree = run.text[run.start + 2].isupper()  # B.Sc
    return kind >= _OPEN and len(last) < 4 and last not in ("com", "net", "org") and not degree and _is_shown(run)


def _is_shown(run: Run) -> bool:
    """Whether the text presents a run as a link: after a cue, alone on its line or in brackets, or amid Chinese."""
    before = run.text[max(0, run.start - _NEAR) : run.start].rstrip(" ")
    after = run.text[run.end : run.end + _NEAR].lstrip(" ")
    if _CUE.search(before) is not None:
        return True
    quoted = not before or (before[-1] in _OPENING and not (before[-1] == "'" and before[-2:-1].isalpha()))
    if quoted and (not (rest := after.lstrip(" .~!?,")) or rest[0] in _CLOSING):
        return True
    if run.text.isascii() or _is_latin(before[-1:]) or _is_latin(after[:1]):
        return False
    return _EAST_ASIAN.search(run.text) is not None


def _is_latin(sign: str) -> bool:
    return sign.isascii() and sign.isalnum()


def _address(run: Run, raw: str) -> tuple[str, int] | None:
    """An IPv4 address; a bare one must look like an address, since `1.2.3.4` is more likely a version or a list."""
    try:
        host = normalise_host(raw)
    except ValueError:
        return None
    if host.startswith("0."):
        return None
    before = run.text[max(0, run.start - _NEAR) : run.start].lower()
    if raw != host:  # 127.1 and 0xC0.0.2.1 are addresses behind a scheme, and figures elsewhere
        return (host, len(raw)) if run.certain and "://" in before else None
    if not (run.certain or run.backed):
        before = before.rstrip(" .:")
        if len(raw) < 10 or before.endswith(("v", "ver", "version", "版本", "rp", "$", "€", "£", "₫", "-", "+")):
            return None
    return host, len(raw)
