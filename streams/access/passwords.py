"""Passwords: what is taken for one, and its argon2id hash; an unknown user's costs as much time as a wrong one.

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
"""Characters of a password."""


class PasswordError(ValueError):
    """It will not do as a password; the message says what would, and does not repeat it."""


class Passwords:
    """Hashes and checks passwords, by RFC 9106's parameters for argon2id unless another hasher is given."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        from argon2 import PasswordHasher

        self._hasher = hasher or PasswordHasher()
        self._nobodys = self._hash_of_nothing()

    def hash(self, name: str, password: str) -> str:
        """The hash of a user's new password; raises `PasswordError` when it is too easy."""
        text = _same(password)
        if not SHORTEST <= len(text) <= LONGEST:
            raise PasswordError(f"a password has {SHORTEST} to {LONGEST} characters; a few words will do, or --random")
        if (len(name) > 3 and name in text.lower()) or len(set(text)) < 5:
            raise PasswordError("a password must not contain the user's name, or repeat only a few characters")
        return self._hasher.hash(text)

    def matches(self, stored: str | None, password: str) -> bool:
        """Whether this is the password of a hash; blocks for some 50 ms, without a hash (nobody's) just as long."""
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return self._hasher.verify(stored or self._nobodys, _same(password)) and stored is not None
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than are used now."""
        return self._hasher.check_needs_rehash(stored)

    def renewed(self, password: str) -> str:
        """The hash, with the parameters of now, of a password that has just been found right."""
        return self._hasher.hash(_same(password))

    def _hash_of_nothing(self) -> str:
        """A hash that nothing matches and that takes as long to check as any."""
        by = self._hasher
        salt, value = (
            base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (by.salt_len, by.hash_len)
        )
        return f"$argon2id$v=19$m={by.memory_cost},t={by.time_cost},p={by.parallelism}${salt}${value}"


def _same(password: str) -> str:
    """The password however the keyboard has composed its characters; of one that is far too long, the beginning."""
    return unicodedata.normalize("NFKC", password[: 4 * LONGEST])


def random_password() -> str:
    """A password that nobody can guess, of letters, figures, ``-`` and ``_``: 144 random bits."""
    return secrets.token_urlsafe(18)
