"""Audit log: who did what, when and for which case, as lines that are only added; each is sealed and names the last.

An action that cannot be noted does not happen: a look-up shows nothing, and a sign-in fails. A line has a pseudonym, a
keyed hash, for each number, domain or other value that it is about. The key allows a check whether a line is about a
given number, but nobody can read a number from a line. Several processes may write to one file.
``models/access/audit_chain.py`` says what the chain proves, and ``docs/access.md`` what it cannot prove.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, overload

import msgspec

from models.access.audit_chain import BEGINNING, HALF, KEYED, Line, Plain, digest, sealed
from models.access.audit_keys import AuditKeys, pseudonyms
from streams.audit.reading import AuditError, End, end_of
from streams.files.durable import hand_over, open_in_place, sync_folder
from streams.settings import Settings

Deed = Literal[
    "look-up",
    "letters-opened",
    "letter-shown",
    "letters-redriven",
    "letters-discarded",
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
    "topic-checked",
    "topics-replayed",
    "topics-recorded",
    "indicators-imported",
    "indicators-revoked",
    "campaign-confirmed",
    "campaign-dismissed",
    "risks-found",
    "risk-shown",
    "risk-decided",
    "state-saved",
    "state-restored",
    "state-dropped",
    "state-rewound",
    "ledger-expired",
    "policy-followed",
    "audit-read",
    "audit-expired",
    "unusual-use",
    "person-exported",
    "person-purged",
    "topics-applied",
    "rights-applied",
]
"""The actions that are noted. Readers of the log accept any other word, too."""


COMMANDS: Final = "os:"
"""What the name of a command's user begins with."""


def operator() -> str:
    """The user who runs this command, for example ``os:root``; from the system, not from a variable they could set."""
    try:
        return f"{COMMANDS}{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"{COMMANDS}{os.getuid()}"


def _now() -> datetime:
    return datetime.now(UTC)


class AuditLog:
    """Writes to one file of lines.

    Shared between threads: the console notes its actions from several threads at once, because a note waits for the
    disk. It needs no lock of its own: it keeps no file open, and each `note` opens and locks the file for itself, which
    excludes other threads as well as other processes.
    """

    def __init__(self, path: Path, keys: AuditKeys, now: Callable[[], datetime] = _now) -> None:
        self.path = path
        self.keys = keys
        self._now = now

    @classmethod
    def of(cls, settings: Settings) -> AuditLog:
        """The site's log; raises `SettingsError` when there is no key for it."""
        return cls(settings.audit_log, settings.audit_keys())

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
        what = tuple(pseudonyms(self.keys[:1], each)[0] for each in about)
        return self._written(self.line(did, details or {}, who, case, what))

    def change_key(self) -> Line | None:
        """Go on under the newest key from now on, with a line that says so; None when the log does so already.

        Raises `AuditError`.
        """
        return self._written(None)

    @overload
    def _written(self, line: Line) -> Line: ...
    @overload
    def _written(self, line: None) -> Line | None: ...
    def _written(self, line: Line | None) -> Line | None:
        try:
            with self.locked() as file:
                return self._append(file, line)
        except OSError as error:
            raise AuditError(
                f"The audit log {self.path} cannot be written ({error.strerror}), so nothing is done or shown: repair "
                "its folder, or set FOREWARN_AUDIT_LOG."
            ) from None

    def line(
        self, did: str, details: Mapping[str, Plain], who: str = "", case: str = "", what: tuple[str, ...] = ()
    ) -> Line:
        """A line that has no place in the chain yet; by default the user of this process did it."""
        who, at = who or operator(), self._now().isoformat(timespec="seconds")
        return Line(number=0, at=at, who=who, did=did, case=case, what=what, details=dict(details), before="")

    @contextlib.contextmanager
    def locked(self) -> Iterator[int]:
        """The file, open and locked so that nothing else writes to it; created if there is none."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            # Lines are only ever appended, so that an administrator may set the file's append-only flag.
            file = open_in_place(self.path, os.O_RDWR | os.O_APPEND)
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

    def _append(self, file: int, line: Line | None) -> Line | None:
        """Add the notes that the end of the file needs, and the line; without one, go on under the newest key."""
        size = os.fstat(file).st_size
        end = end_of(file, size, self.path)
        if line is None:
            if not self._is_other_key(end):
                return None
            line, content = self._sealed(end, self.line(KEYED, {"from": end.key, "to": self.keys[0].id}))
        else:
            line, content = self.addition(end, line)
        self._write(file, size, content)
        return line

    def addition(self, end: End, line: Line) -> tuple[Line, bytes]:
        """The line with its place in the chain, and the bytes to add after this end: notes that it needs, and the line.

        Raises `AuditError` when the present key has not sealed the end.
        """
        if self._is_other_key(end):
            # Otherwise whoever has an older key, or none, could have their own lines sealed by this one.
            raise AuditError(
                f"The audit log {self.path} does not end with a line that the present key has sealed, so nothing is "
                "done or shown: if the key is new, or the log is older than seals, run forewarn audit rotate; if not, "
                "somebody has replaced the file."
            )
        return self._sealed(end, line)

    def _sealed(self, end: End, line: Line) -> tuple[Line, bytes]:
        lines = [line]
        if end.unread:  # the user of the line has no part in it
            lines.insert(0, self.line(HALF, {"bytes": len(end.unread), "sha256": digest(end.unread)}))
        content, before = b"" if end.ended else b"\n", end.hash
        for number, each in enumerate(lines, end.number + 1):
            line = msgspec.structs.replace(each, number=number, before=before)
            raw = sealed(line, self.keys[0])
            content, before = content + raw + b"\n", digest(raw)
        return line, content

    def _is_other_key(self, end: End) -> bool:
        """Whether the log's last line has an older key, or none; raises `AuditError` if it has a newer one."""
        ids = [key.id for key in self.keys]
        if end.hash == BEGINNING or end.key == ids[0]:
            return False
        if end.key and end.key not in ids:
            raise AuditError(
                f"The audit log {self.path} is sealed with the key {end.key}, which is not known here, so nothing is "
                "done or shown: give the present FOREWARN_AUDIT_SECRET_FILE, and restart the program."
            )
        return True

    def _write(self, file: int, size: int, content: bytes) -> None:
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
