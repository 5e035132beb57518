"""Stored states: what operators do with the state in Redis, beside the workers that write it.

Each change is one atomic step and counts as a write. So a worker that owns the partition meanwhile is refused its next
write, before it publishes anything: it stops, and continues from the new state after its restart.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from redis.exceptions import ResponseError

from models.detection.episodes import Subject
from streams.redis.answers import FAILURES, RedisRefusedError
from streams.settings import Settings
from streams.worker.checkpoint import Checkpoints, StaleCheckpointError
from streams.worker.checkpoint_format import Clocks, decode_meta, decode_subjects, encode_meta
from streams.worker.partition_state import Stored

# KEYS: meta hash, subjects hash, staged subjects. ARGV: this write's mark, the mark of the write that it must follow
# (*: any), whether the staged subjects replace those that are there (1) or not (0), (field, value) of the meta hash...
REPLACE = """
local meta, subjects, staged = KEYS[1], KEYS[2], KEYS[3]
local writer = redis.call('HGET', meta, 'writer') or ''
if writer == ARGV[1] then return 1 end
if ARGV[2] ~= '*' and writer ~= ARGV[2] then return redis.error_reply('STALE') end
if ARGV[3] == '1' then
  redis.call('DEL', subjects)
  if redis.call('EXISTS', staged) == 1 then redis.call('RENAME', staged, subjects) end
end
local version = tonumber(redis.call('HGET', meta, 'version') or '0')
redis.call('DEL', meta)
redis.call('HSET', meta, unpack(ARGV, 4))
redis.call('HSET', meta, 'version', version + 1, 'writer', ARGV[1])
return 1
"""

# KEYS: meta hash, subjects hash. A script, because both must be of one moment.
COPY = """
return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}
"""

_AT_ONCE = 1000
"""Subjects that are staged with one request."""


class StoredBytes(NamedTuple):
    """Both hashes of a partition at one moment, as they are in Redis."""

    meta: Mapping[bytes, bytes]
    subjects: Mapping[bytes, bytes]


class StoredStates(Checkpoints):
    """Reads and replaces the stored states of one group's partitions."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._copy = self._redis.register_script(COPY)
        self._replace = self._redis.register_script(REPLACE)

    async def stored(self, number: int) -> tuple[Stored, Clocks] | None:
        """What is stored of a partition apart from its subjects; None when nothing is.

        Raises `CheckpointError` when it cannot be read.
        """
        meta = await self._meta(number)
        if not meta:
            return None
        try:
            return decode_meta(meta)
        except (KeyError, ValueError, msgspec.MsgspecError) as error:
            raise self._unreadable(number, error) from None

    async def subjects(self, number: int) -> dict[str, Subject]:
        """The subjects of a partition. Raises `CheckpointError` when one of them cannot be read."""
        try:
            return await self._subjects(number)
        except (ValueError, msgspec.MsgspecError) as error:
            raise self._unreadable(number, error) from None

    async def subject(self, number: int, subscriber: str) -> Subject | None:
        """One subscriber's state; None when there is none. Raises `CheckpointError` when it cannot be read."""
        key = self._keys(number)[1]
        state = await self._answered(lambda: self._asked(self._redis.hget(key, subscriber)))
        try:
            return None if state is None else decode_subjects({subscriber.encode(): state})[subscriber]
        except (ValueError, msgspec.MsgspecError) as error:
            raise self._unreadable(number, error) from None

    async def writer(self, number: int) -> str:
        """The mark of the last write of a partition, no two of which are the same; empty when there was none."""
        return (await self._meta(number)).get(b"writer", b"").decode()

    async def bytes_of(self, number: int) -> StoredBytes:
        """Everything that is stored of a partition, read at one moment. Redis serves nobody else while it copies it."""
        both = await self._answered(lambda: self._copy(keys=self._keys(number)))
        return StoredBytes(*(dict(zip(each[::2], each[1::2], strict=True)) for each in both))

    async def answers(self) -> bool:
        """Whether Redis answers right now."""
        try:
            return bool(await self._redis.ping())
        except FAILURES:
            return False

    async def size(self, number: int) -> int | None:
        """The bytes of memory that Redis uses for a partition, about; None if it does not say."""
        try:
            sizes = [
                await self._answered(lambda key=key: self._asked(self._redis.memory_usage(key)))  # type: ignore[misc]
                for key in self._keys(number)
            ]
        except (ResponseError, RedisRefusedError):  # an ACL may forbid MEMORY
            return None
        return sum(size or 0 for size in sizes)

    async def replace(
        self,
        number: int,
        stored: Stored,
        clocks: Clocks,
        subjects: Mapping[bytes, bytes] | None,
        after: str | None = None,
    ) -> None:
        """Replace a partition's state in one atomic step; ``subjects`` None: keep those that are there.

        ``after`` is the mark of the write that it must follow; None: any. Raises `StaleCheckpointError` when there was
        another write meanwhile; nothing is changed then.
        """
        meta_key, subjects_key = self._keys(number)
        staged_key = f"{subjects_key}:staged"
        arguments: list[Any] = [f"state:{secrets.token_hex(6)}", "*" if after is None else after]
        arguments.append(int(subjects is not None))
        arguments += [part for field in encode_meta(stored, clocks).items() for part in field]
        keys = [meta_key, subjects_key, staged_key]
        await self._stage(staged_key, subjects or {})
        try:
            await self._answered(lambda: self._replace(keys=keys, args=arguments))
        except ResponseError as error:
            if "STALE" not in str(error):
                raise
            raise StaleCheckpointError(
                f"A worker has written partition {number} meanwhile, so it was left as it is: stop the workers first."
            ) from None
        finally:
            await self._answered(lambda: self._asked(self._redis.delete(staged_key)))

    async def _stage(self, key: str, subjects: Mapping[bytes, bytes]) -> None:
        """Write subjects beside those of the partition."""
        await self._answered(lambda: self._asked(self._redis.delete(key)))
        waiting = [*subjects.items()]
        for begin in range(0, len(waiting), _AT_ONCE):
            some = dict(waiting[begin : begin + _AT_ONCE])
            await self._answered(lambda some=some: self._asked(self._redis.hset(key, mapping=some)))  # type: ignore[misc]
