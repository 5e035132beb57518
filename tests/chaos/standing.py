"""Standing alerts: what is left of a run's alerts when each has said its last word."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Word(msgspec.Struct):
    """What the comparison of alerts needs to know of one."""

    id: str
    subscriber: str
    status: str


word_of = msgspec.json.Decoder(Word).decode
"""The word in an alert's record."""


def standing(published: Iterable[bytes]) -> set[bytes]:
    """The last record of each alert that has not been withdrawn."""
    last: dict[str, tuple[str, bytes]] = {}
    for value in published:
        word = word_of(value)
        last[word.id] = word.status, value
    return {value for status, value in last.values() if status == "raised"}
