"""Waiting: for how long the events of one topic of a partition wait for the other, and which topic is read no further.

`models.detection.alignment` orders what is here; whether more will come is a question for the broker.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Final, Literal

import structlog

from streams.worker.partition import Assigned, Source

log = structlog.get_logger(__name__)

LONGEST_WAIT = 2.0
"""Seconds that one topic's events wait for another topic in silence; then its leader is asked why it gives nothing."""

SKEW_MS = 1000
"""Event time by which one topic may be ahead of another that seems to be at its end, before the broker is asked."""

MOST_WAITING = 3
"""Batches of a topic partition that wait for the other topic before no more of it are read."""

EventTopic = Literal["calls", "sms"]
_OTHER: Final[dict[EventTopic, EventTopic]] = {"calls": "sms", "sms": "calls"}


async def at_end(assigned: Assigned, source: Source | None) -> dict[str, bool]:
    """Whether each of the two topics has nothing more to give."""
    clocks = {"calls": assigned.alignment.calls.clock.at, "sms": assigned.alignment.sms.clock.at}
    return {
        role: source is None or await _is_at_end(assigned, source, role, clocks[other] - clocks[role])
        for role, other in _OTHER.items()
    }


async def _is_at_end(assigned: Assigned, source: Source, role: EventTopic, behind: int) -> bool:
    """Whether a topic has nothing more to give; ``behind``: event time (ms) that the other one is ahead of it."""
    feed = assigned.feeds[role]
    number = assigned.held.partition.number
    silent = not feed.held_back and perf_counter() - max(feed.heard, assigned.moved) > LONGEST_WAIT
    if not silent:
        end = source.end_offset(feed.topic, number)
        if end is None or feed.upto < end:
            return False
        if behind <= SKEW_MS:
            return True
    # What was fetched last may be older than what the other topic has brought since.
    end = await source.end_offset_now(feed.topic, number)
    if end is not None:
        feed.heard = perf_counter()
        return feed.upto >= end
    # Nothing more will come for some time. An alert is worth more than an order, if it can be published at all: in
    # an outage of all of Kafka, which the other topic's silence shows, there is only the order to lose.
    gone = silent and await source.end_offset_now(assigned.feeds[_OTHER[role]].topic, number) is not None
    if gone:
        log.warning(
            "a topic's leader does not answer: the other topic goes on alone", topic=feed.topic, partition=number
        )
    return gone


def hold_back(assigned: Assigned, source: Source | None, horizons: Mapping[str, float]) -> None:
    """Have no more read of a topic that is too far ahead of the other; ``horizons``: how far each has been read."""
    least = min(horizons.values())
    for role, lane in (("calls", assigned.alignment.calls), ("sms", assigned.alignment.sms)):
        feed = assigned.feeds[role]  # type: ignore[index]
        held = len(lane) >= MOST_WAITING and horizons[role] > least
        if source is not None and feed.held_back != held:
            feed.held_back, feed.heard = held, perf_counter()
            source.hold_back(feed.topic, assigned.held.partition.number, held)
