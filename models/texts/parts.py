"""Parts: which hosts of a text may be halves of a link that was cut, because a carrier did not join a long SMS.

`…http://evil-` and `bank.top/a进行…` are one link in two records, and `bank.top` is somebody else's. A text alone does
not say whether it is a part, so this module goes by what it does say:

- A bare host at the very beginning of a text may be the rest of a link if its line goes on behind a path, or in Chinese
  without a space. `www.`, a scheme or a capital that a phone sets at the beginning of a message show that it is not.
- A host at the very end may lack its end before a hyphen. It may also in a text that is just as long as a full part, if
  its ending begins a commoner one, such as `.co` or `.to`.

All other links are believed: those within a text, alone on their line, or at the end of a text with a whole ending.
"""

from __future__ import annotations

import re
from typing import Final

from models.texts.hosts import Found
from models.texts.signs import SPACELESS

FULL_ASCII: Final = (152, 153)
"""The lengths of a full part in the 7-bit alphabet, with a longer and a shorter header (3GPP TS 23.040, 9.2.3.24)."""
FULL: Final = (66, 67, *FULL_ASCII)
"""The same for texts beyond ASCII, in UTF-16 units; those of Western Europe may be in either alphabet."""

# An ending that begins one of these may have been cut; `.com` itself is far more often whole.
_COMMON = ("com", "net", "org", "top", "vip", "xyz", "icu", "info", "shop", "site", "online", "club", "store", "live")
_BEGINNINGS = frozenset(ending[:size] for ending in _COMMON for size in range(1, len(ending)))
_SPACELESS = re.compile(SPACELESS)
_LETTER = re.compile(r"[^\W_]")


def whole_links(found: list[Found], text: str, is_cut: bool) -> list[Found]:
    """The hosts of a text that are whole as far as can be seen; ``is_cut``: the text may have been cut at its end.

    >>> from models.texts.hosts import find_hosts
    >>> for text in ("bank.top/a verify now", "verify now: http://bank.top-", "bank.top/a"):
    ...     print([one.host for one in whole_links(find_hosts(text), text, False)])
    []
    []
    ['bank.top']
    """
    if found and _may_lack_its_beginning(found[0], text):
        found = found[1:]
    if found and _may_lack_its_end(found[-1], text, is_cut):
        found = found[:-1]
    return found


def _may_lack_its_beginning(first: Found, text: str) -> bool:
    begin = first.begin
    if begin > 1 or text[:begin].strip(".-_@") or text[begin].isupper() or first.host.startswith("www."):
        return False
    line = text[first.end :].splitlines()
    if not line or _LETTER.search(line[0]) is None:
        return False
    return first.url is not None or _SPACELESS.match(line[0]) is not None


def _may_lack_its_end(last: Found, text: str, is_cut: bool) -> bool:
    rest = text[last.end :]
    if any(map(str.isspace, rest)) or "/" in text[last.begin : last.end]:
        return False
    return rest.startswith(("-", "_")) or (is_cut and not rest and last.host.rpartition(".")[2] in _BEGINNINGS)


def is_full(text: str) -> bool:
    """Whether a text is just as long as a full part of a long SMS."""
    if text.isascii():
        return len(text) in FULL_ASCII
    return len(text.encode("utf-16-le", "surrogatepass")) // 2 in FULL
