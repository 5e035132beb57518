"""Spreading: counts hour by hour how many people each domain and busy number reaches, and decides on campaigns.

Redis counts people by HyperLogLog (0.8 % of error), so counting a person twice changes nothing. If Redis loses a count,
it starts again from zero: a campaign is then seen later, but no person is missed, because the ledger has them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
import numpy as np

from models.base.durations import HOUR
from models.indicators.matching import Indicators
from models.lookback.campaigns import Campaign, Spread, Status, campaign, is_ordinary, judged
from models.lookback.lookalikes import resembled
from models.policy.policy import CampaignRules
from streams.hunter.sightings import Sightings, parts_of
from streams.redis.answers import answered
from streams.redis.client import Redis
from streams.settings import Settings

KEPT_S = 30 * 24 * 3600
"""Seconds for which a domain or number is remembered."""
COUNTED_S = 48 * 3600
"""Seconds for which the count of a part of an hour is kept."""
PARTS = 6
"""Parts of an hour that are counted separately; an hour is one part and the five before it."""
STEPS = 10
"""Checks of a count before it may be enough for a campaign, so that a campaign is seen within a tenth more people."""
GROWTH = 2
"""The factor by which a campaign must grow before it is published again."""


class About(msgspec.Struct, array_like=True):
    """The stored state of a domain or number."""

    first: int
    began: int = -1
    """First contact of its campaign; -1 when there is no campaign."""
    status: str = ""
    told: int = 0
    """The number of people in the campaign's last published record."""
    newest: int = -1
    """The newest part of an hour in which it was seen."""


_about = msgspec.msgpack.Decoder(About)


