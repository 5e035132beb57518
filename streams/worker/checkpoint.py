"""Checkpoint: a partition's state, offsets, outbox and ledger progress in Redis, written in one atomic step.

The step is a Lua script. It applies the changes only if no other worker has written since this worker read, and only
if the stored offset is not beyond the first offset of the changes. The guarantees of ``docs/guarantees.md`` follow from
that: every event changes the state exactly once, and a worker that has lost its partition is refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from time import perf_counter
from typing import Any, TypeVar

import msgspec
import structlog
from redis.exceptions import ResponseError

from models.base.formats import NewerFormatError
from models.detection.episodes import Subject
from models.detection.partition import Partition
from streams import metrics
from streams.ledger.progress import LedgerProgress
from streams.redis.answers import RedisRefusedError, answered
from streams.redis.client import Redis
from streams.redis.site_secret import check_secret
from streams.settings import Settings
from streams.worker.checkpoint_format import FORMAT, LOG, OFFSET, decode_meta, decode_subjects, encode
from streams.worker.eviction import eviction
from streams.worker.partition_state import Handover, Outbox, PartitionState, Stored

log = structlog.get_logger(__name__)

T = TypeVar("T")

# KEYS: meta hash, subjects hash. ARGV: expected version, its writer's mark, this write's mark, clocks, outbox,
# the ledger's progress, the handover, number of topics,
# (topic, first offset that is applied, next offset, id of its log)...,
# number of subjects, (subscriber, state)..., subscribers to delete...
# The version alone is not enough: after Redis has lost writes, another worker may have written the same number again.
# Nothing may be left from before the first write: the hash of subjects may have outlived a lost meta hash.
APPLY = f"""
local meta, subjects = KEYS[1], KEYS[2]
local version = tonumber(redis.call('HGET', meta, 'version') or '0')
local writer = redis.call('HGET', meta, 'writer') or ''
local expected = tonumber(ARGV[1])
if version ~= expected or writer ~= ARGV[2] then
  if version == expected + 1 and writer == ARGV[3] then return version end
  local said = version == expected and ' stored by another' or ' stored, ' .. expected .. ' expected'
  return redis.error_reply('STALE version ' .. version .. said)
end
local topics = tonumber(ARGV[8])
for at = 9, 8 + 4 * topics, 4 do
  local stored = tonumber(redis.call('HGET', meta, '{OFFSET}' .. ARGV[at]) or '-1')
  if stored > tonumber(ARGV[at + 1]) then
    return redis.error_reply('STALE offset ' .. stored .. ' of ' .. ARGV[at] .. ' stored, not ' .. ARGV[at + 1])
  end
end
local counted = tonumber(redis.call('HGET', meta, 'subjects') or '-1')
local kept = redis.call('HLEN', subjects)
if version == 0 then redis.call('DEL', subjects)
elseif counted >= 0 and counted ~= kept then return redis.error_reply('PARTIAL ' .. kept .. ' ' .. counted) end
redis.call('HSET', meta, 'version', version + 1, 'writer', ARGV[3], 'clocks', ARGV[4], 'due', ARGV[5],
  'recorded', ARGV[6], 'handover', ARGV[7])
for at = 9, 8 + 4 * topics, 4 do
  redis.call('HSET', meta, '{OFFSET}' .. ARGV[at], ARGV[at + 2], '{LOG}' .. ARGV[at], ARGV[at + 3])
end
local at = 9 + 4 * topics
local states = tonumber(ARGV[at])
at = at + 1
for _ = 1, states do
  redis.call('HSET', subjects, ARGV[at], ARGV[at + 1])
  at = at + 2
end
for gone = at, #ARGV do redis.call('HDEL', subjects, ARGV[gone]) end
redis.call('HSET', meta, 'format', {FORMAT}, 'subjects', redis.call('HLEN', subjects))
return version + 1
"""


class CheckpointError(Exception):
    """The state in Redis cannot be read or changed; the message says what to do."""


class StaleCheckpointError(CheckpointError):
    """Another worker has written, or Redis has lost writes: the state in this worker's memory is out of date."""


class MissingStateError(CheckpointError):
    """Kafka says that the group has read a partition, but Redis holds no state of it, or only a part."""


