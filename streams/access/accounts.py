"""The users' file: holds names, roles, units, and the hashes of passwords and tokens, as one JSON object.

Only its owner can read it. It is read again when it has changed. A change is atomic: under a lock, a new file is
written next to the old one and renamed over it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from models.access.rights import User
from streams.files.durable import hand_over, open_in_place, sync_folder

Label = Annotated[str, Meta(pattern=r"\A[a-zA-Z0-9._-]{1,64}\Z")]


class UsersError(Exception):
    """The users cannot be read or changed; the message names the file or the user, and what to do, in one sentence."""


class UserChangeError(UsersError):
    """The change does not fit the users as they are."""


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token that authenticates a system as a user; the token itself is stored nowhere."""

    label: Label
    made: str
    """ISO 8601, UTC, to the second."""
    sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class UserAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user with their credentials."""

    user: User
    password: Annotated[str, Meta(pattern=r"\A\$argon2id\$")]
    stamp: str
    """A random value, replaced by each change that ends the user's sessions."""
    tokens: tuple[Token, ...] = ()

    def __repr__(self) -> str:
        return f"Account({self.user!r})"  # no hash belongs in a log


class Directory(NamedTuple):
    """The contents of a users' file."""

    accounts: Mapping[str, UserAccount] = {}
    """The accounts by name."""
    by_token: Mapping[str, UserAccount] = {}
    """The accounts by the hash of each token."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    users: tuple[UserAccount, ...] = ()


_decoder = msgspec.json.Decoder(_File)


class AccountsFile:
    """One users' file. Everything here raises `UsersError`; several threads and processes may use it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last: tuple[tuple[int, ...], Directory] = (), Directory()
        """The identity of the file that was read last, and its contents."""

    def read(self) -> Directory:
        """The file's current contents; empty when there is no file. Costs one ``stat`` unless the file has changed."""
        try:
            seen, known = self._last
            if _identity(self.path.stat()) != seen:
                with self.path.open("rb") as file:
                    seen, known = _identity(os.fstat(file.fileno())), self._known(file.read())
                self._last = seen, known
        except FileNotFoundError:
            return Directory()
        except OSError as error:
            raise UsersError(
                f"The users' file {self.path} cannot be read ({error.strerror}): give this user access to it, or set "
                "FOREWARN_USERS_FILE."
            ) from None
        return known

    def _known(self, content: bytes) -> Directory:
        try:
            accounts = _decoder.decode(content).users
            names = [each.user.name for each in accounts]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"{twice} is in it twice")
        except ValueError as error:  # includes msgspec's errors and invalid UTF-8
            raise UsersError(
                f"The users' file {self.path} is broken ({error}), so nobody can sign in: repair it by hand, or "
                "restore its last backup."
            ) from None
        return Directory(
            {each.user.name: each for each in accounts},
            {token.sha256: each for each in accounts for token in each.tokens},
        )

    @contextlib.contextmanager
    def changing(self) -> Iterator[dict[str, UserAccount]]:
        """The accounts by name, to be changed: written when the block ends, unchanged when it raises."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked():
                accounts = dict(self.read().accounts)
                yield accounts
                content = msgspec.json.encode(_File(tuple(accounts[name] for name in sorted(accounts))))
                self._write(msgspec.json.format(content, indent=2) + b"\n")
        except OSError as error:
            raise UsersError(
                f"The users' file {self.path} cannot be written ({error.strerror}), and is unchanged: repair its "
                "folder, or set FOREWARN_USERS_FILE."
            ) from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Lock a separate file next to the users' file, because the users' file itself is replaced."""
        lock = open_in_place(self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR)
        try:
            hand_over(lock, self._owned)
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _write(self, content: bytes) -> None:
        descriptor, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        beside = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                hand_over(descriptor, self._owned)
                if self.path.exists():
                    os.fchmod(descriptor, self.path.stat().st_mode & 0o777)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            beside.replace(self.path)
        finally:
            beside.unlink(missing_ok=True)
        sync_folder(self.path.parent)

    @property
    def _owned(self) -> Path:
        """The path whose owner must also own what is written: the file, or its folder before the file exists."""
        return self.path if self.path.exists() else self.path.parent


def _identity(state: os.stat_result) -> tuple[int, ...]:
    return state.st_dev, state.st_ino, state.st_mtime_ns, state.st_size
