"""Purging: what becomes of a subscriber's state when somebody has asked that it be forgotten.

A `Purge` on the topic ``signals`` asks for it, so what is forgotten is a function of the logs as well. A record from
before the purge may still come, or be read again from Kafka. So a partition remembers for a while who was purged and up
to when, by a keyed hash in the place of the number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from models.detection.episodes import Subject
from models.detection.watermarks import Watermark


def purge(subject: Subject, before: int) -> None:
    """Forget everything of a subject from before an event time (epoch ms).

    What has been published about that time is forgotten as well, so it is not withdrawn later. All occasions of
    reminders are forgotten, because a number's new holder gets their own. If an episode goes on after that time, the
    rest of it begins with its first contact from then on, and gets another name.
    """
    subject.signals = [signal for signal in subject.signals if signal.at >= before]
    subject.published = {id: word for id, word in subject.published.items() if word.last.at >= before}
    subject.reminded.clear()
    subject.prune()


def forget_witnesses(clock: Watermark, purged: Mapping[str, int], name: Callable[[str], str]) -> None:
    """Forget the times from before a purge that a clock holds of subscribers until others agree; ``name`` names them.

    In a partition that is hardly used, others may be long in coming.
    """
    clock.pending = {who: at for who, at in clock.pending.items() if not is_purged(purged, name(who), at)}


def is_purged(purged: Mapping[str, int], name: str, at: int) -> bool:
    """Whether an event at this time is one of those that were forgotten of the subscriber with this name.

    >>> is_purged({"a": 20}, "a", 19), is_purged({"a": 20}, "a", 20), is_purged({"a": 20}, "b", 19)
    (True, False, False)
    """
    return at < purged.get(name, 0)
