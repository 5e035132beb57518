"""Pivoting: counts to how many people numbers have sent known domains, and publishes those that are fraud numbers.

People are counted in Redis by HyperLogLog, those whom a look back finds and those of new segments in one count, so that
counting somebody again changes nothing. What is lost of it is counted anew from then on. What was derived is
remembered by the topic of the indicators alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import structlog

from models.indicators.indicator import Indicator
from models.lookback.hunting import match_of_links
from models.lookback.pivoting import Pair, Sending, recipients, sending_of
from models.policy.policy import Policy
from streams import metrics
from streams.hunter.indicator_log import IndicatorLog
from streams.hunter.search import Hit
from streams.hunter.sightings import Sightings
from streams.hunter.spreading import KEPT_S
from streams.kafka.clients import answered
from streams.kafka.indicator_topic import publish
from streams.settings import Settings

log = structlog.get_logger(__name__)

_AT_ONCE = 1000
"""Senders that Redis is asked about at once."""


class Pivoting:
    """Derives numbers, and lets them go. All that it publishes is confirmed, and known to the log, when it returns.

    Each method raises `TopicError` when Kafka refuses; done again, it publishes what is still due.
    """

    def __init__(self, settings: Settings, client: Any, known: IndicatorLog, policy: Policy) -> None:
        self._settings = settings
        self._redis = client
        self._known = known
        self._prefix = f"forewarn:{settings.topic_prefix}{settings.group}:pivot"
        self.policy = policy

    async def look_back(self, hits: Iterable[Hit]) -> None:
        """Count whom a look back has found."""
        await self._take([sending for hit in hits if (sending := sending_of(*hit)) is not None])

    async def look_through(self, seen: Sequence[Sightings]) -> None:
        """Count to whom new segments have brought what was known already; all other domains cost one look-up."""
        concerned = [each for each in seen if each.type == "domain" and self._known.pivot.concerns(each.value)]
        if concerned:
            await self._take(await asyncio.to_thread(lambda: [*self._sendings(concerned)]))

    async def follow_origins(self) -> None:
        """Revoke the numbers whose origins are known no more, and say of others what their origins say now."""
        await self._publish([*self._known.pivot.outdated(self.policy.pivots)])

    def _sendings(self, seen: Iterable[Sightings]) -> Iterator[Sending]:
        for each in seen:
            rows = zip(each.links(), each.senders.tolist(), each.subscribers.tolist(), each.times.tolist(), strict=True)
            for links, sender, subscriber, at in rows:
                found = match_of_links(links, at, self._known.indicators)
                if found is not None:
                    yield Sending(found[1].key, sender, subscriber)

    async def _take(self, sendings: Iterable[Sending]) -> None:
        counts: dict[Pair, int] = {}
        reached = [*recipients(sendings).items()]
        for first in range(0, len(reached), _AT_ONCE):
            counts |= await answered(partial(self._counted, reached[first : first + _AT_ONCE]), self._settings)
        await self._publish(self._known.pivot.due(counts, self.policy.pivots, self.policy.campaigns))

    async def _counted(self, reached: Sequence[tuple[Pair, set[int]]]) -> dict[Pair, int]:
        """Count these people; how many there are in all of each pair."""
        pipe = self._redis.pipeline(transaction=False)
        for (origin, sender), people in reached:
            key = f"{self._prefix}:{origin}:{sender}"
            pipe.pfadd(key, *people)
            pipe.expire(key, KEPT_S)
            pipe.pfcount(key)
        answers: list[int] = await pipe.execute()
        return {pair: count for (pair, _), count in zip(reached, answers[2::3], strict=True)}

    async def _publish(self, indicators: Sequence[Indicator]) -> None:
        if not indicators:
            return
        await publish(self._settings, indicators)
        await self._known.catch_up()
        revoked = sum(each.revoked for each in indicators)
        metrics.PIVOTS.labels("derived").inc(len(indicators) - revoked)
        metrics.PIVOTS.labels("revoked").inc(revoked)
        log.info("pivoted", derived=len(indicators) - revoked, revoked=revoked)
