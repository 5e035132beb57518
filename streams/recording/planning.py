"""Planning: which records a recording is to hold, and whether the site still has the topics that one began with."""

from __future__ import annotations

from datetime import date
from importlib.metadata import version
from typing import NamedTuple

from streams.kafka.contracts import Contracts
from streams.kafka.history import History, moment
from streams.recording.keeping import COMPACTED, RECORDED
from streams.recording.manifest import Manifest, RecordedTopic, RecordingError


class Wish(NamedTuple):
    """What somebody wants to have recorded; see `Manifest` for the fields."""

    case: str
    since: int
    until: int
    expires: date
    texts: bool
    pseudonyms: str
    sealed: bool
    policy: str


def planned(history: History, contracts: Contracts, wish: Wish) -> Manifest:
    """The manifest of a recording of which nothing is written yet; raises `HistoryError` when records are gone."""
    until = min(wish.until, history.opened)
    topics: dict[str, RecordedTopic] = {}
    for name in (*RECORDED, *COMPACTED):
        found = history.range(name, 0, history.opened) if name in COMPACTED else history.range(name, wish.since, until)
        if name in RECORDED:
            found.check_kept(wish.since)
        partitions = {number: (start, stop) for number, (start, stop) in found.partitions.items()}
        topics[name] = RecordedTopic(
            name=name, topic=found.topic, id=found.id, version=contracts[name].version, partitions=partitions
        )
    made = f"{moment(history.opened)} by Forewarn {version('forewarn')}"
    return Manifest(made=made, topics=topics, **(wish._asdict() | {"until": until}))


def check_same(begun: Manifest, history: History) -> None:
    """Raise `RecordingError` if a recording is about other topics than the site has now."""
    for name, topic in begun.topics.items():
        present = history.range(name, begun.since, begun.until)
        if (topic.topic, topic.id) != (present.topic, present.id):
            raise RecordingError(
                f"{present.topic} is not the topic that this recording began with: it was made anew since then, or "
                "this is another site, so record anew"
            )


def left(begun: Manifest) -> int:
    """How many offsets of the topics that are read by time are still to be recorded."""
    return sum(
        stop - begun.position(name, number)
        for name, topic in begun.topics.items()
        if name in RECORDED
        for number, (_, stop) in topic.partitions.items()
    )
