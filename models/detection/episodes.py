"""Episodes: the signals of one subscriber that belong together, and how they unfold in event time.

`Subject` is everything that is remembered about a subscriber: signals in event time. Episodes are *derived* from them,
so a late or repeated signal is simply inserted where it belongs, and the result never depends on the order of arrival.
`unfold` walks through an episode from its first contact and returns its moments; each moment gets a decision.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from models.base.durations import HOUR, MINUTE
from models.detection.alerts import Published
from models.detection.evidence import Evidence
from models.detection.features import Features
from models.detection.kinds import BANK_CALL, CALL_BEGINS, CALL_ENDS, CHECK_CALL, CONTACTS
from models.detection.reused_ids import record_id, told_apart
from models.detection.signals import Signal
from models.policy.policy import Windows
from models.policy.stages import Stage

MOST_SIGNALS = 256
"""How many signals of a subscriber are kept, which bounds the cost of one flooded person. Beyond it the last but one
is dropped, context before contacts. The basis of earlier decisions stays the same, and the newest is always there."""


class Arrival(Struct, array_like=True, frozen=True, gc=False):
    """How the start record of a call arrived, which tells how long its end record must be awaited."""

    behind: int
    """How far the record lay behind the partition's call clock when it was read (ms): its carrier is late by this."""
    appended: int = 0
    """When the broker wrote it (epoch ms); 0: not known."""


_RINGING: Final = 10 * MINUTE
"""How long after the start of a call the talk may begin."""
_FROM_BOTH_RECORDS: Final = frozenset({BANK_CALL, CHECK_CALL})
"""Kinds that the start and the end of one call both give: the end says when the talk began, after the ringing."""


class Subject(Struct, array_like=True, gc=False):
    """A subscriber's signals in event time, and what has been published of the alerts that follow from them."""

    signals: list[Signal] = []
    published: dict[str, Published] = {}
    reminded: list[str] = []
    """The occasions of the reminders already sent (`models.detection.reminders.occasion`)."""
    arrivals: dict[str, Arrival] = {}
    """By event, how the start records of calls with known numbers arrived, unless in order and at an unknown time."""

    @property
    def has_contact(self) -> bool:
        """Whether any signal touches an indicator; without one there is nothing to decide."""
        return any(signal.kind in CONTACTS for signal in self.signals)

    def is_on_the_phone(self, at: int) -> bool:
        """Whether a call with a known number has started but not ended by this time, so that time alone adds evidence.

        An end record whose clock is years wrong does not count yet, and belongs to another episode (`unfold`).
        """
        signals = told_apart(self.signals)
        started = {signal.event for signal in signals if signal.kind in CALL_BEGINS}
        return bool(started) and not started.issubset(
            {signal.event for signal in signals if signal.kind in CALL_ENDS and signal.at <= at}
        )

    def insert(self, signal: Signal) -> bool:
        """Insert a signal in event-time order; returns False when it was known already.

        A signal of the same event and kind at another time is another one, since ids are used again. But if two records
        give the same signal (the start and the end of a hotline call), the one with the earlier time stays, whichever
        arrives first.
        """
        apart = _RINGING if signal.kind in _FROM_BOTH_RECORDS else 0
        for index, known in enumerate(self.signals):
            if known.event == signal.event and known.kind == signal.kind and abs(known.at - signal.at) <= apart:
                if signal >= known:
                    return False
                del self.signals[index]
                break
        insort(self.signals, signal)
        if len(self.signals) > MOST_SIGNALS:
            self._drop_one()
        return True

    def remove(self, event: str, kind: str, at: int) -> bool:
        """Remove a signal; returns False when it was not there."""
        kept = [each for each in self.signals if (each.event, each.kind, each.at) != (event, kind, at)]
        removed = len(kept) < len(self.signals)
        self.signals = kept
        return removed

    def prune(self) -> None:
        """Drop the arrivals of start records whose signals are gone."""
        if self.arrivals:
            started = {signal.event for signal in self.signals if signal.kind in CALL_BEGINS}
            self.arrivals = {event: arrival for event, arrival in self.arrivals.items() if event in started}

    def _drop_one(self) -> None:
        contexts = [index for index, signal in enumerate(self.signals) if signal.kind not in CONTACTS]
        del self.signals[contexts[-2] if len(contexts) > 1 else -2]


