"""The keys of the audit log: one seals its lines, one makes its pseudonyms; several generations can be known at once.

A key that became known is replaced by a new secret. The former ones stay known, so that older lines can still be
checked and looked through. Only the newest writes.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import NamedTuple

from models.access.site_secret import key_of


class AuditKey(NamedTuple):
    """The two keys of one generation."""

    id: str
    """Names the generation in each of its lines, 8 hexadecimal digits; it tells nothing about the keys."""
    seal: bytes
    """Seals lines, so that nobody without it can write one."""
    pseudonyms: str
    """Makes the pseudonyms of what a line is about."""


AuditKeys = Sequence[AuditKey]
"""The generations that are known, the newest first."""


def audit_key(secret: str, pseudonyms: str = "") -> AuditKey:
    """The generation of a secret; ``pseudonyms`` is the key for them where it is older than the secret.

    >>> audit_key("0123456789abcdef" * 2).id == audit_key("0123456789abcdef" * 2, "a key from before").id
    True
    """
    seal = key_of(secret, "audit")
    return AuditKey(_tag(seal, b"id")[:8], seal, pseudonyms or key_of(secret, "pseudonyms").hex())


def pseudonym(key: str, value: str) -> str:
    """The pseudonym of a value under a key: 16 hexadecimal digits, always the same for the same value and key.

    >>> pseudonym("0123456789abcdef", "evil.top") == pseudonym("0123456789abcdef", "evil.top")
    True
    """
    return _tag(key.encode(), value.encode())[:16]


def pseudonyms(keys: AuditKeys, item: str) -> tuple[str, ...]:
    """The pseudonyms of a ``type:value`` in all generations, as lines hold them; the newest generation's is the first.

    >>> pseudonyms([audit_key("0123456789abcdef" * 2)], "domain:evil.top")[0].partition(":")[0]
    'domain'
    """
    kind, _, value = item.partition(":")
    return tuple(f"{kind}:{pseudonym(key.pseudonyms, value)}" for key in keys)


def seal_of(key: AuditKey, content: bytes) -> str:
    """The seal of a line's content: HMAC-SHA-256, in hexadecimal."""
    return _tag(key.seal, content)


def _tag(key: bytes, content: bytes) -> str:
    return hmac.new(key, content, "sha256").hexdigest()
