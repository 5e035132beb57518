"""Passwords: which ones are accepted, and their argon2id hashes; an unknown user takes as long as a wrong password.

argon2 comes with the extra ``console``, so it is imported only when something is hashed.
"""

from __future__ import annotations

import base64
import secrets
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST: Final = 12
LONGEST: Final = 256
"""Length limits of a password, in characters."""


class PasswordError(ValueError):
    """The password is not accepted; the message states the rule and does not repeat the password."""


class Passwords:
    """Hashes and checks passwords, with RFC 9106's parameters for argon2id unless another hasher is given."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        from argon2 import PasswordHasher

        self._hasher = hasher or PasswordHasher()
        self._nobodys = self._hash_of_nothing()

    def hash(self, name: str, password: str) -> str:
        """Hash a user's new password. Raises `PasswordError` when it breaks a rule."""
        text = _same(password)
        if not SHORTEST <= len(text) <= LONGEST:
            raise PasswordError(f"a password has {SHORTEST} to {LONGEST} characters; a few words will do, or --random")
        if (len(name) > 3 and name in text.lower()) or len(set(text)) < 5:
            raise PasswordError("a password must not contain the user's name, or repeat only a few characters")
        return self._hasher.hash(text)

    def matches(self, stored: str | None, password: str) -> bool:
        """Whether the password matches a stored hash. Blocks for some 50 ms, just as long without a hash (no user)."""
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return self._hasher.verify(stored or self._nobodys, _same(password)) and stored is not None
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with parameters other than the current ones."""
        return self._hasher.check_needs_rehash(stored)

    def renewed(self, password: str) -> str:
        """Hash a password that has just been verified, with the current parameters."""
        return self._hasher.hash(_same(password))

    def _hash_of_nothing(self) -> str:
        """A hash that no password matches and that takes as long to check as any other."""
        by = self._hasher
        salt, value = (
            base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (by.salt_len, by.hash_len)
        )
        return f"$argon2id$v=19$m={by.memory_cost},t={by.time_cost},p={by.parallelism}${salt}${value}"


def _same(password: str) -> str:
    """The password in normal form, independent of how the keyboard composes characters; cut off if far too long."""
    return unicodedata.normalize("NFKC", password[: 4 * LONGEST])


def random_password() -> str:
    """A password with 144 random bits, made of letters, digits, ``-`` and ``_``."""
    return secrets.token_urlsafe(18)
