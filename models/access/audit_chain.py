"""The chain of the audit log: every line holds the hash of the line before, and a seal that only a key can make.

The hashes show any change within the file. The seals show a file that somebody without the key has written anew. Heads
that were published elsewhere show that the end was cut off (`streams/audit/heads.py`).

Nothing here reads a file: `verify` walks over lines. A line that a power cut left half-written stays in place, and the
next line is a note with its hash. Where another key goes on, a note says so first. The file may begin with lines of
the chain from before there were seals, and with lines of the old form, from before there was a chain: the first line
after them holds the hash of what comes before. Where the oldest lines have expired, a line of the chain says up to
which one, and the file begins with a copy of that line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from hmac import compare_digest
from typing import Final, NamedTuple

import msgspec

from models.access.audit_keys import AuditKey, AuditKeys, seal_of

Plain = str | int | float | bool | None

HALF: Final = "half-line"
"""The action (``did``) of a note about a half-written line."""

KEYED: Final = "key-changed"
"""The action of the note with which another key goes on."""

EXPIRED: Final = "audit-expired"
"""The action of the line that says which lines at the beginning were deleted: a `Cut`."""


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
    key: str = ""
    """The id of the key that sealed the line; empty in a line from before there were seals."""
    seal: str = ""
    """Keyed hash of the line's bytes with an empty ``seal``, so that the last line is as safe as any other."""


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


class Head(NamedTuple):
    """One line of a log, by which the log up to there can be recognised later."""

    log: str
    """The log: the hash of the first line of its chain."""
    number: int
    hash: str


class Cut(NamedTuple):
    """The lines at the beginning of a chain that were deleted."""

    log: str
    """The log, as in `Head`: the hash of the first line, which is among them."""
    through: int
    """The number of the last of them."""
    head: str
    """The hash of the last of them."""


class Whole(NamedTuple):
    """The contents of a file whose chain is intact."""

    lines: int
    """Lines in the chain, with those that have expired."""
    old: int
    """Lines of the old form, before the chain."""
    head: str
    """The hash of the last line, which identifies the end of the file later."""
    halves: tuple[int, ...]
    """Places in the file (from 1) of half-written lines that the next line records."""
    cut: int
    """Bytes of a half-written line at the end that no line records yet."""
    unsealed: int = 0
    """Lines in the chain from before there were seals."""
    key: str = ""
    """The id of the key that sealed the last line; empty if it has no seal."""
    expired: int = 0
    """Lines at the beginning of the chain that have expired."""


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


def cut_of(line: Line) -> Cut | None:
    """What a line says about deleted lines; None for any other line."""
    log, through, head = (line.details.get(name) for name in Cut._fields)
    if line.did != EXPIRED or not (isinstance(log, str) and isinstance(through, int) and isinstance(head, str)):
        return None
    return Cut(log, through, head)


def old_line_of(raw: bytes) -> OldLine | None:
    """Read a line of the old form; None when these bytes are not one, or when the line end is missing."""
    if not raw.endswith(b"\n"):
        return None
    try:
        return _old_line.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def sealed(line: Line, key: AuditKey) -> bytes:
    """The bytes of a line with its seal, without a line end."""
    raw = msgspec.json.encode(msgspec.structs.replace(line, key=key.id, seal=""))
    return raw.removesuffix(b'"}') + f'{seal_of(key, raw)}"}}'.encode()


def is_sealed(raw: bytes, line: Line, key: AuditKey) -> bool:
    """Whether the seal of a line belongs to its bytes and the key."""
    content, seal, _ = raw.rstrip(b"\n").rpartition(f'{line.seal}"}}'.encode())
    return bool(line.seal and seal) and compare_digest(line.seal, seal_of(key, content + b'"}'))


def verify(
    lines: Iterable[bytes],
    keys: AuditKeys | None,
    head: str | None = None,
    published: Mapping[int, frozenset[str]] | None = None,
) -> Whole:
    """Check a file's lines, each with its line end; raises `ChainError` at the first break of the chain.

    Without ``keys`` no seal is checked, and all lines from some point on may have been rewritten; with them, the newest
    must have sealed the last line. ``head`` is the hash of some line, recorded elsewhere: that line must be in the
    file. ``published`` holds such hashes by the number of their line: each of them must be there. Without either
    nothing shows that lines are missing at the end.
    """
    walk = _Walk(keys, head, published or {})
    for raw in lines:
        walk.take(raw)
    return walk.end()