class EvictionError(CheckpointError):
    """Redis drops keys when its memory is full, so state could disappear."""


NOTHING = Outbox()
NOWHERE: Mapping[int, int] = {}


class Checkpoints:
    """Loads and writes the state of partitions; one per worker. Belongs to the event loop.

    Waits with backoff while Redis does not answer. Nothing is acknowledged during that time, so nothing is lost.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._redis = Redis(settings)
        self._apply = self._redis.register_script(APPLY)
        self._me = secrets.token_hex(6)
        self._writes = 0

    def _keys(self, partition: int) -> tuple[str, str]:
        # One hash tag per partition keeps all its keys in one slot of a Redis Cluster.
        prefix = f"{{forewarn:{self._settings.topic_prefix}{self._settings.group}:{partition}}}"
        return f"{prefix}:meta", f"{prefix}:subjects"

    async def load(self, number: int) -> PartitionState:
        """The state of a partition as it was last written; empty when it was never written.

        Raises `CheckpointError` when the state cannot be read, and `MissingStateError` when a part of it is gone.
        """
        while True:
            meta = await self._meta(number)
            partition = Partition(number)
            if not meta:
                return PartitionState(partition)
            try:
                stored, (partition.call_clock, partition.sms_clock) = decode_meta(meta)
                partition.purged = dict(stored.handover.purged)
                partition.subjects = await self._subjects(number)
            except (KeyError, ValueError, msgspec.MsgspecError) as error:
                raise self._unreadable(number, error) from None
            if stored.subjects in (None, len(partition.subjects)):
                return PartitionState(partition, stored)
            if await self._meta(number) == meta:  # otherwise another worker wrote between the two reads
                raise _partial(number, len(partition.subjects), stored.subjects)

    async def _meta(self, number: int) -> dict[bytes, bytes]:
        key, _ = self._keys(number)
        meta: dict[bytes, bytes] = await self._answered(lambda: self._asked(self._redis.hgetall(key)))
        return meta

    def _unreadable(self, number: int, error: Exception) -> CheckpointError:
        if isinstance(error, NewerFormatError):
            return CheckpointError(f"Partition {number}, {self._keys(number)[0]} in Redis: {error}")
        return CheckpointError(
            f"The state of partition {number} in Redis ({self._keys(number)[0]}) is damaged: {error}. Restore a "
            f"snapshot of it (forewarn state restore), or delete it with `forewarn state drop --partition {number}`: "
            "it is then derived again from what Kafka still keeps."
        )

    async def _subjects(self, number: int) -> dict[str, Subject]:
        """All subjects of a partition.

        They are read again if some are missing: after a failover or a restart the server reads a cursor of another
        server, or of its own past, as another place.
        """
        _, key = self._keys(number)
        while True:
            found: dict[str, Subject] = {}
            cursor = 0
            while True:
                cursor, page = await self._answered(
                    lambda at=cursor: self._asked(self._redis.hscan(key, at, count=5000))  # type: ignore[misc]
                )
                found.update(decode_subjects(page))
                if not cursor:
                    break
            count = await self._answered(lambda: self._asked(self._redis.hlen(key)))
            if len(found) == count:
                return found
            log.warning("the state in Redis changed while it was read: it is read again", key=key)

    async def write(
        self,
        state: PartitionState,
        progress: LedgerProgress,
        changed: Iterable[str] = (),
        forgotten: Iterable[str] = (),
        outbox: Outbox = NOTHING,
        indicators: Mapping[int, int] = NOWHERE,
    ) -> None:
        """Write the changes since the last write in one atomic step.

        It writes the state of the ``changed`` subscribers, all offsets, the ledger's ``progress``, the ``outbox`` that
        is to be published next, and how far the ``indicators`` are known, and deletes the ``forgotten`` subscribers.
        The outbox of the last write, which it replaces, must have been published. Raises `StaleCheckpointError` when
        the write is refused, and `MissingStateError` when Redis has lost a part of the state.
        """
        began = perf_counter()
        partition, stored = state.partition, state.stored
        self._writes += 1
        reached, logs = state.offsets, state.logs
        handover = Handover(dict(indicators), state.repeats, dict(partition.purged))
        offsets: list[Any] = []
        for topic, offset in reached.items():
            offsets += (topic, stored.offsets.get(topic, 0), offset, logs[topic])
        states: list[Any] = []
        for subscriber in changed:
            states += (subscriber, encode(partition.subjects[subscriber]))
        mark = f"{self._me}:{self._writes}"
        arguments = [
            stored.version,
            stored.writer,
            mark,
            encode((partition.call_clock, partition.sms_clock)),
            encode(outbox),
            encode(progress),
            encode(handover),
            len(reached),
            *offsets,
            len(states) // 2,
            *states,
            *forgotten,
        ]
        keys = self._keys(partition.number)
        try:
            version = await self._answered(lambda: self._apply(keys=keys, args=arguments))
        except ResponseError as error:
            if str(error).startswith("PARTIAL"):
                metrics.CHECKPOINT_FAILURES.labels("partial").inc()
                kept, counted = map(int, str(error).split()[1:3])
                raise _partial(partition.number, kept, counted) from None
            if "STALE" not in str(error):
                raise
            metrics.CHECKPOINT_FAILURES.labels("stale").inc()
            raise StaleCheckpointError(
                f"Redis refused the checkpoint of partition {partition.number} "
                f"({str(error).removeprefix('STALE ')}): another worker has taken the partition over, or Redis has "
                "lost its last writes. The worker stops; after a restart it continues from the state in Redis."
            ) from None
        state.note_write(Stored(version, mark, reached, outbox, progress, handover, logs))
        metrics.CHECKPOINT_SECONDS.observe(perf_counter() - began)
        metrics.CHECKPOINT_BYTES.inc(sum(map(len, states)))

    async def is_new_refusal(self, topic: str, partition: int, offset: int) -> bool:
        """Whether a bad record of a compacted topic has not been noted yet; every worker reads it at every start."""
        key = self._refusals_key
        return not await self._answered(lambda: self._redis.sismember(key, f"{topic}:{partition}:{offset}"))

    async def note_refusal(self, topic: str, partition: int, offset: int) -> None:
        """Note that a bad record of a compacted topic has its dead letter."""
        key = self._refusals_key
        await self._answered(lambda: self._redis.sadd(key, f"{topic}:{partition}:{offset}"))

    @property
    def _refusals_key(self) -> str:
        return f"forewarn:{self._settings.topic_prefix}{self._settings.group}:refused"

    async def check_secret(self) -> None:
        """Raise `OtherSecretError` if the site's other programs have used another secret."""
        await check_secret(self._redis, self._settings)

    async def check_memory(self) -> None:
        """Raise `EvictionError` if a server drops keys when its memory is full. An ACL may forbid to ask for that."""
        try:
            sections = await self._answered(lambda: self._redis.infos("memory"))
        except (ResponseError, RedisRefusedError) as error:
            log.warning(
                "Redis does not say whether it may drop state", redis=self._settings.redis_shown, error=str(error)
            )
            return
        for memory in sections:
            if said := eviction(memory):
                raise EvictionError(f"Redis at {self._settings.redis_shown} {said}. Then start the worker again.")

    async def memory(self) -> list[dict[str, Any]]:
        """The section ``memory`` of INFO of each server, asked once. Raises one of `streams.redis.answers.FAILURES`."""
        return await self._redis.infos("memory")

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    def _answered(self, ask: Callable[[], Awaitable[T]]) -> Awaitable[T]:
        """The answer of Redis; repeats the call until Redis answers."""
        return answered(ask, self._settings)

    @staticmethod
    def _asked(call: Any) -> Awaitable[Any]:
        """The call as an awaitable: redis-py declares its answer for every way of decoding, and here it is bytes."""
        asked: Awaitable[Any] = call
        return asked


def _partial(number: int, kept: int, counted: int | None) -> MissingStateError:
    return MissingStateError(
        f"Redis holds {kept:,} of the {counted:,} subjects of partition {number}: a part of the state is gone, for "
        "example by eviction or because a backup was restored in part. Restore a snapshot of the partition (forewarn "
        f"state restore), or delete the rest with `forewarn state drop --partition {number}`: it is then derived again "
        "from what Kafka still keeps, and only new alerts are published."
    )
