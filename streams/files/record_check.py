"""Record check: counts what the worker would make of call or SMS records, and shows the first refused ones masked.

It uses the worker's own readers (`models.events.decoding`), so what is good here is good there.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from models.base.number_keys import FIRST_NAME, NOBODY
from models.events.batches import Calls, Messages
from models.events.event import CallRecord, SmsRecord

SHOWN: Final = 3
"""Refused records that are shown for each reason."""

_LONGEST: Final = 400
_FIELDS: Final = frozenset(name for kind in (CallRecord, SmsRecord) for name in kind.__struct_fields__)
_WORDS: Final = frozenset({"in", "out", "start", "end"})
_LETTER = re.compile(r"[^\W\d_]")
_DIGIT = re.compile(r"\d")


class Example(NamedTuple):
    """One refused record: why, where it is, and its content without anything personal."""

    reason: str
    where: str
    detail: str
    masked: str


class RecordCheck:
    """Counts good and refused records, and what is unusual about the good ones."""

    def __init__(self) -> None:
        self.good = 0
        self.refused: Counter[str] = Counter()
        """By reason."""
        self.remarks: Counter[str] = Counter()
        """Good records in which nobody is known at the other end, or the sender is no number, or the source unknown."""
        self.first: list[Example] = []

    @property
    def records(self) -> int:
        """All records that were read."""
        return self.good + self.refused.total()

    def take(self, events: Calls | Messages) -> None:
        """Count good records."""
        self.good += len(events)
        for remark, is_so in (
            ("nobody-known", events.peers == NOBODY),
            ("sender-no-number", events.peers >= FIRST_NAME),
            ("unknown-source", events.sources == 1),
        ):
            if count := int(np.count_nonzero(is_so)):
                self.remarks[remark] += count

    def refuse(self, reason: str, where: str, detail: str, value: bytes | None) -> None:
        """Count a refused record; the first of each reason are kept as examples."""
        self.refused[reason] += 1
        if self.refused[reason] <= SHOWN:
            self.first.append(Example(reason, where, detail, masked(value)))

    def summary(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {
            "records": self.records,
            "good": self.good,
            "refused": dict(self.refused.most_common()),
            "remarks": dict(self.remarks.most_common()),
            "first": [each._asdict() for each in self.first],
        }


def masked(value: bytes | None) -> str:
    """A record as a line of text in which digits are ``#`` and letters ``x``, so that only its form can be seen.

    The contract's own words stay: names of fields, directions and phases.

    >>> masked(b'{"id": "c1", "peer": "+86 10000000001", "direction": "in", "at": 1.5}')
    '{"id":"x#","peer":"+## ###########","direction":"in","at":#.#}'
    """
    try:
        record = msgspec.json.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        record = None
    if not isinstance(record, dict):
        return _hidden((value or b"")[:_LONGEST].decode("utf-8", "replace"))
    shown = ",".join(f'"{name if name in _FIELDS else _hidden(name)}":{_shown(each)}' for name, each in record.items())
    return f"{{{shown}}}"[:_LONGEST]


def _shown(value: object) -> str:
    if value is None or isinstance(value, bool) or (isinstance(value, str) and value in _WORDS):
        return msgspec.json.encode(value).decode()
    return _hidden(msgspec.json.encode(value).decode())


def _hidden(text: str) -> str:
    shown = _LETTER.sub("x", _DIGIT.sub("#", text))
    # Control characters could make a terminal do something.
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in shown)
