"""Ids: names that are made from a person's number, under a key that only the site has.

A name must always be the same for the same records, so it is derived from them. Without a key, anybody could derive the
names of all numbers of a city and look up which number is behind a case. With the site's key only the site can.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from models.policy.policy import Severity

_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Ids:
    """Makes the names of episodes, reminders and signals.

    A site's ``key``, of up to 64 bytes, never changes, because standing orders are known by their names.
    BLAKE2b with a key is a message authentication code (RFC 7693, section 2.9).
    """

    key: bytes = b""

    def episode(self, subscriber: str, first_event: str) -> str:
        """The name of an episode, from its subscriber and the event of its first contact.

        >>> PUBLIC.episode("8610000000001", "c1") == PUBLIC.episode("8610000000001", "c1")
        True
        >>> PUBLIC.episode("8610000000001", "c1") == Ids(b"a site's key").episode("8610000000001", "c1")
        False
        """
        return _hash(self.key, "episode", subscriber, first_event)

    def reminder(self, subscriber: str, about: str) -> str:
        """The id of the one reminder of a subscriber about an occasion."""
        return _hash(self.key, "reminder", subscriber, about)

    def signal(self, subscriber: str, event: str, kind: str, indicator: str, status: str) -> str:
        """The id of a signal that a look-back raises or withdraws; a repeated look-back gives the same one."""
        return _hash(self.key, "signal", subscriber, event, kind, indicator, status)

    def purged(self, subscriber: str) -> str:
        """The name by which a purged subscriber is remembered, so that their number is not."""
        return _hash(self.key, "purged", subscriber)


PUBLIC: Final = Ids()
"""Makes names without a key, as all did before there was one. For what never leaves this machine, and for replays."""


def alert_id(episode: str, severity: Severity) -> str:
    """The id of the one alert of an episode and severity; it needs no key of its own, because the episode has one."""
    return _hash(b"", "alert", episode, severity)


def _hash(key: bytes, *parts: str) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=_BYTES, key=key).hexdigest()