class Moment(NamedTuple):
    """The features and the stage of an episode at an event time, after the first ``seen`` of its signals.

    ``context`` holds the context signals that counted: those near enough to a contact.
    """

    at: int
    seen: int
    context: tuple[Signal, ...]
    features: Features
    stage: Stage


class Episode(NamedTuple):
    """The signals of one episode in event time, and its first contact, which names it."""

    first: Signal
    signals: Sequence[Signal]


def episodes(signals: Sequence[Signal], windows: Windows) -> Iterator[Episode]:
    """Split a subscriber's signals (in event time) into episodes.

    A new episode begins after ``windows.quiet_hours`` without a contact. A record that gives a contact gives no
    context, because fraudsters also write about verification codes and payments. Calls and SMS with the same id are
    told apart.
    """
    contacts = [signal for signal in signals if signal.kind in CONTACTS]
    records = {(signal.event, signal.at) for signal in contacts}
    signals = [each for each in signals if each.kind in CONTACTS or (each.event, each.at) not in records]
    signals = told_apart(signals)
    contacts = [signal for signal in signals if signal.kind in CONTACTS]
    quiet = int(windows.quiet_hours * HOUR)
    start = 0
    for index in range(1, len(contacts) + 1):
        if index == len(contacts) or contacts[index].at - contacts[index - 1].at > quiet:
            first, last = contacts[start], contacts[index - 1]
            since, until = first.at - windows.before_ms, last.at + windows.after_ms
            yield Episode(first, [signal for signal in signals if since <= signal.at <= until])
            start = index


def milestones(signals: Iterable[Signal], windows: Windows) -> Iterator[int]:
    """The event times at which a call that has started is judged again, if it is still in progress."""
    for signal in signals:
        if signal.kind in CALL_BEGINS:
            yield from (signal.at + after for after in windows.watched_ms)


def unfold(episode: Episode, windows: Windows, clock: int, vulnerable: int, known: Mapping[str, int]) -> list[Moment]:
    """The moments of an episode in event time, from its first contact on.

    ``clock`` is the partition's call watermark. A call without an end record counts as in progress at its milestones
    only up to the event time up to which its records are ``known`` (by event); for an event that is not there, up to
    the watermark, or up to the newest signal if that is later. A moment's features depend only on the signals up to it,
    so earlier decisions do not change.
    """
    clock = max(clock, episode.signals[-1].at)
    ended = {signal.event for signal in episode.signals if signal.kind in CALL_ENDS}
    steps: list[tuple[int, int, Signal | None]] = [
        (signal.at, index, signal) for index, signal in enumerate(episode.signals)
    ]
    ends = {signal.event: signal.at for signal in episode.signals if signal.event in ended}
    for signal in episode.signals:
        if signal.kind in CALL_BEGINS:
            has_ended = signal.event in ends
            until = max(ends[signal.event], signal.at) if has_ended else known.get(record_id(signal.event), clock)
            steps += [
                (milestone, len(episode.signals), None)
                for milestone in milestones([signal], windows)
                if milestone <= until
            ]
    steps.sort(key=lambda step: (step[0], step[1]))
    evidence = Evidence(windows, vulnerable)
    moments: list[Moment] = []
    seen = 0
    for at, _, arrived in steps:
        if arrived is not None:
            seen += 1
            if not evidence.take(arrived):
                continue
        if evidence.contacts:
            moments.append(Moment(at, seen, tuple(evidence.context), *evidence.at(at)))
    return moments
