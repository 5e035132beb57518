"""The hunter's service: in each turn it looks back for new indicators and looks through new segments.

Every segment states up to which offsets the indicators were known when its records were scored. If the worker knew an
indicator, the worker found the contact. If not, the hunter finds it here, because the segment says so. So there is no
gap between looking back and looking forward, and no clock decides where one ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter

import structlog

from models.detection.ids import Ids
from models.detection.signals import SignalRecord
from models.lookback.hunting import Hit, grouped, moments_of
from models.lookback.planner import Planner
from models.policy.policy import Policy
from streams import health, metrics
from streams.files import policy_file
from streams.hunter.campaign_topic import CampaignTopic
from streams.hunter.indicator_log import IndicatorLog
from streams.hunter.memory import Found, Memory
from streams.hunter.memory_store import MemoryFormatError, MemoryStore, TakenOverError
from streams.hunter.pivoting import Pivoting
from streams.hunter.search import SegmentLedger
from streams.hunter.segment_index import Frontier, SegmentIndex, plan
from streams.hunter.sightings import Busy, sightings
from streams.hunter.signal_topic import SignalTopic
from streams.hunter.spreading import Spreading
from streams.hunter.suspecting import Suspecting
from streams.ledger.storage import Segment, Storage
from streams.redis.client import Redis
from streams.redis.site_secret import check_secret
from streams.service import serve
from streams.settings import Settings

log = structlog.get_logger(__name__)

SPREADS_FOR = timedelta(days=2)
"""Older segments are not searched for campaigns, so a hunter that is new to a large ledger need not read all of it."""

LOOK_EVERY = 0.25
"""Seconds to wait for a new indicator before the ledger is checked again."""


class HunterError(Exception):
    """The hunter cannot run; the message says in one sentence what is wrong and what to do."""


class Hunter:
    """Looks back for one group.

    Its memory is in Redis. If memory is lost, the hunter repeats the look-backs, to the same effect.
    """

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        storage: Storage,
        known: IndicatorLog,
        out: SignalTopic,
        campaigns: CampaignTopic,
    ) -> None:
        self._settings = settings
        self._index = SegmentIndex(storage)
        self._planner = Planner(known.indicators, known.pivot, policy, Ids(settings.derived_key("ids")))
        self._known = known
        self._out = out
        self._storage = storage
        self._campaigns = campaigns
        self._redis = Redis(settings)
        self._memory = MemoryStore(settings, self._redis)
        self._spreading = Spreading(settings, self._redis, known.indicators)
        self._pivoting = Pivoting(settings, self._redis, known, self._planner)
        self._suspecting = Suspecting(settings, storage, known, self._planner)
        self._busy = Busy()
        self.frontier = Frontier()
        self._found: dict[int, Found] = {}

    async def load(self) -> None:
        """Continue where the previous hunter ended; one that still runs ends when it next has something to publish.

        Raises `HunterError` when the memory cannot be read, and `OtherSecretError` for another site's secret.
        """
        await check_secret(self._redis, self._settings)
        try:
            memory = await self._memory.load()
        except MemoryFormatError as error:
            raise HunterError(str(error)) from None
        self.frontier, self._found = memory.frontier, dict(memory.found)
        self._known.looked_back = self.frontier.indicators

    def follow(self, policy: Policy) -> None:
        """Use another policy from now on; the planner holds the only copy."""
        self._planner.policy = policy

    async def turn(self) -> int:
        """Search every segment for the known indicators that it was not yet searched for; return the signals sent.

        Raises `LedgerError` when the ledger cannot be reached, `PublishError` or `TopicError` when Kafka refuses, and
        `TakenOverError` when another hunter has been started.
        """
        segments = await asyncio.to_thread(self._index.refresh)
        recorded = [segment for segment in segments if not self.frontier.has(segment)]
        if recorded:
            await self._known.catch_up()  # the hunter must know all that the worker knew when it scored these segments
        reached = dict(self._known.reached)  # the turn may publish more indicators; the next turn looks for those
        if not recorded and reached == self.frontier.indicators:
            return 0
        began = perf_counter()
        todo = plan(segments, self._index.known, self.frontier, self._known.missed)
        hits: list[Hit] = []
        for keys, some in todo.items():
            hits += await asyncio.to_thread(self._reached, keys, some)
        contacts = [record for _, record in hits]
        count = await self._publish(contacts, segments, recorded)
        if reached != self.frontier.indicators:
            await self._pivoting.follow_origins()
        await self._pivoting.look_back(hits)
        if recorded:
            await self._look_through(recorded, segments)
        self.frontier = self.frontier.beyond(segments, reached)
        await self._memory.save(Memory(self.frontier, self._found))
        if count:
            metrics.HUNT_SIGNALS.inc(count)
            metrics.HUNT_SECONDS.observe(perf_counter() - began)
            log.info("looked back", signals=count, people=len({each.subscriber for each in contacts}))
        return count

    async def _publish(
        self, contacts: Sequence[SignalRecord], segments: Sequence[Segment], recorded: Sequence[Segment]
    ) -> int:
        """Send the contacts with the events around them, and new events around the contacts found before."""
        moments = moments_of(contacts)
        late = {code: found.times for code, found in self._found.items()}
        context = await asyncio.to_thread(self._context, moments, segments)
        more = await asyncio.to_thread(self._context, late, recorded)
        self._let_go(recorded)
        records = {record.id: record for record in (*context, *more)}
        await self._memory.check()  # the look-back may have taken minutes
        sent = await self._out.publish(grouped(contacts, [*records.values()]))
        for code, times in moments.items():
            before = self._found[code].times if code in self._found else []
            self._found[code] = Found(*sent[code], [*before, *times])
        return len(contacts) + len(records)

    def _reached(self, indicators: Iterable[str], segments: Sequence[Segment]) -> list[Hit]:
        return self._planner.contacts(indicators).put_to(self._ledger(segments))

    def _context(self, moments: Mapping[int, Sequence[int]], segments: Sequence[Segment]) -> list[SignalRecord]:
        return self._planner.context(moments).put_to(self._ledger(segments))

    def _ledger(self, segments: Sequence[Segment]) -> SegmentLedger:
        return SegmentLedger(self._storage, self._index, segments)

    async def _look_through(self, recorded: Sequence[Segment], segments: Sequence[Segment]) -> None:
        """Publish campaigns, numbers that send known domains, and numbers that call like a gang.

        Repeating it changes nothing.
        """
        today = datetime.now(UTC).date()
        fresh = [each for each in recorded if today - each.day <= SPREADS_FOR]
        await self._suspecting.look_through(fresh, self._ledger(segments))
        rules = self._planner.policy.campaigns
        pieces = sightings(self._storage, fresh, self._busy, rules.resembling // 2)
        while (seen := await asyncio.to_thread(next, pieces, None)) is not None:
            await self._campaigns.catch_up()
            told = await self._spreading.take(seen, rules, self._campaigns.said)
            await self._campaigns.publish(told)
            await self._spreading.remember()
            await self._pivoting.look_through(seen)
            for campaign in told:
                metrics.CAMPAIGNS.labels(campaign.type, campaign.status).inc()
                log.info("campaign", type=campaign.type, status=campaign.status, people=campaign.subscribers)

    def _let_go(self, recorded: Sequence[Segment]) -> None:
        """Forget the people whose signals the worker had read before it scored the last of the new segments."""
        read: dict[int, int] = {}
        for segment in recorded:
            read[segment.partition] = max(read.get(segment.partition, 0), self._index.known(segment).signals)
        for code, found in list(self._found.items()):
            if read.get(found.partition, 0) > found.offset:
                del self._found[code]

    async def close(self) -> None:
        """Close the connection to Redis."""
        await self._redis.aclose()


async def run(settings: Settings) -> None:
    """Run the hunter until SIGTERM or SIGINT. Raises the error that ended it otherwise."""
    if not settings.ledger:
        raise HunterError("There is no ledger to look back in: FOREWARN_LEDGER is empty.")
    settings.site_secret()  # without one it refuses before it connects
    policy = policy_file.load(settings.policy_file)
    for part in ("kafka", "redis", "indicators"):
        metrics.READY.labels(part).set(0)
    progress = health.Progress(settings.stall_seconds)
    variable = "FOREWARN_HUNTER_HTTP"
    await serve(settings.hunter_http, variable, progress, lambda stop: _work(settings, policy, progress, stop))


async def _work(settings: Settings, policy: Policy, progress: health.Progress, stop: asyncio.Event) -> None:
    """Hunt until told to stop, then stop at once: an interrupted turn is repeated later, to the same effect."""
    ticking = asyncio.create_task(_tick(progress))
    hunting = asyncio.create_task(_hunt(settings, policy))
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({hunting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if hunting.done():
            hunting.result()
    except TakenOverError as error:
        raise HunterError(str(error)) from None
    finally:
        for task in (hunting, stopped, ticking):
            task.cancel()
        await asyncio.gather(hunting, stopped, ticking, return_exceptions=True)


async def _hunt(settings: Settings, policy: Policy) -> None:
    async with SignalTopic(settings) as out, IndicatorLog(settings) as known, CampaignTopic(settings) as campaigns:
        hunter = Hunter(settings, policy, Storage(settings), known, out, campaigns)
        watching = asyncio.create_task(policy_file.watch(settings.policy_file, policy, hunter.follow))
        try:
            await hunter.load()
            await known.catch_up()
            log.info("indicators are in memory", indicators=len(known.indicators))
            metrics.READY.labels("indicators").set(1)
            while True:
                await hunter.turn()
                await known.wait(LOOK_EVERY)
        finally:
            watching.cancel()
            await hunter.close()


async def _tick(progress: health.Progress) -> None:
    """Report progress every second while the event loop runs; a look-back may take minutes, in threads."""
    while True:
        progress.tell({}, 0)
        await asyncio.sleep(1.0)
