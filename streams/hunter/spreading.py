"""Spreading: how many people each domain and busy number has reached, hour by hour, and what becomes a campaign of it.

People are counted in Redis by HyperLogLog (0.8 % of error), so that counting somebody again changes nothing. What is
lost of it is counted anew from then on: a campaign is seen later, no person is missed, for the ledger has them all.
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
from streams.kafka.clients import answered
from streams.settings import Settings

KEPT_S = 30 * 24 * 3600
"""Seconds for which it is remembered that something was seen."""
COUNTED_S = 48 * 3600
"""Seconds for which the count of a part of an hour is kept."""
PARTS = 6
"""Parts of an hour that are counted apart: an hour is one of them and the five before it."""
STEPS = 10
"""Looks at a count until it may be enough for a campaign, so that it is seen within a tenth more people."""
GROWTH = 2
"""By what factor a campaign has grown when it is told of again."""


class About(msgspec.Struct, array_like=True):
    """What is remembered of a domain or number."""

    first: int
    began: int = -1
    """First contact of its campaign; -1: there is none."""
    status: str = ""
    told: int = 0
    """How many people the last record of the campaign said."""
    newest: int = -1
    """The newest part of an hour in which it was seen."""


_about = msgspec.msgpack.Decoder(About)


def _first(seen: Sightings) -> int:
    """When it was first seen, but for clocks wrong by more than is remembered: one would make it look old."""
    middle = int(seen.times[len(seen) // 2])
    return int(seen.times[int(np.searchsorted(seen.times, middle - KEPT_S * 1000))])


class _Step(NamedTuple):
    """A few sightings of one part of an hour, which are counted before the next ones."""

    seen: Sightings
    about: About
    part: int
    upto: int
    """The part with which the hour ends in which people are counted."""
    begin: int
    end: int


def _hour_of(about: About, part: int) -> int:
    """The part with which the hour ends that is looked at when something was seen in a part.

    Partitions are recorded one after the other: what comes late is counted with what is known of the time after it.
    """
    about.newest = max(about.newest, part)
    return about.newest if about.newest < part + PARTS else part


_COUNTS = 4
"""Counts of a step: people in the hour, people, events and senders in all."""
_COMMANDS = 3 * _COUNTS
_AT_ONCE = 1000
"""Steps that Redis is asked about at once."""


def _judged(step: _Step, spread: Spread, rules: CampaignRules, word: Status | None) -> Campaign | None:
    """What is to be told of a spread after a step, if anything; ``word``: what was said of it last."""
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
    """Counts what is seen and says what it has become."""

    def __init__(self, settings: Settings, client: Any, indicators: Indicators) -> None:
        self._settings = settings
        self._redis = client
        self._indicators = indicators
        self._prefix = f"forewarn:{settings.topic_prefix}{settings.group}:spread"
        self._abouts: dict[str, About] = {}
        """What is to be remembered once its records are published."""

    async def take(self, seen: Sequence[Sightings], rules: CampaignRules, said: Mapping[str, Status]) -> list[Campaign]:
        """Count what was seen; the records to be published, after which `remember` is to be called.

        ``said``: what was last said of campaigns on their topic, by ``type:value``.
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
        """What is remembered of each, with what was seen of it now."""
        if not some:
            return {}
        keys = [f"{self._prefix}:{each.key}" for each in some]
        stored = await answered(lambda: self._redis.mget(keys), self._settings)
        abouts = {}
        for each, value in zip(some, stored, strict=True):
            first = _first(each)
            about = abouts[each.key] = About(first) if value is None else _about.decode(value)
            about.first = min(about.first, first)
        return abouts

    async def _counted(self, steps: Sequence[_Step]) -> list[tuple[_Step, Spread]]:
        """How far each has spread after each step."""
        spreads = []
        for first in range(0, len(steps), _AT_ONCE):
            some = steps[first : first + _AT_ONCE]
            answers = await self._asked(partial(self._count_all, some))
            for index, step in enumerate(some):
                counts = answers[index * _COMMANDS + _COUNTS : index * _COMMANDS + 2 * _COUNTS]
                spreads.append((step, self._spread(step, *counts)))
        return spreads

    async def _asked(self, fill: Callable[[Any], object]) -> list[int]:
        """What Redis answers to many commands, asked again until it does."""

        async def ask() -> list[int]:
            pipe = self._redis.pipeline(transaction=False)
            fill(pipe)
            answers: list[int] = await pipe.execute()
            return answers

        return await answered(ask, self._settings)

    def _count_all(self, steps: Sequence[_Step], pipe: Any) -> None:
        for step in steps:
            self._count(pipe, step)

    def _count(self, pipe: Any, step: _Step) -> None:
        """Count a step's sightings, each once however often it is counted."""
        seen, rows = step.seen, slice(step.begin, step.end)
        name = f"{self._prefix}:{seen.key}"
        people = seen.subscribers[rows].tolist()
        events = [f"{whose} {event}" for whose, event in zip(people, seen.events[rows], strict=True)]
        counted = (
            (f"{name}:{step.part}", people),
            (f"{name}:people", people),
            (f"{name}:events", events),
            (f"{name}:senders", set(seen.senders[rows].tolist())),
        )
        for key, members in counted:
            pipe.pfadd(key, *members)
        pipe.pfcount(*(f"{name}:{step.upto - earlier}" for earlier in range(PARTS)))
        for key, _ in counted[1:]:
            pipe.pfcount(key)
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
        """What is known of it at this moment."""
        match = (
            self._indicators.number(seen.value, at) if seen.type == "number" else self._indicators.host(seen.value, at)
        )
        return None if match is None else match.known.scam_type

    async def remember(self) -> None:
        """Remember what was taken in last."""
        if not self._abouts:
            return
        stored = {f"{self._prefix}:{key}": msgspec.msgpack.encode(about) for key, about in self._abouts.items()}
        await self._asked(lambda pipe: [pipe.set(key, value, ex=KEPT_S) for key, value in stored.items()])
        self._abouts = {}
