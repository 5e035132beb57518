"""The hunter's service: what became known looks back, what was recorded is looked through, over and over.

Every segment says how far the indicators were known when its records were scored. So a contact is found either by the
worker, which knew, or here, because its segment did not: there is no gap between looking back and looking forward, and
no clock decides where one ends.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from time import perf_counter

import msgspec
import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from models.codes import code_of
from models.policy import Policy
from models.signals import SignalRecord
from streams import health, metrics, policy_file
from streams.hunter.indicator_log import IndicatorLog
from streams.hunter.search import Search, grouped
from streams.hunter.segment_index import Frontier, SegmentIndex, plan
from streams.hunter.signal_topic import SignalTopic
from streams.ledger.place import Place, Segment
from streams.settings import Settings

log = structlog.get_logger(__name__)

LOOK_EVERY = 0.25
"""Seconds that are waited for a new indicator before the ledger is looked at again."""


class HunterError(Exception):
    """The hunter cannot run; one sentence with what and what to do."""


class Found(msgspec.Struct, frozen=True, array_like=True):
    """Somebody found lately: until a worker has read the signals, what happens around the contacts may pass it by."""

    partition: int
    offset: int
    """Of the last of the signals."""
    times: list[int]
    """Of the contacts."""


class Memory(msgspec.Struct, frozen=True):
    """What a hunter hands on to the next one."""

    frontier: Frontier = Frontier()
    found: dict[int, Found] = {}
    """By subscriber (code)."""


_memory = msgspec.msgpack.Decoder(Memory)


class Hunter:
    """Looks back for one group. Its memory is in Redis; what is lost of it is looked for again, to the same effect."""

    def __init__(self, settings: Settings, policy: Policy, place: Place, known: IndicatorLog, out: SignalTopic) -> None:
        self._index = SegmentIndex(place)
        self._search = Search(place, self._index, known.indicators, policy.windows)
        self._known = known
        self._out = out
        self._redis: redis.Redis = redis.Redis.from_url(settings.redis, socket_timeout=5, **settings.redis_options())
        self._key = f"forewarn:{settings.topic_prefix}{settings.group}:hunter"
        self.frontier = Frontier()
        self._found: dict[int, Found] = {}

    async def load(self) -> None:
        """Take up where the hunter before this one has ended."""
        stored = await self._patiently(self._redis.get, self._key)
        if stored is not None:
            memory = _memory.decode(stored)
            self.frontier, self._found = memory.frontier, memory.found
        self._known.looked_back = self.frontier.indicators

    async def turn(self) -> int:
        """Look through all that has not been looked through for all that is known; how many signals went out.

        Raises `LedgerError` when the ledger cannot be reached, `PublishError` when Kafka refuses.
        """
        segments = await asyncio.to_thread(self._index.refresh)
        recorded = [segment for segment in segments if not self.frontier.has(segment)]
        if not recorded and self._known.reached == self.frontier.indicators:
            return 0
        began = perf_counter()
        todo = plan(segments, self._index.known, self.frontier, self._known.missed)
        contacts: list[SignalRecord] = []
        for keys, some in todo.items():
            contacts += await asyncio.to_thread(self._search.contacts, keys, some)
        count = await self._publish(contacts, segments, recorded)
        self.frontier = self.frontier.beyond(segments, self._known.reached)
        await self._patiently(self._redis.set, self._key, msgspec.msgpack.encode(Memory(self.frontier, self._found)))
        if count:
            metrics.HUNT_SIGNALS.inc(count)
            metrics.HUNT_SECONDS.observe(perf_counter() - began)
            log.info("looked back", signals=count, people=len({each.subscriber for each in contacts}))
        return count

    async def _publish(
        self, contacts: Sequence[SignalRecord], segments: Sequence[Segment], recorded: Sequence[Segment]
    ) -> int:
        """Send the contacts with what happened around them, and what happened lately around those found before."""
        moments: dict[int, list[int]] = {}
        for record in contacts:
            if record.status == "raised":
                moments.setdefault(code_of(record.subscriber), []).append(record.at)
        context = await asyncio.to_thread(self._search.context, moments, segments) if moments else []
        late = {code: found.times for code, found in self._found.items()}
        more = await asyncio.to_thread(self._search.context, late, recorded) if late and recorded else []
        self._let_go(recorded)
        records = {record.id: record for record in (*context, *more)}
        sent = await self._out.publish(grouped(contacts, [*records.values()]))
        for code, times in moments.items():
            before = self._found[code].times if code in self._found else []
            self._found[code] = Found(*sent[code], [*before, *times])
        return len(contacts) + len(records)

    def _let_go(self, recorded: Sequence[Segment]) -> None:
        """Forget people whose signals had been read when the last of what is recorded now was scored."""
        read: dict[int, int] = {}
        for segment in recorded:
            read[segment.partition] = max(read.get(segment.partition, 0), self._index.known(segment).signals)
        for code, found in list(self._found.items()):
            if read.get(found.partition, 0) > found.offset:
                del self._found[code]

    async def _patiently(self, ask: object, *arguments: object) -> bytes | None:
        wait = 0.1
        while True:
            try:
                answer: bytes | None = await ask(*arguments)  # type: ignore[operator]
                return answer
            except (RedisError, OSError) as error:
                log.warning("waiting for Redis", error=type(error).__name__)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 2.0)

    async def close(self) -> None:
        """Close the connection to Redis."""
        await self._redis.aclose()


async def run(settings: Settings) -> None:
    """Run the hunter until SIGTERM or SIGINT; raises the error that ended it otherwise."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if not settings.ledger:
        raise HunterError("There is no ledger to look back in: FOREWARN_LEDGER is empty.")
    policy = policy_file.load(settings.policy_file)
    progress = health.Progress(settings.stall_seconds)
    metrics.READY.labels("indicators").set(0)
    server = None
    if settings.hunter_http is not None:
        try:
            server = health.HealthServer(health.pages(progress, health.parts), settings.hunter_http)
        except OSError as error:
            raise HunterError(
                f"The address {settings.hunter_http} for metrics is taken ({error.strerror}): set "
                "FOREWARN_HUNTER_HTTP to another."
            ) from None
    try:
        working = asyncio.create_task(_work(settings, policy, progress))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            log.info("stopping")
            working.cancel()
        stopping.cancel()
        await asyncio.gather(working, return_exceptions=stop.is_set())
    finally:
        if server is not None:
            server.close()


async def _work(settings: Settings, policy: Policy, progress: health.Progress) -> None:
    place = Place(settings)
    async with SignalTopic(settings) as out, IndicatorLog(settings) as known:
        hunter = Hunter(settings, policy, place, known, out)
        try:
            await hunter.load()
            await known.catch_up()
            log.info("indicators are in memory", indicators=len(known.indicators))
            metrics.READY.labels("indicators").set(1)
            while True:
                await hunter.turn()
                progress.tell({}, 0)
                await known.wait(LOOK_EVERY)
        finally:
            await hunter.close()
