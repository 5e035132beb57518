"""Letter lines: every record comes back byte for byte, and texts can be read."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.files.letter_lines import LetterLine, bytes_of, line_of
from streams.kafka.letters import Cut, Envelope

CONTENT = st.none() | st.binary() | st.text().map(str.encode)


def envelope(key: bytes | None, value: bytes | None, *headers: tuple[str, bytes | None]) -> Envelope:
    """An opened letter of ``sms``."""
    return Envelope(topic="sms", partition=1, offset=7, timestamp=1000, key=key, value=value, headers=headers)


@given(CONTENT, CONTENT, st.lists(st.tuples(st.text(), CONTENT), max_size=3))
def test_a_record_comes_back_byte_for_byte(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    written = msgspec.json.encode(line_of("wrong-field", "detail", envelope(key, value, *headers)))
    line = msgspec.json.decode(written, type=LetterLine)

    assert (bytes_of(line.key), bytes_of(line.value)) == (key, value)
    assert [(name, bytes_of(shown)) for name, shown in line.headers] == headers
    assert b"\n" not in written


def test_a_text_is_written_as_text_and_other_bytes_in_base64() -> None:
    line = msgspec.json.decode(msgspec.json.encode(line_of("not-utf8", "", envelope(b"8610000000001", b"\xff"))))

    assert (line["key"], line["value"]) == ("8610000000001", {"base64": "/w=="})
    assert "cut" not in line


def test_a_line_says_that_only_the_beginning_is_there() -> None:
    line = line_of("too-large", "", msgspec.structs.replace(envelope(None, b"x"), cut=Cut(5, "ab")))

    assert msgspec.json.decode(msgspec.json.encode(line))["cut"] == {"length": 5, "sha256": "ab"}