def _first(seen: Sightings) -> int:
    """The first sighting; skips times over `KEPT_S` before the median, since one wrong clock would make it look old."""
    middle = int(seen.times[len(seen) // 2])
    return int(seen.times[int(np.searchsorted(seen.times, middle - KEPT_S * 1000))])


class _Step(NamedTuple):
    """A few sightings from one part of an hour, which are counted before the next step."""

    seen: Sightings
    about: About
    part: int
    upto: int
    """The last part of the hour for which people are counted."""
    begin: int
    end: int


def _hour_of(about: About, part: int) -> int:
    """The last part of the hour to judge when something was seen in ``part``.

    Partitions are recorded one after the other, so late sightings are counted together with those already known from
    the time after them.
    """
    about.newest = max(about.newest, part)
    return about.newest if about.newest < part + PARTS else part


_COUNTS = 4
"""Counts of a step: people in the hour; people, events and senders in total."""
_COMMANDS = 3 * _COUNTS
_AT_ONCE = 1000
"""Steps in one request to Redis."""


def _judged(step: _Step, spread: Spread, rules: CampaignRules, word: Status | None) -> Campaign | None:
    """The campaign to publish for a spread after a step, or None; ``word`` is its last published status."""
    about = step.about
    if word == "dismissed":
        return None
    if about.began < 0:
        if judged(spread, rules) is None:
            return None
        about.began = about.first
    status: Status = "confirmed" if spread.scam_type is not None or word == "confirmed" else "suspected"
    if status == about.status and spread.subscribers < GROWTH * about.told:
        return None
    about.status, about.told = status, spread.subscribers
    return campaign(spread, status, about.began, *step.seen.template(step.end))


class Spreading:
    """Counts sightings and derives the campaigns to publish."""

    def __init__(self, settings: Settings, client: Redis, indicators: Indicators) -> None:
        self._settings = settings
        self._redis = client
        self._indicators = indicators
        self._prefix = f"forewarn:{settings.topic_prefix}{settings.group}:spread"
        self._abouts: dict[str, About] = {}
        """The state to store once its records are published."""

    async def take(self, seen: Sequence[Sightings], rules: CampaignRules, said: Mapping[str, Status]) -> list[Campaign]:
        """Count sightings and return the records to publish; call `remember` once they are published.

        ``said``: the last status of each campaign on its topic, by ``type:value``.
        """
        some = [each for each in seen if not is_ordinary(each.type, each.value, rules)]
        self._abouts = await self._known_about(some)
        size = max(1, rules.resembling // STEPS)
        steps = [
            _Step(each, about, part, _hour_of(about, part), begin, min(begin + size, rows.stop))
            for each in some
            for about in (self._abouts[each.key],)
            for part, rows in parts_of(each, HOUR // PARTS)
            for begin in range(rows.start, rows.stop, size)
        ]
        told: list[Campaign] = []
        for step, spread in await self._counted(steps):
            record = _judged(step, spread, rules, said.get(step.seen.key))
            if record is not None:
                told.append(record)
        return told

    async def _known_about(self, some: Sequence[Sightings]) -> dict[str, About]:
        """The stored state of each domain and number, updated with the new sightings."""
        if not some:
            return {}
        keys = [f"{self._prefix}:{each.key}" for each in some]
        stored = await self._asked(lambda pipe: [pipe.get(key) for key in keys])
        abouts = {}
        for each, value in zip(some, stored, strict=True):
            first = _first(each)
            about = abouts[each.key] = About(first) if value is None else _about.decode(value)
            about.first = min(about.first, first)
        return abouts

    async def _counted(self, steps: Sequence[_Step]) -> list[tuple[_Step, Spread]]:
        """Count all steps; return each with its spread."""
        spreads = []
        for first in range(0, len(steps), _AT_ONCE):
            some = steps[first : first + _AT_ONCE]
            answers = await self._asked(partial(self._count_all, some))
            for index, step in enumerate(some):
                counts = answers[index * _COMMANDS + _COUNTS : index * _COMMANDS + 2 * _COUNTS]
                spreads.append((step, self._spread(step, *counts)))
        return spreads

    async def _asked(self, fill: Callable[[Any], object]) -> list[Any]:
        """Redis's answers to many commands, retried until it answers."""
        return await answered(lambda: self._redis.answers(fill), self._settings)

    def _count_all(self, steps: Sequence[_Step], pipe: Any) -> None:
        for step in steps:
            self._count(pipe, step)

    def _count(self, pipe: Any, step: _Step) -> None:
        """Count a step's sightings; counting one again changes nothing."""
        seen, rows = step.seen, slice(step.begin, step.end)
        name = f"{self._prefix}:{seen.key}"
        hours = f"{{{name}}}"  # counts that are put together must lie on one server of a cluster
        people = seen.subscribers[rows].tolist()
        events = [f"{whose} {event}" for whose, event in zip(people, seen.events[rows], strict=True)]
        counted = (
            (f"{hours}:{step.part}", people),
            (f"{name}:people", people),
            (f"{name}:events", events),
            (f"{name}:senders", set(seen.senders[rows].tolist())),
        )
        for key, members in counted:
            pipe.pfadd(key, *members)
        # redis-py refuses `pipe.pfcount` on a cluster, because its keys may lie apart; here they do not.
        pipe.execute_command("PFCOUNT", *(f"{hours}:{step.upto - earlier}" for earlier in range(PARTS)))
        for key, _ in counted[1:]:
            pipe.execute_command("PFCOUNT", key)
        for key, _ in counted:
            pipe.expire(key, COUNTED_S if key is counted[0][0] else KEPT_S)

    def _spread(self, step: _Step, recipients: int, people: int, events: int, senders: int) -> Spread:
        seen, at = step.seen, int(step.seen.times[step.end - 1])
        return Spread(
            type=seen.type,
            value=seen.value,
            recipients=recipients,
            subscribers=people,
            events=events,
            senders=senders,
            first_seen=step.about.first,
            last_seen=at,
            scam_type=self._scam_type(seen, at),
            resembles=resembled(seen.value) if seen.type == "domain" else "",
        )

    def _scam_type(self, seen: Sightings, at: int) -> str | None:
        """The scam type of the domain's or number's indicator at this time; None when it is not known."""
        match = (
            self._indicators.number(seen.value, at) if seen.type == "number" else self._indicators.host(seen.value, at)
        )
        return None if match is None else match.known.scam_type

    async def remember(self) -> None:
        """Store the state of the sightings that were taken last."""
        if not self._abouts:
            return
        stored = {f"{self._prefix}:{key}": msgspec.msgpack.encode(about) for key, about in self._abouts.items()}
        await self._asked(lambda pipe: [pipe.set(key, value, ex=KEPT_S) for key, value in stored.items()])
        self._abouts = {}
