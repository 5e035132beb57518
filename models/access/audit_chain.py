"""The chain of the audit log: every line names the hash of the line before, so that no line can be changed unseen.

Nothing here reads a file: `verify` walks over lines. A line that a power cut has left half-written stays where it is,
and the next one is a note with its hash. Lines of the form before there was a chain may stand at the beginning: the
first line of the chain names the hash of all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

Plain = str | int | float | bool | None

HALF: Final = "half-line"
"""What the note of a half-written line says was done."""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that was done."""

    number: int
    at: str
    """ISO 8601, UTC, to the second."""
    who: str
    did: str
    case: str
    what: tuple[str, ...]
    """About whom or what: pseudonyms, ``type:`` before each."""
    details: dict[str, Plain]
    before: str
    """SHA-256 of the line before, without its line end; in the first line, of everything that stands before it."""


class OldLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A look-up as it was noted before there was a chain."""

    at: str
    who: str
    case: str
    what: tuple[str, ...]
    since: str
    found: int


class ChainError(Exception):
    """The chain is broken; one sentence with the first place where, and what has happened there."""


class Whole(NamedTuple):
    """What a file holds whose chain is whole."""

    lines: int
    """In the chain."""
    old: int
    """Of the old form, before it."""
    head: str
    """The hash of the last line, by which the end of the file can be known again."""
    halves: tuple[int, ...]
    """Places (from 1) of what was left half-written and noted in the next line."""
    cut: int
    """Bytes of a half-written line at the end, which nothing has noted yet."""


_line = msgspec.json.Decoder(Line)
_old_line = msgspec.json.Decoder(OldLine)


def digest(raw: bytes) -> str:
    r"""The hash of a line, without its line end.

    >>> digest(b"a") == digest(b"a\n") != digest(b"b")
    True
    """
    return hashlib.sha256(raw.removesuffix(b"\n")).hexdigest()


BEGINNING: Final = digest(b"")
"""What the first line of a new file names."""


def line_of(raw: bytes) -> Line | None:
    """A line of the chain, or None when these bytes are none; without a line end it is not whole."""
    if not raw.endswith(b"\n"):
        return None
    try:
        return _line.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def old_line_of(raw: bytes) -> OldLine | None:
    """The same for a line of the old form."""
    if not raw.endswith(b"\n"):
        return None
    try:
        return _old_line.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def verify(lines: Iterable[bytes], head: str | None = None) -> Whole:
    """Walk over a file's lines, each with its line end; raises `ChainError` at the first that does not hold.

    ``head`` is the hash of some line that was noted elsewhere: it must be among them. Without it nobody can tell that
    lines at the end are gone, nor that all from some line on were written anew.
    """
    walk = _Walk(head)
    for raw in lines:
        walk.take(raw)
    return walk.end()


class _Walk:
    """How far a walk has come."""

    def __init__(self, head: str | None) -> None:
        self._place = self._last = self._number = self._old = self._unread_at = 0
        self._chain, self._opening, self._unread = BEGINNING, hashlib.sha256(), b""
        self._halves: list[int] = []
        self._sought = head

    def take(self, raw: bytes) -> None:
        """Go on to the next line."""
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
        """What there was."""
        if self._unread.endswith(b"\n"):
            raise ChainError(f"line {self._unread_at} cannot be read: it was changed after it had been written")
        if self._sought is not None:
            raise ChainError(
                f"no line has the hash {self._sought}: the end of the file was cut off after line {self._place}, "
                "or all of it was rewritten"
            )
        return Whole(self._number, self._old, self._chain, tuple(self._halves), len(self._unread))
