"""Pivoting: counts how many people a number has sent known domains to, and publishes the numbers that are fraudulent.

Redis counts the people by HyperLogLog, in one count for look-backs and new segments. Counting a person twice changes
nothing. If Redis loses a count, it starts again from zero. Only the indicators topic remembers the derived numbers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import structlog

from models.indicators.indicator import Indicator
from models.lookback.hunting import Hit
from models.lookback.planner import Planner
from models.lookback.recipients import Counting, LinkedSms, Pair, Sending, recipients
from streams import metrics
from streams.hunter.indicator_log import IndicatorLog
from streams.hunter.sightings import Sightings
from streams.hunter.spreading import KEPT_S
from streams.kafka.indicator_topic import publish
from streams.redis.answers import answered
from streams.redis.client import Redis
from streams.settings import Settings

log = structlog.get_logger(__name__)

_AT_ONCE = 1000
"""Pairs of origin and sender in one request to Redis."""


class RedisRecipients:
    """Counts people by HyperLogLog in Redis and retries until it answers; see `models.lookback.recipients.Counting`."""

    def __init__(self, settings: Settings, client: Redis) -> None:
        self._settings = settings
        self._redis = client
        self._prefix = f"forewarn:{settings.topic_prefix}{settings.group}:pivot"

    async def add(self, sendings: Iterable[Sending]) -> dict[Pair, int]:
        """See `Counting`."""
        counts: dict[Pair, int] = {}
        reached = [*recipients(sendings).items()]
        for first in range(0, len(reached), _AT_ONCE):
            counts |= await answered(partial(self._counted, reached[first : first + _AT_ONCE]), self._settings)
        return counts

    async def _counted(self, reached: Sequence[tuple[Pair, set[int]]]) -> dict[Pair, int]:
        def fill(pipe: Any) -> None:
            for (origin, sender), people in reached:
                key = f"{self._prefix}:{origin}:{sender}"
                pipe.pfadd(key, *people)
                pipe.expire(key, KEPT_S)
                pipe.execute_command("PFCOUNT", key)  # on a cluster redis-py refuses `pipe.pfcount`

        answers: list[int] = await self._redis.answers(fill)
        return {pair: count for (pair, _), count in zip(reached, answers[2::3], strict=True)}


class Pivoting:
    """Derives numbers from known domains and revokes them.

    When a method returns, everything it published is confirmed and in the indicator log. Each method raises
    `TopicError` when Kafka refuses; called again, it publishes what is still due.
    """

    def __init__(self, settings: Settings, client: Redis, known: IndicatorLog, planner: Planner) -> None:
        self._settings = settings
        self._known = known
        self._planner = planner
        self._recipients: Counting[Awaitable[dict[Pair, int]]] = RedisRecipients(settings, client)

    async def look_back(self, hits: Iterable[Hit]) -> None:
        """Count the people whom a look-back has found."""
        await self._take(self._planner.sendings_found(hits))

    async def look_through(self, seen: Sequence[Sightings]) -> None:
        """Count the recipients of already known domains in new segments; every other domain costs one look-up."""
        concerned = [each for each in seen if each.type == "domain" and self._known.pivot.concerns(each.value)]
        if concerned:
            await self._take(await asyncio.to_thread(self._planner.sendings_seen, _messages(concerned)))

    async def follow_origins(self) -> None:
        """Revoke the numbers whose origins are no longer known, and update the others to match their origins."""
        await self._publish(self._planner.outdated())

    async def _take(self, sendings: Sequence[Sending]) -> None:
        await self._publish(self._planner.derived(sendings, await self._recipients.add(sendings)))

    async def _publish(self, indicators: Sequence[Indicator]) -> None:
        if not indicators:
            return
        await publish(self._settings, indicators)
        await self._known.catch_up()
        revoked = sum(each.revoked for each in indicators)
        metrics.PIVOTS.labels("derived").inc(len(indicators) - revoked)
        metrics.PIVOTS.labels("revoked").inc(revoked)
        log.info("pivoted", derived=len(indicators) - revoked, revoked=revoked)


def _messages(seen: Iterable[Sightings]) -> Iterator[LinkedSms]:
    for each in seen:
        columns = (each.senders.tolist(), each.subscribers.tolist(), each.times.tolist())
        for (links, paths), sender, subscriber, at in zip(each.links(), *columns, strict=True):
            yield LinkedSms(links, paths, sender, subscriber, at)
