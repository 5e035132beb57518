"""Damage: sound bytes with some of them changed, left out, put in or repeated."""

from __future__ import annotations

from hypothesis import strategies as st

ODD = (
    b"\xff" * 9 + b"\x01",
    b'"',
    b"\\",
    b"\\u",
    b"{",
    b"}",
    b"[",
    b",",
    b":",
    b"\x00",
    b"\xc3",
    b"\xf0\x9f",
    b"9" * 30,
)


@st.composite
def damaged(draw: st.DrawFn, sound: st.SearchStrategy[bytes]) -> bytes:
    """Some sound bytes, damaged in up to four places."""
    raw = bytearray(draw(sound))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(raw)))
        raw[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2) | st.sampled_from(ODD))
    return bytes(raw)
