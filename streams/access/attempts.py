"""Failed sign-ins, counted by name and by address: who has failed too often is refused for a while, password unseen.

Every attempt is counted before its password is looked at, in one step with the question whether it may be made; else
a hundred at the same moment would all be allowed. One that succeeds is taken back.
"""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Final, NamedTuple

from streams.access.store import Store

OF_NAME: Final = 5
OF_ADDRESS: Final = 50
"""Failed attempts; a whole station may come from one address."""
WITHIN: Final = 5 * 60
PAUSE: Final = 15 * 60
"""Seconds."""

# KEYS: the name's count, the address's. ARGV: the limit of each, window and pause in ms.
# Returns the ms to wait, 0 when the attempt may be made, and whether it is the first one to be refused.
_TAKE = """
local wait, first = 0, 0
for at, key in ipairs(KEYS) do
  local count, limit = tonumber(redis.call('GET', key) or '0'), tonumber(ARGV[at])
  if count >= limit then
    wait = math.max(wait, redis.call('PTTL', key), 1)
    if count == limit then redis.call('INCR', key); first = 1 end
  end
end
if wait > 0 then return {wait, first} end
for at, key in ipairs(KEYS) do
  local count = redis.call('INCR', key)
  if count == 1 then redis.call('PEXPIRE', key, ARGV[3]) end
  if count == tonumber(ARGV[at]) then redis.call('PEXPIRE', key, ARGV[4]) end
end
return {0, 0}
"""
# KEYS: the same. A count that has run out meanwhile must not begin again below zero, without an end.
_FORGIVE = """
redis.call('DEL', KEYS[1])
if tonumber(redis.call('GET', KEYS[2]) or '0') > 0 then redis.call('DECR', KEYS[2]) end
"""


class TooManyAttemptsError(Exception):
    """Too many sign-ins have failed; the message says how long to wait."""

    def __init__(self, seconds: int, first: bool) -> None:
        minutes = -(-seconds // 60)
        super().__init__(f"Too many failed attempts to sign in: wait {minutes} minute{'s' * (minutes > 1)}.")
        self.seconds = seconds
        self.first = first
        """Whether nobody was refused for it before: one line in the audit log is enough."""


class Limits(NamedTuple):
    """How many attempts may fail."""

    of_name: int = OF_NAME
    of_address: int = OF_ADDRESS
    within: int = WITHIN
    """Seconds, from the first that failed."""
    pause: int = PAUSE
    """Seconds, from the last that was allowed."""


class Attempts:
    """The failed sign-ins of a site. Raises `UnavailableError` when Redis does not answer."""

    def __init__(self, store: Store, limits: Limits = Limits()) -> None:  # noqa: B008 - a value
        self._store = store
        self._limits = limits
        self._take = store.redis.register_script(_TAKE)
        self._forgive = store.redis.register_script(_FORGIVE)

    async def take(self, name: str, address: str) -> None:
        """Count an attempt as failed, until it is forgiven; raises `TooManyAttemptsError` when none may be made."""
        limits = self._limits
        arguments = (limits.of_name, limits.of_address, limits.within * 1000, limits.pause * 1000)
        wait, first = await self._store.asked(self._take(keys=self._keys(name, address), args=arguments))
        if wait:
            raise TooManyAttemptsError(-(-wait // 1000), bool(first))

    async def forgive(self, name: str, address: str) -> None:
        """The attempt has succeeded: forget those of this name, and take this one back from the address."""
        await self._store.asked(self._forgive(keys=self._keys(name, address)))

    def _keys(self, name: str, address: str) -> tuple[str, str]:
        # Hashed: somebody may have typed his password where the name belongs.
        kinds = ("attempts-of-name", name), ("attempts-of-address", _network(address))
        of_name, of_address = (self._store.key(kind, hashlib.sha256(text.encode()).hexdigest()) for kind, text in kinds)
        return of_name, of_address


def _network(address: str) -> str:
    """The address as it is counted: of IPv6 the first 64 bits, of which everybody has all that follow.

    >>> _network("2001:db8::1:2"), _network("10.1.2.3")
    ('2001:db8::/64', '10.1.2.3')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