class _Walk:
    """The state of a walk over the lines of a file."""

    def __init__(self, keys: AuditKeys | None, head: str | None, published: Mapping[int, frozenset[str]]) -> None:
        self._place = self._last = self._number = self._old = self._unsealed = self._unread_at = 0
        self._chain, self._opening, self._unread = BEGINNING, hashlib.sha256(), b""
        self._halves: list[int] = []
        self._head = self._sought = head
        self._published = published
        self._ages = None if keys is None else {key.id: (age, key) for age, key in enumerate(keys)}
        self._key = ""
        self._expired = 0
        self._copy: tuple[int, bytes] | None = None

    def take(self, raw: bytes) -> None:
        """Check the next line; raises `ChainError` when it breaks the chain."""
        self._place += 1
        line = line_of(raw)
        cut = None if line is None or self._place > 1 else cut_of(line)
        if line is not None and cut is not None:
            self._copy, self._expired = (line.number, raw), cut.through
            self._reach(cut.through, cut.head)
        elif line is not None:
            self._check(line)
            self._check_seal(raw, line)
            self._check_copy(raw, line)
            self._reach(line.number, digest(raw))
        elif self._number or self._unread_at or old_line_of(raw) is None:
            self._unread_at = self._unread_at or self._place
            self._unread += raw
        else:
            self._old += 1
            self._opening.update(raw)
            self._chain = self._opening.hexdigest()

    def _reach(self, number: int, chain: str) -> None:
        """Go on after a line with this number and hash."""
        self._chain, self._number, self._last = chain, number, self._place
        self._unread, self._unread_at = b"", 0
        if self._chain == self._sought:
            self._sought = None
        if self._published.get(number, frozenset((chain,))) != {chain}:
            raise ChainError(
                f"line {self._place} is not the line {number} whose hash was published: it and all lines after it were "
                "rewritten"
            )

    def _check_copy(self, raw: bytes, line: Line) -> None:
        """Check that the line that records deleted lines is the one whose copy stands in their place."""
        if self._copy is not None and line.number == self._copy[0]:
            if raw != self._copy[1]:
                raise ChainError(f"line 1 is not the copy of line {self._place}, so lines after it may be missing")
            self._copy = None

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

    def _check_seal(self, raw: bytes, line: Line) -> None:
        if not line.key:
            if self._key:
                raise ChainError(f"line {self._place} has no seal, but lines before it have: it was not written here")
            self._unsealed += 1
            return
        if line.key != self._key and line.did not in (KEYED, HALF) and self._has_line_before():
            raise ChainError(f"line {self._place} has another key than the line before, and no line says so")
        if self._ages is not None:
            if line.key not in self._ages:
                raise ChainError(
                    f"line {self._place} is sealed with the key {line.key}, which is not known here: give its secret "
                    "in FOREWARN_AUDIT_SECRET_FILE, below the newer ones"
                )
            age, key = self._ages[line.key]
            if self._key and age > self._ages[self._key][0]:
                raise ChainError(f"line {self._place} is sealed with an older key than the line before")
            if not is_sealed(raw, line, key):
                raise ChainError(f"line {self._place} was changed or was not written here: its seal is wrong")
        self._key = line.key

    def _has_line_before(self) -> bool:
        return self._number > self._expired or self._old > 0

    def _mismatch(self) -> str:
        if self._number:
            return (
                f"line {self._last} or line {self._place} was changed after it had been written: the one does not "
                "follow from the other"
            )
        if self._old:
            return f"the lines of the old form before line {self._place} were changed, or some of them removed"
        return f"line {self._place} was changed, or lines before it were removed"

    def _is_vouched_for(self) -> bool:
        """Whether the newest key, or a hash from elsewhere, vouches for the last line; or no seals are checked."""
        if self._ages is None or not self._number or self._chain == self._head or self._number in self._published:
            return True
        return bool(self._key) and self._ages[self._key][0] == 0

    def end(self) -> Whole:
        """Finish the walk and describe the file; raises `ChainError` when it ends wrongly."""
        if self._unread.endswith(b"\n"):
            raise ChainError(f"line {self._unread_at} cannot be read: it was changed after it had been written")
        if self._sought is not None:
            expired = "the line has expired, or " * bool(self._expired)
            raise ChainError(
                f"no line has the hash {self._sought}: {expired}the end of the file was cut off after line "
                f"{self._place}, or all of it was rewritten"
            )
        if self._copy is not None:
            raise ChainError(
                f"the end of the file was cut off after line {self._place}, or the copy in line 1 was put there: the "
                f"line {self._copy[0]} of the chain is missing"
            )
        missing = max(self._published, default=0)
        if missing > self._number:
            raise ChainError(
                f"the end of the file was cut off after line {self._place}: the hash of line {missing} of the chain "
                "was published"
            )
        if not self._is_vouched_for():
            raise ChainError(
                "the last line has no seal under the newest key, so others may have written the end of the file: if "
                "the key is new, run forewarn audit rotate first"
            )
        halves, cut = tuple(self._halves), len(self._unread)
        return Whole(self._number, self._old, self._chain, halves, cut, self._unsealed, self._key, self._expired)
