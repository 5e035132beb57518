"""Signs: which characters may be part of a host in a text, and which end it.

A host is glued to the words of scripts that are written without spaces, and stands between the punctuation of
sentences. Any other character belongs to the name around it, even if no host can have it. Otherwise `evil‐bank.top`
would leave `bank.top` behind, which is somebody else's. The expressions of `models.texts.hosts` and the compiled loops
of `models.indicators.prefilter` use the same ranges.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

_SPACELESS: Final = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x115E), (0x1161, 0x11FF), (0x1780, 0x17B3), (0x17B6, 0x17FF)),
    *((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x302F), (0x3041, 0x30FA), (0x30FC, 0x3163), (0x3165, 0x31FF)),
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4CF), (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xF900, 0xFAFF)),
    *((0xFF66, 0xFF9F), (0xFFA1, 0xFFDC), (0x20000, 0x3FFFF)),
)
"""Scripts of East and South-East Asia, whose words touch a host without a space; Korean particles do too."""
_PUNCTUATION: Final = (
    *((0x00AB, 0x00AB), (0x00BB, 0x00BB), (0x2018, 0x201F), (0x2026, 0x2026), (0x2039, 0x203A), (0x2190, 0x21FF)),
    *((0x25B6, 0x25B6), (0x25BA, 0x25BA), (0x27A1, 0x27A1), (0x2B05, 0x2B07), (0x3000, 0x3004), (0x3008, 0x3020)),
    *((0x3030, 0x3030), (0x30FB, 0x30FB), (0xFE10, 0xFE19), (0xFE30, 0xFE44), (0xFF01, 0xFF0C), (0xFF0F, 0xFF0F)),
    *((0xFF1A, 0xFF20), (0xFF3B, 0xFF3E), (0xFF40, 0xFF40), (0xFF5B, 0xFF65)),
    *((0x1F446, 0x1F449), (0x1F517, 0x1F517)),
)
"""Quotation marks, brackets and marks of sentences, and arrows and hands that point to a host."""
_SPACES: Final = (
    (0x0080, 0x00A0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
)
_LOOKALIKES: Final = "一ー丨ㅡ㇐・"
"""Signs of these scripts that look like a hyphen, a stroke or a dot between Latin letters."""


def _class(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


# The ASCII characters between the ranges are letters, digits, the hyphen and the underscore.
_ASCII_ENDS: Final = r"\s\x00-,./:-@\[-^`{-\x7f" + _class(_PUNCTUATION)
_SIGN: Final = f"[^{_ASCII_ENDS}{_class(_SPACELESS)}]"
MARK: Final = f"[{_class(_PUNCTUATION)}]"
"""A mark of a sentence, an arrow or the like beyond ASCII, as an expression."""
SPACELESS: Final = f"[{_class(_SPACELESS)}]"
"""A character of a script without spaces, as an expression."""
ANY_LABEL: Final = f"[^{_ASCII_ENDS}]++"
"""A label in any script, whether or not a host can have it, as an expression."""
LABEL: Final = f"(?:{_SIGN}++|%[0-9A-Fa-f]{{2}}|(?<=[A-Za-z0-9.-])[{_LOOKALIKES}](?=[A-Za-z0-9.-]))++"
"""The same without the scripts that touch a host, and with percent-encoded bytes."""
NOT_INSIDE: Final = f"(?<!{_SIGN})"
"""A place that is not behind a character of a label, as an expression."""


def _ends() -> Any:
    table = np.zeros(0x40000, dtype=np.bool_)
    for first, last in (*_SPACELESS, *_PUNCTUATION, *_SPACES):
        table[first : last + 1] = True
    table[[ord(sign) for sign in _LOOKALIKES]] = False
    return table


ENDS: Final = _ends()
"""Whether a host ends before a character beyond ASCII, or begins after it, by code point; above the table, never."""
