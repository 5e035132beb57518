"""Backpressure: how long the events of one topic of a partition wait for the other, and which topic is paused.

`models.detection.alignment` orders the events that are here. Only the broker knows whether more will come.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Final, Literal

import structlog

from models.detection.alignment import Lane
from streams.worker.partition import AssignedPartition

log = structlog.get_logger(__name__)

LONGEST_WAIT = 2.0
"""Seconds that one topic's events wait for a silent topic, before the silent topic's leader is asked for its end."""

SKEW_MS = 1000
"""Event time (ms) by which one topic may be ahead of another that seems to be at its end. Beyond it, that one's leader
is asked for its end."""

MOST_WAITING = 3
"""Waiting batches of a topic partition from which on it is paused, if it is ahead of the other topic."""

EventTopic = Literal["calls", "sms"]
_OTHER: Final[dict[EventTopic, EventTopic]] = {"calls": "sms", "sms": "calls"}


async def at_end(assigned: AssignedPartition) -> dict[str, bool]:
    """Whether each of the two topics has no more records for now."""
    clocks = {"calls": assigned.alignment.calls.clock.at, "sms": assigned.alignment.sms.clock.at}
    return {topic: await _is_at_end(assigned, topic, clocks[other] - clocks[topic]) for topic, other in _OTHER.items()}


async def _is_at_end(assigned: AssignedPartition, name: EventTopic, behind: int) -> bool:
    """Whether a topic has no more records for now; ``behind``: event time (ms) by which it is behind the other one."""
    feed, source = assigned.feeds[name], assigned.source
    silent = not feed.paused and perf_counter() - max(feed.heard, assigned.moved) > LONGEST_WAIT
    if not silent:
        end = source.end_offset(feed.topic, assigned.number)
        if end is None or feed.upto < end:
            return False
        if behind <= SKEW_MS:
            return True
    # The end that the last fetch reported may be older than the events that the other topic has brought since.
    end = await source.end_offset_now(feed.topic, assigned.number)
    if end is None and silent:
        # The leader does not answer, so no more records will come for some time. If the other topic's leader answers,
        # go on without this topic: a timely alert is worth more than the exact order of events. If it does not answer
        # either, all of Kafka is down. No alert can be published then, and going on would only lose the order. Kafka
        # may have come back between the two questions, so the first one is asked again.
        other = assigned.feeds[_OTHER[name]]
        if await source.end_offset_now(other.topic, assigned.number) is not None:
            end = await source.end_offset_now(feed.topic, assigned.number)
            if end is None:
                log.warning(
                    "a topic's leader does not answer; the other topic goes on alone",
                    topic=feed.topic,
                    partition=assigned.number,
                )
                return True
    if end is None:
        return False
    feed.heard = perf_counter()
    return feed.upto >= end


def pause_or_resume(assigned: AssignedPartition, horizons: Mapping[str, float]) -> None:
    """Pause a topic that is too far ahead of the other, and resume it once it is not.

    ``horizons``: the event time (ms) up to which each topic has been read.
    """
    least = min(horizons.values())
    lanes: dict[EventTopic, Lane] = {"calls": assigned.alignment.calls, "sms": assigned.alignment.sms}  # type: ignore[type-arg]
    for name, lane in lanes.items():
        feed = assigned.feeds[name]
        is_ahead = len(lane) >= MOST_WAITING and horizons[name] > least
        if feed.paused != is_ahead:
            feed.paused, feed.heard = is_ahead, perf_counter()
            change = assigned.source.pause if is_ahead else assigned.source.resume
            change(feed.topic, assigned.number)
