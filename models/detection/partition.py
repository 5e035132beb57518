"""Partition: everything that the engine remembers about one partition of the topics between two steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from models.base.number_keys import key_of
from models.detection.calls_in_progress import Wakes
from models.detection.episodes import Subject
from models.detection.kinds import CALL_BEGINS
from models.detection.signals import Signal
from models.detection.watermarks import Watermark
from models.indicators.prefilter import NumberPrefilter
from models.policy.policy import Policy

MOST_CONTEXTS = 100_000
"""How many subscribers with context alone are remembered in a partition; the oldest are dropped first."""


@dataclass(slots=True)
class Partition:
    """Everything that is remembered about one partition: a function of the prefix of its logs."""

    number: int
    subjects: dict[str, Subject] = field(default_factory=dict)
    call_clock: Watermark = field(default_factory=Watermark)
    sms_clock: Watermark = field(default_factory=Watermark)
    wakes: Wakes = field(default_factory=Wakes)
    """When each call milestone is due."""
    contexts: dict[str, int] = field(default_factory=dict)
    """Subscribers with context alone, each with the time of the newest context signal, in order of arrival."""
    purged: dict[str, int] = field(default_factory=dict)
    """Up to which event time each purged subscriber is forgotten, by `Ids.purged` (`models.detection.purging`)."""
    callers: NumberPrefilter = field(default_factory=NumberPrefilter, repr=False, compare=False)
    """Keeps the subscribers who had a call with a known number (`models.detection.transfers`)."""

    def restore(self, subjects: Mapping[str, Subject], policy: Policy) -> None:
        """Take over saved subjects, and derive the wake-ups and ``contexts`` from them."""
        self.subjects.update(subjects)
        newest: list[tuple[int, str]] = []
        callers: list[int] = []
        for subscriber, subject in subjects.items():
            if subject.has_contact:
                if _has_call(subject.signals):
                    callers.append(key_of(subscriber))
                self.wakes.schedule(subscriber, subject, subject.signals, self.call_clock, policy)
            elif subject.signals:
                newest.append((subject.signals[-1].at, subscriber))
        self.contexts.update((subscriber, at) for at, subscriber in sorted(newest))
        self.callers.add_all(callers)

    def schedule(self, subscriber: str, subject: Subject, signals: Sequence[Signal], policy: Policy) -> None:
        """Wake the subscriber at the milestones of the calls among the signals, and watch for the calls' ends."""
        if _has_call(signals):
            self.callers.add_number(subscriber)
        self.wakes.schedule(subscriber, subject, signals, self.call_clock, policy)

    def is_on_the_phone(self, subscriber: str, at: int) -> bool:
        """Whether a subscriber has a call with a known number that has not ended by this event time."""
        subject = self.subjects.get(subscriber)
        return subject is not None and subject.is_on_the_phone(at)

    @property
    def next_milestone(self) -> int | None:
        """The broker's time (epoch ms) at which a call in progress must be judged again; None if there is none."""
        return self.wakes.next_by_broker(self.is_on_the_phone)

    def recount(self, subscriber: str) -> None:
        """Bring ``contexts`` up to date after signals of the subscriber were removed."""
        self.contexts.pop(subscriber, None)
        subject = self.subjects[subscriber]
        if subject.signals and not subject.has_contact:
            self.contexts[subscriber] = subject.signals[-1].at


def _has_call(signals: Sequence[Signal]) -> bool:
    """Whether a call with a known number began by one of the signals."""
    return any(signal.kind in CALL_BEGINS for signal in signals)
