"""Audit log: who did what, when and for which case, as lines that are only added; each has the hash of the one before.

An action that cannot be noted does not happen: a look-up shows nothing, and a sign-in fails. A line has a pseudonym, a
keyed hash, for each number, domain or other value that it is about. The key allows a check whether a line is about a
given number, but nobody can read a number from a line. Several processes may write to one file.
``models/access/audit_chain.py`` says what the chain proves, and ``docs/access.md`` what it cannot prove.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import io
import os
import pwd
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from models.access.audit_chain import BEGINNING, HALF, Line, Plain, digest, line_of, old_line_of
from streams.files.durable import hand_over, sync_folder
from streams.settings import Settings

Deed = Literal[
    "look-up",
    "letters-opened",
    "shown-number",
    "shown-case",
    "case-refused",
    "sign-in",
    "sign-in-refused",
    "sign-out",
    "user-added",
    "user-changed",
    "user-disabled",
    "user-enabled",
    "password-changed",
    "token-added",
    "token-revoked",
]
"""The actions that are noted. Readers of the log accept any other word, too."""

_PIECE = 1 << 16
"""Bytes that are first read from the end of the file, to find its last line; more follow if they are not enough."""


class AuditError(Exception):
    """The audit log cannot be written or read; the message names the file and says what to do."""


def pseudonym(key: str, value: str) -> str:
    """The pseudonym of a value under a key: 16 hexadecimal digits, always the same for the same value and key.

    >>> pseudonym("0123456789abcdef", "evil.top") == pseudonym("0123456789abcdef", "evil.top")
    True
    """
    return hmac.new(key.encode(), value.encode(), "sha256").hexdigest()[:16]


def operator() -> str:
    """The user who runs this command, for example ``os:root``; from the system, not from a variable they could set."""
    try:
        return f"os:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"os:{os.getuid()}"


def _now() -> datetime:
    return datetime.now(UTC)


class AuditLog:
    """Writes to one file of lines.

    Shared between threads: the console notes its actions from several threads at once, because a note waits for the
    disk. It needs no lock of its own: it keeps no file open, and each `note` opens and locks the file for itself, which
    excludes other threads as well as other processes.
    """

    def __init__(self, path: Path, key: str, now: Callable[[], datetime] = _now) -> None:
        self.path = path
        self._key = key
        self._now = now

    @classmethod
    def of(cls, settings: Settings) -> AuditLog:
        """The site's log; raises `SettingsError` when there is no key for its pseudonyms."""
        return cls(settings.audit_log, settings.key_of_pseudonyms())

    def note(
        self,
        did: Deed,
        *,
        who: str,
        case: str = "",
        about: Sequence[str] = (),
        details: Mapping[str, Plain] | None = None,
    ) -> Line:
        """Add a line, which is on the disk when this returns; blocks while another process or thread adds one.

        ``about`` has items ``type:value``, and the values are written as pseudonyms only. ``details`` are written
        unchanged and must contain no number. Raises `AuditError` when the line cannot be written.
        """
        what = tuple(
            f"{kind}:{pseudonym(self._key, value)}" for kind, _, value in (each.partition(":") for each in about)
        )
        try:
            with self._locked() as file:
                return self._append(file, did, who, case, what, dict(details or {}))
        except OSError as error:
            raise AuditError(
                f"The audit log {self.path} cannot be written ({error.strerror}), so nothing is done or shown: repair "
                "its folder, or set FOREWARN_AUDIT_LOG."
            ) from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        """The file, open and locked so that nothing else writes to it; created if there is none."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            # Lines are only ever appended, so that an administrator may set the file's append-only flag.
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not self._is(file):  # it was moved away during the wait
                    continue
                yield file
                return
            finally:
                os.close(file)

    def _is(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self.path.stat())
        except FileNotFoundError:
            return False

    def _append(
        self, file: int, did: Deed, who: str, case: str, what: tuple[str, ...], details: dict[str, Plain]
    ) -> Line:
        size = os.fstat(file).st_size
        end = self._end(file, size)
        at = self._now().isoformat(timespec="seconds")
        content, number, before = b"", end.number, end.hash
        if end.unread:
            number += 1
            note = Line(
                number=number,
                at=at,
                who=operator(),  # the user of the next line has no part in it
                did=HALF,
                case="",
                what=(),
                details={"bytes": len(end.unread), "sha256": digest(end.unread)},
                before=before,
            )
            raw = msgspec.json.encode(note)
            content, before = raw + b"\n", digest(raw)
        line = Line(number=number + 1, at=at, who=who, did=did, case=case, what=what, details=details, before=before)
        content = (b"" if end.ended else b"\n") + content + msgspec.json.encode(line) + b"\n"
        try:
            written = 0
            while written < len(content):
                written += os.write(file, content[written:])
            os.fsync(file)
            if not size:
                hand_over(file, self.path.parent)
                sync_folder(self.path.parent)
        except OSError:
            with contextlib.suppress(OSError):  # if this fails, too, the next line notes it as half-written
                os.ftruncate(file, size)
            raise
        return line

    def _end(self, file: int, size: int) -> _End:
        """The end of the file; raises `AuditError` when it is no audit log."""
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
                    return _End(line.number, digest(raw), unread, ended)
                unread = raw + unread
            if not start:
                return self._beginning(lines)
            piece *= 8

    def _beginning(self, lines: Sequence[bytes]) -> _End:
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
                f"{self.path} is not an audit log of Forewarn, so nothing is written, done or shown: "
                "set FOREWARN_AUDIT_LOG to a file of its own."
            )
        ended = not lines or lines[-1].endswith(b"\n")
        return _End(0, opening.hexdigest() if old else BEGINNING, unread, ended)


class _End(NamedTuple):
    number: int
    """The number of the chain's last line."""
    hash: str
    """The hash that the next line must contain."""
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
        raise AuditError(
            f"The audit log {path} cannot be read ({error.strerror}): set FOREWARN_AUDIT_LOG to the log to read."
        ) from None
