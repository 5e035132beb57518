"""Reading the audit log: its lines, where its chain ends, and its head, which is published."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from models.access.audit_chain import BEGINNING, Head, Line, cut_of, digest, line_of, old_line_of

_PIECE = 1 << 16
"""Bytes that are read at once from the end of the file; more follow if they are not enough."""


class AuditError(Exception):
    """The audit log cannot be written or read; the message names the file and says what to do."""


class End(NamedTuple):
    """Where a log ends, for the line that is to follow."""

    number: int
    """The number of the chain's last line."""
    hash: str
    """The hash that the next line must contain."""
    key: str
    """The id of the key that sealed the last line; empty if it has no seal."""
    unread: bytes
    """The bytes after that line that are no line."""
    ended: bool
    """Whether the file ends with a line end, or is empty."""


def lines(path: Path) -> Iterator[bytes]:
    """The present lines of a log, with their line ends; lines that are added during the reading are left out.

    Raises `AuditError` when the log cannot be read.
    """
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)  # no writer is in the middle of a line
            left = os.fstat(file.fileno()).st_size
            fcntl.flock(file, fcntl.LOCK_UN)
            for raw in file:
                yield raw[:left]
                left -= len(raw)
                if left <= 0:
                    return
    except OSError as error:
        raise _unreadable(path, error) from None


def deeds(path: Path) -> Iterator[bytes]:
    """The lines as `lines` has them, without the copy with which a log begins whose oldest lines have expired."""
    for place, raw in enumerate(lines(path)):
        if place or (line := line_of(raw)) is None or cut_of(line) is None:
            yield raw


def backwards(path: Path) -> Iterator[Line]:
    """The present lines of a log's chain, newest first, without the copy with which it may begin (`deeds`).

    Reads the end of the file first, and no more of it than is asked for. Raises `AuditError`.
    """
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            start = os.fstat(file.fileno()).st_size
            fcntl.flock(file, fcntl.LOCK_UN)
            rest = b""  # the beginning of what was read so far: it may lack the beginning of its line
            while start:
                upto, start = start, max(0, start - max(_PIECE, len(rest)))
                raws = io.BytesIO(os.pread(file.fileno(), upto - start, start) + rest).readlines()
                rest = raws.pop(0) if start else b""
                for place in range(len(raws) - 1, -1, -1):
                    line = line_of(raws[place])
                    if line is not None and (place or start or cut_of(line) is None):
                        yield line
    except OSError as error:
        raise _unreadable(path, error) from None


def recent(path: Path, since: str) -> list[Line]:
    """The lines since a time (ISO 8601, UTC, to the second), newest first; reads only the end of the file.

    Raises `AuditError`.
    """
    return list(takewhile(lambda line: line.at >= since, backwards(path)))


def log_of(raws: Iterable[bytes]) -> str:
    """The name of the log with these lines, as in `Head`; empty if it has no chain yet."""
    for raw in raws:
        line = line_of(raw)
        if line is not None:
            cut = cut_of(line)
            return digest(raw) if cut is None else cut.log
    return ""


def head_of(path: Path) -> Head | None:
    """The head of a log: its last line; None if there is no line of a chain yet. Raises `AuditError`."""
    if not path.exists():
        return None
    log = log_of(lines(path))
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            end = end_of(file.fileno(), os.fstat(file.fileno()).st_size, path)
    except OSError as error:
        raise _unreadable(path, error) from None
    return Head(log, end.number, end.hash) if end.number else None


def end_of(file: int, size: int, path: Path) -> End:
    """The end of an open log of ``size`` bytes; raises `AuditError` when it is no audit log."""
    piece = _PIECE
    while True:
        start = max(0, size - piece)
        # If the piece begins inside a line, line_of does not accept the rest of that line.
        lines = io.BytesIO(os.pread(file, size - start, start)).readlines()
        ended = not lines or lines[-1].endswith(b"\n")
        unread = b""
        for raw in reversed(lines):
            line = line_of(raw if unread or ended else raw + b"\n")  # a line that lacks only its end counts
            if line is not None:
                return End(line.number, digest(raw), line.key, unread, ended)
            unread = raw + unread
        if not start:
            return _beginning(lines, path)
        piece *= 8


def _beginning(lines: Sequence[bytes], path: Path) -> End:
    """The end of a file without a chain: an empty file, lines of the old form, or a first line that was cut short.

    Raises `AuditError` when it is no audit log.
    """
    opening, old = hashlib.sha256(), 0
    for raw in lines:
        if old_line_of(raw) is None:
            break
        old += 1
        opening.update(raw)
    unread = b"".join(lines[old:])
    if not old and (b"\n" in unread or unread[:1] not in (b"", b"{", b"\0")):
        raise AuditError(
            f"{path} is not an audit log of Forewarn, so nothing is written, done or shown: "
            "set FOREWARN_AUDIT_LOG to a file of its own."
        )
    ended = not lines or lines[-1].endswith(b"\n")
    return End(0, opening.hexdigest() if old else BEGINNING, "", unread, ended)


def _unreadable(path: Path, error: OSError) -> AuditError:
    return AuditError(
        f"The audit log {path} cannot be read ({error.strerror}): set FOREWARN_AUDIT_LOG to the log to read."
    )
