"""The site secret: one secret that the programs of a site share, and the keys that are derived from it.

Each purpose has a key of its own, so that one key tells neither the secret nor another key. Nothing
here reads a file: the secret is a text that the settings hand in.
"""

from __future__ import annotations

import hmac
from typing import Final, Literal

Purpose = Literal["ids", "links", "pseudonyms", "audit", "fingerprint"]
"""``ids``: names of episodes, reminders and signals; ``links``: hashes of links in the ledger; ``pseudonyms``: audit
log and account numbers; ``audit``: seals of the audit log's lines; `fingerprint`."""

LEAST: Final = 32
"""The fewest characters of a secret: 128 bits, if they are hexadecimal digits."""

_SALT: Final = b"forewarn site secret"


def key_of(secret: str, purpose: Purpose) -> bytes:
    """The key for a purpose: 32 bytes, always the same for the same secret and purpose.

    >>> key_of("0123456789abcdef" * 2, "ids") == key_of("0123456789abcdef" * 2, "pseudonyms")
    False
    """
    return hkdf(secret.encode(), _SALT, purpose.encode())


def fingerprint(secret: str) -> str:
    """A name for the secret, 16 hexadecimal digits, by which two programs can see that they have the same one.

    It may be shown: nobody can work out the secret or another key from it.
    """
    return key_of(secret, "fingerprint")[:8].hex()


def hkdf(material: bytes, salt: bytes, info: bytes) -> bytes:
    """The first 32 bytes of HKDF with SHA-256 (RFC 5869)."""
    extracted = hmac.digest(salt, material, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")
