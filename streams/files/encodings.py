"""Encodings: which encoding a text file has that is not UTF-8, or that this is in doubt.

`streams.files.text_lines` asks. `charset_normalizer` says which encodings give readable text. On the few words that a
list contains, several often do: then a word that lists are known to contain decides, or that only one of the encodings
gives characters in common use. If neither decides, somebody has to say which encoding it is, because text in the wrong
one would be stored as other words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import Final

EAST_ASIAN: Final = ("gb18030", "big5", "cp949", "cp932")
"""Encodings in which each byte beyond ASCII begins or ends a character of two bytes or more."""
_HOME: Final = {"TW": "big5", "HK": "big5", "MO": "big5", "KR": "cp949", "JP": "cp932"}
"""The encoding that decides a doubt, by region. China is the default, and so says nothing about a file."""
_OF_REGIONS: Final[dict[str, str]] = {
    "JP": "euc_jp",
    **dict.fromkeys(("RU", "BY", "KZ", "BG", "MN"), "cp1251"),
    **dict.fromkeys(("PL", "CZ", "SK", "HU", "RO", "HR", "SI"), "cp1250"),
    **dict.fromkeys(("US", "CA", "GB", "IE", "FR", "DE", "AT", "CH", "BE", "NL", "LU", "ES", "PT", "IT"), "cp1252"),
    **dict.fromkeys(("AU", "NZ", "SE", "NO", "DK", "FI", "IS", "MX", "BR", "AR", "CL", "CO", "PE"), "cp1252"),
    **{"GR": "cp1253", "TR": "cp1254", "IL": "cp1255", "VN": "cp1258", "TH": "cp874"},
}
"""Encodings that only the region makes likely: those of one byte a character fit any bytes."""
_COMMON: Final[dict[str, Callable[[str], bool]]] = {
    "gb18030": lambda sign: _is_between(sign, "gb2312", b"\xa1\xa1", b"\xf7\xfe"),
    "big5": lambda sign: _is_between(sign, "big5", b"\xa1\x40", b"\xc6\x7e"),
    "cp949": lambda sign: "\uac00" <= sign <= "\ud7a3" or not sign.isalpha(),
    "cp932": lambda sign: _is_between(sign, "cp932", b"\x81\x40", b"\x98\x72"),
    "euc_jp": lambda sign: _is_between(sign, "euc_jp", b"\xa1\xa1", b"\xcf\xd3"),
}
"""Whether a character of an encoding is in common use: GB 2312, the first level of Big5 and of JIS X 0208, Hangul."""
_MOST: Final = 0.9
"""The share of characters in common use that a text has."""
_CLEAR: Final = 0.1
"""By how much less disorderly the text in one encoding must be than in any other."""


class DoubtError(ValueError):
    """The encoding of a text is in doubt; ``encodings`` has those that it may have."""

    def __init__(self, encodings: Iterable[str]) -> None:
        self.encodings = tuple(encodings)
        super().__init__(" or ".join(self.encodings))


def detected(sample: bytes, region: str, words: Callable[[str], bool]) -> str | None:
    """The encoding of a text that is not UTF-8; None when it is not text in any encoding that is known here.

    ``sample`` has the lines that are not ASCII. ``region`` is the country that the text is expected from, and ``words``
    tells whether a text contains a word that such files are known to contain. Raises `DoubtError`.

    >>> detected("诈骗电话,号码归属".encode("gb18030"), "CN", lambda text: False)
    'gb18030'
    """
    from charset_normalizer import from_bytes  # takes 50 ms, and most files are UTF-8

    asked = [*EAST_ASIAN, *([_OF_REGIONS[region]] if region in _OF_REGIONS else ())]
    texts: dict[str, str] = {name: text for name in asked if (text := _decoded(sample, name)) is not None}
    if not texts:
        return None
    knowing = [name for name, text in texts.items() if words(text)]
    if len(knowing) == 1:
        return knowing[0]
    matches = from_bytes(sample, cp_isolation=[*texts], preemptive_behaviour=False, enable_fallback=False)
    chaos: dict[str, float] = {match.encoding: match.chaos for match in matches}
    likely = sorted((name for name in texts if name in chaos and _is_common(name, texts[name])), key=chaos.__getitem__)
    if likely and all(chaos[name] >= chaos[likely[0]] + _CLEAR for name in likely[1:]):
        return likely[0]
    if _HOME.get(region) in likely:
        return _HOME[region]
    raise DoubtError(likely or texts)


def _decoded(sample: bytes, encoding: str) -> str | None:
    """The text in an encoding; None if it does not fit, or gives what no text contains."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return None
    is_text = all(sign.isspace() or unicodedata.category(sign) not in ("Cc", "Cn", "Co") for sign in text)
    return text if is_text else None


def _is_common(encoding: str, text: str) -> bool:
    """Whether nearly all characters beyond ASCII are in common use; in encodings of single bytes, that are letters."""
    is_common = _COMMON.get(encoding, str.isalpha)
    signs = [sign for sign in text if sign > "\x7f"]
    return sum(map(is_common, signs)) >= _MOST * len(signs)


def _is_between(sign: str, encoding: str, first: bytes, last: bytes) -> bool:
    """Whether a character has two bytes in this range."""
    code = sign.encode(encoding, "replace")
    return len(code) == 2 and first <= code <= last
