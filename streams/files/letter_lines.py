"""Letter lines: opened dead letters as JSON Lines, to be read by people and produced again byte for byte."""

from __future__ import annotations

import msgspec

from streams.kafka.letters import Cut, Envelope


class Base64(msgspec.Struct, frozen=True):
    """Bytes that are no UTF-8."""

    base64: bytes


Shown = str | Base64 | None
"""Bytes of a record: a text wherever they are UTF-8, which leads back to the same bytes."""


class LetterLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line: a refused record, and why it was refused."""

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: Shown
    value: Shown
    headers: tuple[tuple[str, Shown], ...]
    cut: Cut | None = None
    """Set where only the beginning of the record is there."""


def line_of(reason: str, detail: str, record: Envelope) -> LetterLine:
    """The line of a letter."""
    return LetterLine(
        reason=reason,
        detail=detail,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        key=_shown(record.key),
        value=_shown(record.value),
        headers=tuple((name, _shown(value)) for name, value in record.headers),
        cut=record.cut,
    )


def bytes_of(shown: Shown) -> bytes | None:
    """The bytes that a line shows.

    >>> bytes_of("验证码") == "验证码".encode()
    True
    """
    return shown.base64 if isinstance(shown, Base64) else shown if shown is None else shown.encode()


def _shown(content: bytes | None) -> Shown:
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return Base64(content)
