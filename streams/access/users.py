"""Users: who can sign in by password or token, and the changes that `forewarn users` makes.

Every change is noted in the audit log first; without that line nothing is changed. Passwords are stored as argon2id
hashes, tokens as SHA-256.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec
import structlog

from models.access.audit_chain import Plain
from models.access.rights import Role, User, user
from streams.access.accounts import AccountsFile, Label, Token, UserAccount, UserChangeError, UsersError
from streams.access.passwords import Passwords
from streams.audit import AuditLog, Deed
from streams.settings import Settings

log = structlog.get_logger(__name__)

Reason = Literal["unknown", "password", "disabled"]

TOKEN_BEGINS: Final = "forewarn_"  # noqa: S105 - makes a leaked token recognisable


class RefusedError(Exception):
    """The credentials are refused; the reason is for the audit log and must not reach the caller."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Users:
    """The users of a site. Everything here raises `UsersError` when their file cannot be read or changed.

    Its kind `UserChangeError` says that a change does not fit, for example because there is no such user.
    """

    def __init__(self, file: AccountsFile, audit: AuditLog, passwords: Passwords | None = None) -> None:
        self._file = file
        self._audit = audit
        self._passwords = passwords or Passwords()

    @classmethod
    def of(cls, settings: Settings) -> Users:
        """The site's users."""
        return cls(AccountsFile(settings.users_file), AuditLog.of(settings))

    def all(self) -> list[UserAccount]:
        """All users, sorted by name; none when there is no file yet."""
        accounts = self._file.read().accounts
        return [accounts[name] for name in sorted(accounts)]

    def get(self, name: str) -> UserAccount | None:
        """The user with this name, if there is one."""
        return self._file.read().accounts.get(name)

    def check(self, name: str, password: str) -> UserAccount:
        """The user with this name and password. Raises `RefusedError`; blocks equally long for every reason."""
        account = self.get(name)
        matches = self._passwords.matches(account.password if account else None, password)
        if account is None:
            raise RefusedError("unknown")
        if not matches:
            raise RefusedError("password")
        if account.user.disabled:
            raise RefusedError("disabled")
        if self._passwords.is_outdated(account.password):
            self._renew(account, password)
        return account

    def by_token(self, token: str) -> User | None:
        """The user of this token, unless the token was revoked or the user is disabled."""
        account = self._file.read().by_token.get(_digest(token))
        return None if account is None or account.user.disabled else account.user

    def add(self, new: User, password: str, *, by: str) -> None:
        """Add a user. Raises `PasswordError` as well."""
        account = UserAccount(new, self._passwords.hash(new.name, password), _stamp())
        with self._file.changing() as accounts:
            if new.name in accounts:
                raise UserChangeError(f"There is already a user {new.name}: see forewarn users list")
            accounts[new.name] = account
            self._note("user-added", by, new.name, role=new.role, unit=new.unit)

    def assign(self, name: str, role: Role, unit: str, *, by: str) -> None:
        """Give a user another role or unit. Raises `AccessError` as well."""
        new = user(name, role, unit)

        def assigned(old: UserAccount) -> UserAccount:
            return msgspec.structs.replace(old, user=msgspec.structs.replace(new, disabled=old.user.disabled))

        self._change(name, assigned, "user-changed", by, role=role, unit=unit)

    def set_password(self, name: str, password: str, *, by: str) -> None:
        """Give a user another password, which ends their sessions. Raises `PasswordError` as well."""
        hashed = self._passwords.hash(name, password)
        self._change(
            name,
            lambda old: msgspec.structs.replace(old, password=hashed, stamp=_stamp()),
            "password-changed",
            by,
        )

    def disable(self, name: str, *, by: str) -> None:
        """Refuse a user and their tokens from now on; their sessions end."""
        self._set_disabled(name, True, "user-disabled", by)

    def enable(self, name: str, *, by: str) -> None:
        """Accept a user and their tokens again."""
        self._set_disabled(name, False, "user-enabled", by)

    def add_token(self, name: str, label: str, *, by: str) -> str:
        """Add a token of 256 random bits and return it; it cannot be shown a second time."""
        token = TOKEN_BEGINS + secrets.token_urlsafe(32)
        try:
            made = datetime.now(UTC).isoformat(timespec="seconds")
            new = Token(msgspec.convert(label, Label), made, _digest(token))
        except msgspec.ValidationError:
            raise UserChangeError(
                "A token's label has 1 to 64 letters, digits, '.', '_' and '-', without spaces"
            ) from None

        def having(old: UserAccount) -> UserAccount:
            if any(each.label == label for each in old.tokens):
                raise UserChangeError(f"{name} already has a token {label}: use another label, or revoke it first")
            return msgspec.structs.replace(old, tokens=(*old.tokens, new))

        self._change(name, having, "token-added", by, token=label)
        return token

    def revoke_token(self, name: str, label: str, *, by: str) -> None:
        """Refuse a token from now on."""

        def lacking(old: UserAccount) -> UserAccount:
            left = tuple(each for each in old.tokens if each.label != label)
            if left == old.tokens:
                raise UserChangeError(f"{name} has no token {label}: see forewarn users list")
            return msgspec.structs.replace(old, tokens=left)

        self._change(name, lacking, "token-revoked", by, token=label)

    def _set_disabled(self, name: str, disabled: bool, did: Deed, by: str) -> None:
        def changed(old: UserAccount) -> UserAccount:
            new = msgspec.structs.replace(old.user, disabled=disabled)
            return msgspec.structs.replace(old, user=new, stamp=_stamp())

        self._change(name, changed, did, by)

    def _change(
        self, name: str, change: Callable[[UserAccount], UserAccount], did: Deed, by: str, **details: Plain
    ) -> None:
        with self._file.changing() as accounts:
            if name not in accounts:
                raise UserChangeError(f"There is no user {name}: see forewarn users list")
            accounts[name] = change(accounts[name])
            self._note(did, by, name, **details)

    def _note(self, did: Deed, by: str, name: str, **details: Plain) -> None:
        self._audit.note(did, who=by, details={"user": name, **details})

    def _renew(self, account: UserAccount, password: str) -> None:
        """Hash a password again with the current parameters; if that fails, the user can still sign in."""
        renewed = self._passwords.renewed(password)
        try:
            with self._file.changing() as accounts:
                now = accounts.get(account.user.name)
                if now is not None and now.password == account.password:
                    accounts[account.user.name] = msgspec.structs.replace(now, password=renewed)
        except UsersError as error:
            log.warning("a password hash could not be renewed", user=account.user.name, error=str(error))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _stamp() -> str:
    return secrets.token_hex(8)
