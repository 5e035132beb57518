"""Sign-in attempts: counts failures by name and by address; too many are refused for a while, password unchecked.

Every attempt is counted before its password is checked, in the same step that decides whether it is allowed. Otherwise
a hundred simultaneous attempts would all be allowed. A successful attempt is subtracted again.
"""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Final, NamedTuple

from streams.access.store import Store

OF_NAME: Final = 5
OF_ADDRESS: Final = 50
"""Failed attempts that are allowed; a whole station may share one address."""
WITHIN: Final = 5 * 60
PAUSE: Final = 15 * 60
"""Seconds."""

# KEYS: the counts of the name and of the address. ARGV: the limit of each, the window and the pause in ms.
# Returns the ms to wait (0 when the attempt is allowed) and whether this is the first attempt to be refused.
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
# KEYS: the same. A count that has expired in the meantime must not restart below zero and without an expiry.
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
        """Whether this is the first refusal: one line in the audit log is enough."""


class Limits(NamedTuple):
    """The limits on failed attempts."""

    of_name: int = OF_NAME
    of_address: int = OF_ADDRESS
    within: int = WITHIN
    """Seconds from the first failed attempt."""
    pause: int = PAUSE
    """Seconds from the last allowed attempt."""


class Attempts:
    """The failed sign-ins of a site. Raises `UnavailableError` when Redis does not answer."""

    def __init__(self, store: Store, limits: Limits = Limits()) -> None:  # noqa: B008 - a value
        self._store = store
        self._limits = limits
        self._take = store.redis.register_script(_TAKE)
        self._forgive = store.redis.register_script(_FORGIVE)

    async def take(self, name: str, address: str) -> None:
        """Count an attempt as failed until it is forgiven. Raises `TooManyAttemptsError` when it is not allowed."""
        limits = self._limits
        arguments = (limits.of_name, limits.of_address, limits.within * 1000, limits.pause * 1000)
        wait, first = await self._store.asked(self._take(keys=self._keys(name, address), args=arguments))
        if wait:
            raise TooManyAttemptsError(-(-wait // 1000), bool(first))

    async def forgive(self, name: str, address: str) -> None:
        """Record a success: clear the count of the name, and subtract this attempt from the count of the address."""
        await self._store.asked(self._forgive(keys=self._keys(name, address)))

    def _keys(self, name: str, address: str) -> tuple[str, str]:
        # Hashed, because a user may have typed their password into the name field. Both keys are changed in one step,
        # so the part in braces keeps all attempts on one server of a cluster: they are few.
        kinds = ("attempts-of-name", name), ("attempts-of-address", _network(address))
        of_name, of_address = (
            self._store.key(f"{{attempts}}:{kind}", hashlib.sha256(text.encode()).hexdigest()) for kind, text in kinds
        )
        return of_name, of_address


def _network(address: str) -> str:
    """The address under which attempts are counted: for IPv6 the /64 network, since one client has all its addresses.

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
