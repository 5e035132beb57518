"""The memory store: the hunter's memory in Redis, which belongs to the hunter that loaded it last.

A hunter that was thought dead and goes on must not undo what its successor has done. So loading claims the memory with
a mark, the hunter asks for its claim before it publishes, and a hunter without it can no longer save.
"""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from models.base.formats import NewerFormatError
from streams.hunter.memory import Memory, decode, encode
from streams.redis.answers import answered
from streams.settings import Settings

# KEYS: memory, claim. ARGV: this hunter's mark.
_CLAIM = """
redis.call('SET', KEYS[2], ARGV[1])
return redis.call('GET', KEYS[1])
"""
# KEYS: memory, claim. ARGV: this hunter's mark, and the memory to save, if any. An emptied Redis belongs to nobody.
_KEEP = """
local owner = redis.call('GET', KEYS[2])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
if ARGV[2] then redis.call('SET', KEYS[1], ARGV[2]) end
return 1
"""


class TakenOverError(Exception):
    """Another hunter has loaded the memory since; nothing more may be published or saved."""


class MemoryFormatError(Exception):
    """The stored memory cannot be read; the message says why and what to do."""


class MemoryStore:
    """Loads and saves the memory of a group's hunter; waits with backoff while Redis does not answer."""

    def __init__(self, settings: Settings, client: Any) -> None:
        self._settings = settings
        key = f"forewarn:{settings.topic_prefix}{settings.group}:hunter"
        self._keys = (key, f"{{{key}}}:claim")  # with the key as its tag, it is in the same slot of a Redis Cluster
        self._client = client
        self._claim = client.register_script(_CLAIM)
        self._keep = client.register_script(_KEEP)
        self._me = secrets.token_hex(6)

    async def load(self) -> Memory:
        """Claim the memory and return it, empty if there is none yet.

        Raises `MemoryFormatError` when it is damaged, or when a newer version of Forewarn has written it.
        """
        return self._decoded(await answered(lambda: self._claim(keys=self._keys, args=[self._me]), self._settings))

    async def peek(self) -> Memory:
        """The memory as it is stored now, without a claim to it. Raises `MemoryFormatError`."""
        return self._decoded(await answered(lambda: self._client.get(self._keys[0]), self._settings))

    def _decoded(self, stored: bytes | None) -> Memory:
        try:
            return Memory() if stored is None else decode(stored)
        except NewerFormatError as error:
            raise MemoryFormatError(f"{self._keys[0]} in Redis: {error}") from None
        except msgspec.MsgspecError as error:
            raise MemoryFormatError(
                f"The hunter's memory in Redis ({self._keys[0]}) is damaged: {error}. Delete this key: the hunter then "
                "repeats its look-backs, to the same effect."
            ) from None

    async def check(self) -> None:
        """Raise `TakenOverError` if another hunter has claimed the memory."""
        await self._kept()

    async def save(self, memory: Memory) -> None:
        """Save the memory for the next hunter. Raises `TakenOverError`."""
        await self._kept(encode(memory))

    async def _kept(self, *saved: bytes) -> None:
        arguments = [self._me, *saved]
        if not await answered(lambda: self._keep(keys=self._keys, args=arguments), self._settings):
            raise TakenOverError("Another hunter has taken over this site. There can be only one, so this one ends.")
