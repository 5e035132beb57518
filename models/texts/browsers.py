"""Browsers: the host that a browser opens for the letters that somebody wrote between `//` and the path.

This follows the host parser of the URL standard (https://url.spec.whatwg.org/#host-parsing): percent-decoding, UTS 46,
and IPv4 addresses in decimal, octal and hexadecimal. `models.texts.domains` uses it for indicators and for texts alike.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import chain
from typing import Final
from urllib.parse import unquote_to_bytes

import idna

_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_JOINERS = "\u200c\u200d"
_PLAIN = re.compile(r"[a-z0-9-]*")
_IGNORED = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2064\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
"""The invisible characters that UTS 46 leaves out, as part of a class of an expression."""
LETTERLIKE = (
    *(range(0x80, 0x3400), range(0xA640, 0xAC00), range(0xFB00, 0x10000), range(0x10780, 0x107C0)),
    *(range(0x1D400, 0x1D800), range(0x1F100, 0x1F200), range(0x1FBF0, 0x1FC00), range(0xE0100, 0xE01F0)),
)
"""Where Unicode has other forms of Latin letters and digits, and invisible signs; to search all of it takes longer."""


def _plain_spellings() -> dict[int, str]:
    ignored = re.compile(f"[{_IGNORED}\U000e0100-\U000e01ef]")
    found: dict[int, str] = {}
    for code in chain.from_iterable(LETTERLIKE):
        plain = unicodedata.normalize("NFKC", chr(code)).lower()
        if ignored.fullmatch(chr(code)):
            found[code] = ""
        elif plain.isascii() and _PLAIN.fullmatch(plain):
            found[code] = plain
    return found


PLAIN_SPELLINGS: Final = _plain_spellings()
"""The code points beyond ASCII that mean letters, digits, hyphens or nothing in a host, with what they mean.

A test compares them with UTS 46. The few that are newer than Python's Unicode are left to `ascii_host`.
"""


def ascii_host(host: str) -> str:
    """A host in lower-case ASCII as browsers map it: percent-decoded, UTS 46, punycode.

    Raises ValueError for a character that no host has. Whether the result is a valid name is not checked.

    >>> ascii_host("B%c3%bccher.DE"), ascii_host("ｅｖｉｌ－bank。top")
    ('xn--bcher-kva.de', 'evil-bank.top')
    """
    if "%" in host:
        host = unquote_to_bytes(host).decode()
    if host.isascii():
        return host.lower()
    return ".".join(map(_ascii_label, idna.uts46_remap(host, std3_rules=False).split(".")))


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    # Not idna.alabel: it applies IDNA 2008, which refuses signs that browsers open.
    idna.check_initial_combiner(label)
    idna.check_bidi(label)
    if label.startswith("xn--") or any(
        sign in _JOINERS and not idna.valid_contextj(label, at) for at, sign in enumerate(label)
    ):
        raise ValueError("a label has signs that no browser accepts")
    return f"xn--{label.encode('punycode').decode()}"


def is_number(label: str) -> bool:
    """Whether a host whose last label is this one is an IPv4 address or nothing.

    >>> is_number("7"), is_number("0x7f"), is_number("7z")
    (True, True, False)
    """
    return _NUMBER.fullmatch(label) is not None


def ipv4(host: str) -> str:
    """The IPv4 address that one to four decimal, octal or hexadecimal numbers denote; the last fills what is left.

    Raises ValueError when they denote none.

    >>> ipv4("0xC0.0.2.1"), ipv4("127.1"), ipv4("192.0.513"), ipv4("3221225985")
    ('192.0.2.1', '127.0.0.1', '192.0.2.1', '192.0.2.1')
    """
    numbers = [_value(part) for part in host.lower().split(".")]
    *first, last = numbers
    if len(numbers) > 4 or max(first, default=0) > 255 or last >= 256 ** (4 - len(first)):
        raise ValueError(f"{host!r} is no IPv4 address")
    whole = [*first, *last.to_bytes(4 - len(first), "big")]
    return ".".join(map(str, whole))


def _value(part: str) -> int:
    if _NUMBER.fullmatch(part) is None or len(part) > 40:
        raise ValueError(f"{part!r} is no number of an IPv4 address")
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") else 10)
