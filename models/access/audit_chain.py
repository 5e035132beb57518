"""The chain of the audit log: every line holds the hash of the line before, so that no change goes unnoticed.

Nothing here reads a file: `verify` walks over lines. A line that a power cut left half-written stays in place, and the
next line is a note with its hash. The file may begin with lines of the old form, from before the chain existed: the
first line of the chain holds the hash of all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

Plain = str | int | float | bool | None

HALF: Final = "half-line"
"""The action (``did``) of a note about a half-written line."""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One action, as a line of the chain."""

    number: int
    at: str
    """ISO 8601, UTC, to the second."""
    who: str
    did: str
    case: str
    what: tuple[str, ...]
    """The subjects of the action: pseudonyms, each with ``type:`` before it."""
    details: dict[str, Plain]
    before: str
    """SHA-256 of the line before, without its line end; in the first line, of everything before it."""


class OldLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A look-up in the form from before the chain existed."""

    at: str
    who: str
    case: str
    what: tuple[str, ...]
    since: str
    found: int


class ChainError(Exception):
    """The chain is broken; one sentence names the first break and what happened there."""


class Whole(NamedTuple):
    """The contents of a file whose chain is intact."""

    lines: int
    """Lines in the chain."""
    old: int
    """Lines of the old form, before the chain."""
    head: str
    """The hash of the last line, which identifies the end of the file later."""
    halves: tuple[int, ...]
    """Places in the file (from 1) of half-written lines that the next line records."""
    cut: int
    """Bytes of a half-written line at the end that no line records yet."""


_line = msgspec.json.Decoder(Line)
_old_line = msgspec.json.Decoder(OldLine)


def digest(raw: bytes) -> str:
    r"""The hash of a line, without its line end.

    >>> digest(b"a") == digest(b"a\n") != digest(b"b")
    True
    """
    return hashlib.sha256(raw.removesuffix(b"\n")).hexdigest()


BEGINNING: Final = digest(b"")
"""The hash that the first line of a new file holds."""


def line_of(raw: bytes) -> Line | None:
    """Read a line of the chain; None when these bytes are not one, or when the line end is missing."""
    if not raw.endswith(b"\n"):
        return None
    try:
        return _line.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def old_line_of(raw: bytes) -> OldLine | None:
    """Read a line of the old form; None when these bytes are not one, or when the line end is missing."""
    if not raw.endswith(b"\n"):
        return None
    try:
        return _old_line.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def verify(lines: Iterable[bytes], head: str | None = None) -> Whole:
    """Check a file's lines, each with its line end; raises `ChainError` at the first break of the chain.

    ``head`` is the hash of some line, recorded elsewhere: that line must be in the file. Without ``head`` nothing shows
    that lines are missing at the end, or that all lines from some point on were rewritten.
    """
    walk = _Walk(head)
    for raw in lines:
        walk.take(raw)
    return walk.end()


class _Walk:
    """The state of a walk over the lines of a file."""

    def __init__(self, head: str | None) -> None:
        self._place = self._last = self._number = self._old = self._unread_at = 0
        self._chain, self._opening, self._unread = BEGINNING, hashlib.sha256(), b""
        self._halves: list[int] = []
        self._sought = head

    def take(self, raw: bytes) -> None:
        """Check the next line; raises `ChainError` when it breaks the chain."""
        self._place += 1
        line = line_of(raw)
        if line is not None:
            self._check(line)
            self._chain, self._number, self._last = digest(raw), line.number, self._place
            self._unread, self._unread_at = b"", 0
            if self._chain == self._sought:
                self._sought = None
        elif self._number or self._unread_at or old_line_of(raw) is None:
            self._unread_at = self._unread_at or self._place
            self._unread += raw
        else:
            self._old += 1
            self._opening.update(raw)
            self._chain = self._opening.hexdigest()

    def _check(self, line: Line) -> None:
        noted = line.did == HALF
        if self._unread_at:
            if not noted or line.details.get("sha256") != digest(self._unread):
                raise ChainError(f"line {self._unread_at} cannot be read: it was changed after it had been written")
            self._halves.append(self._unread_at)
        elif noted:
            raise ChainError(f"the half-written line that line {self._place} records is gone")
        expected = self._number + 1
        if line.number > expected:
            raise ChainError(f"lines of the chain were removed before line {self._place}: {line.number - expected:,}")
        if line.number < expected:
            raise ChainError(f"line {self._place} was inserted: number {line.number} appears twice")
        if line.before != self._chain:
            raise ChainError(self._mismatch())

    def _mismatch(self) -> str:
        if self._number:
            return (
                f"line {self._last} or line {self._place} was changed after it had been written: the one does not "
                "follow from the other"
            )
        if self._old:
            return f"the lines of the old form before line {self._place} were changed, or some of them removed"
        return f"line {self._place} was changed, or lines before it were removed"

    def end(self) -> Whole:
        """Finish the walk and describe the file; raises `ChainError` when it ends wrongly."""
        if self._unread.endswith(b"\n"):
            raise ChainError(f"line {self._unread_at} cannot be read: it was changed after it had been written")
        if self._sought is not None:
            raise ChainError(
                f"no line has the hash {self._sought}: the end of the file was cut off after line {self._place}, "
                "or all of it was rewritten"
            )
        return Whole(self._number, self._old, self._chain, tuple(self._halves), len(self._unread))
