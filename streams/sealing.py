"""Sealing: encrypts to public keys of the centre, in the format of age, what nobody else may read.

A key pair is a *recipient*, which is public and is all that a program needs to seal, and an *identity*, with which the
centre opens what was sealed. age's own tools read all of it: ``age --decrypt --identity FILE``
(https://age-encryption.org/v1). ``docs/decisions/0024-letters-are-sealed.md`` says why age.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

MOST_RECIPIENTS: Final = 8
"""Each recipient adds some hundred bytes to everything that is sealed, and 80 µs."""
MAGIC: Final = b"age-encryption.org/v1\n"
"""How everything begins that was sealed."""


class SealError(ValueError):
    """Something cannot be opened, or a key cannot be used; the message says why."""


class KeyPair(NamedTuple):
    """A new pair of keys."""

    recipient: str
    """The public key: ``age1…``."""
    identity: str
    """The text of an identity file with the private key, as ``age-keygen`` writes it."""


def new_keys(now: datetime | None = None) -> KeyPair:
    """Make a pair of keys; ``now`` is noted in the identity's comment."""
    from pyrage import x25519  # here and below: a program that seals nothing need not load the library

    made = x25519.Identity.generate()
    at = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    return KeyPair(str(made.to_public()), f"# created: {at}\n# public key: {made.to_public()}\n{made}\n")


def recipients(text: str) -> str:
    """Public keys, separated by commas, each checked; raises ValueError with what they have to be."""
    from pyrage import RecipientError, x25519

    each = [part.strip() for part in text.split(",")]
    try:
        for part in each:
            x25519.Recipient.from_str(part)
    except RecipientError:
        each = []
    if not 0 < len(each) <= MOST_RECIPIENTS:
        raise ValueError(f"public keys of age (age1…), at most {MOST_RECIPIENTS}, separated by commas")
    return ",".join(each)


class Seal:
    """Seals to recipients, so that each of them alone can open it.

    Shared between threads: nothing changes it after it was made, and the library keeps nothing from one call to the
    next. It holds Python's lock while it works: some 130 µs, and 3 ms more for each megabyte.
    """

    def __init__(self, recipients: str) -> None:
        from pyrage import encrypt, x25519

        self._encrypt = encrypt
        self._recipients = [x25519.Recipient.from_str(each) for each in recipients.split(",")]

    def sealed(self, content: bytes) -> bytes:
        """The content, encrypted and protected against changes: some 300 bytes longer, and never twice the same."""
        sealed: bytes = self._encrypt(content, self._recipients)
        return sealed


class Identities:
    """The private keys of identity files, which open what was sealed to any of them."""

    def __init__(self, files: Iterable[str]) -> None:
        """Read the texts of identity files. Raises `SealError` when one holds no identity."""
        self._keys = [key for text in files for key in _identities(text)]

    @property
    def recipient(self) -> str:
        """The public key of the first one."""
        return str(self._keys[0].to_public())

    def opened(self, sealed: bytes) -> bytes:
        """The content of what was sealed; raises `SealError`."""
        from pyrage import DecryptError, decrypt

        try:
            content: bytes = decrypt(sealed, self._keys)
        except DecryptError:
            said = "it was sealed to another key, or changed" if sealed.startswith(MAGIC) else "it is not sealed"
            raise SealError(said) from None
        return content


def _identities(text: str) -> list[Any]:
    from pyrage import IdentityError, x25519

    lines = [line.strip() for line in text.splitlines()]
    try:
        found = [x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except IdentityError:
        found = []
    if not found:
        raise SealError("it holds no identity of age (AGE-SECRET-KEY-1…): give the file that was made with the key")
    return found
