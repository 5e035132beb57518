"""Episodes: the signals of one subscriber that belong together, and how they unfold in event time.

`Subject` is all that is remembered of a subscriber: signals in event time. Episodes are *derived* from them, so a late
or repeated signal is simply put where it belongs and the outcome never depends on the order of arrival. `unfold` walks
an episode from its first contact and yields its moments; a decision is made at each.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from models.alerts import Published
from models.features import Features
from models.policy import Windows
from models.signals import (
    BANK_CALL,
    BANK_NOTICE,
    CHECK_CALL,
    CODE,
    CONTACTS,
    LONG_CALL,
    NUMBER_CALL,
    NUMBER_CALLBACK,
    NUMBER_MISSED,
    NUMBER_TALK,
    Signal,
)
from models.stages import Stage, further

MOST_SIGNALS = 256
"""How many signals of a subscriber are kept: a bound on the cost of one flooded person. Beyond it the last but one
goes, context before contacts: what was decided on stays as it was, and the newest is always there."""

MINUTE = 60_000
HOUR = 3_600_000


class Subject(Struct, array_like=True, gc=False):
    """A subscriber's signals in event time, and what has been published of the alerts that follow from them."""

    signals: list[Signal] = []
    published: dict[str, Published] = {}
    reminded: list[str] = []
    """What reminders have gone out about (`models.reminders.occasion`)."""

    @property
    def has_contact(self) -> bool:
        """Whether any signal touches an indicator; without one nothing is ever decided."""
        return any(signal.code in CONTACTS for signal in self.signals)

    @property
    def is_on_the_phone(self) -> bool:
        """Whether a call with a known number has started of which no end is known: time alone says more of it."""
        started = {signal.event for signal in self.signals if signal.code in (NUMBER_CALL, NUMBER_CALLBACK)}
        return bool(started) and not started.issubset(
            {signal.event for signal in self.signals if signal.code in (NUMBER_TALK, NUMBER_MISSED)}
        )

    def insert(self, signal: Signal) -> bool:
        """Put a signal where it belongs in event time; False when it was known already.

        Of two records that say the same (a hotline call's start and end) the one with the earlier time stays,
        whichever comes first.
        """
        for index, known in enumerate(self.signals):
            if known.event == signal.event and known.code == signal.code:
                if signal >= known:
                    return False
                del self.signals[index]
                break
        insort(self.signals, signal)
        if len(self.signals) > MOST_SIGNALS:
            self._drop_one()
        return True

    def remove(self, event: str, code: str) -> bool:
        """Take a signal back; False when it was not there."""
        kept = [signal for signal in self.signals if signal.event != event or signal.code != code]
        removed = len(kept) < len(self.signals)
        self.signals = kept
        return removed

    def _drop_one(self) -> None:
        contexts = [index for index, signal in enumerate(self.signals) if signal.code not in CONTACTS]
        del self.signals[contexts[-2] if len(contexts) > 1 else -2]


class Moment(NamedTuple):
    """An episode after the first ``seen`` of its signals, at an event time: its features and stage then.

    ``context`` are the context signals that counted: those near enough to a contact.
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
    """Split a subscriber's signals (in event time) into episodes: a new one after so many hours without a contact."""
    contacts = [signal for signal in signals if signal.code in CONTACTS]
    quiet = int(windows.quiet_hours * HOUR)
    start = 0
    for index in range(1, len(contacts) + 1):
        if index == len(contacts) or contacts[index].at - contacts[index - 1].at > quiet:
            first, last = contacts[start], contacts[index - 1]
            since, until = first.at - windows.before_ms, last.at + windows.after_ms
            yield Episode(first, [signal for signal in signals if since <= signal.at <= until])
            start = index


def marks(signals: Iterable[Signal], windows: Windows) -> Iterator[int]:
    """The event times at which a call that has started becomes talk, then long talk, if it is still going on."""
    for signal in signals:
        if signal.code in (NUMBER_CALL, NUMBER_CALLBACK):
            yield signal.at + int(windows.talk * MINUTE)
            yield signal.at + int(windows.long_talk * MINUTE)


def unfold(episode: Episode, windows: Windows, clock: int, vulnerable: int) -> list[Moment]:
    """The moments of an episode in event time, from its first contact on.

    ``clock`` is the partition's call watermark: a call without an end record counts as going on at its marks only up
    to it. A moment's features depend on the signals up to it alone, so what was decided before stays decided.
    """
    ended = {signal.event for signal in episode.signals if signal.code in (NUMBER_TALK, NUMBER_MISSED)}
    steps: list[tuple[int, int, Signal | None]] = [
        (signal.at, index, signal) for index, signal in enumerate(episode.signals)
    ]
    ends = {signal.event: signal.at for signal in episode.signals if signal.event in ended}
    for signal in episode.signals:
        if signal.code in (NUMBER_CALL, NUMBER_CALLBACK):
            until = max(ends[signal.event], signal.at) if signal.event in ends else clock
            steps += [(mark, len(episode.signals), None) for mark in marks([signal], windows) if mark <= until]
    steps.sort(key=lambda step: (step[0], step[1]))
    evidence = _Evidence(windows, vulnerable)
    moments: list[Moment] = []
    seen = 0
    for at, _, signal_or_mark in steps:
        if signal_or_mark is not None:
            seen += 1
            if not evidence.take(signal_or_mark):
                continue
        if evidence.contacts:
            moments.append(Moment(at, seen, tuple(evidence.context), *evidence.at(at)))
    return moments


class _Evidence:
    """What has been seen of an episode so far; one per walk."""

    def __init__(self, windows: Windows, vulnerable: int) -> None:
        self.contacts = 0
        self.context: list[Signal] = []
        self._windows = windows
        self._vulnerable = float(min(vulnerable, 2))
        self._shares: dict[str, float] = {}
        self._open: dict[str, Signal] = {}
        self._ended: set[str] = set()
        self._events: set[str] = set()
        self._early_codes: list[Signal] = []
        self._near_codes = 0
        self._contexts: set[str] = set()
        self._last_contact = 0
        self._deep_at = 0
        self._stage: Stage = "shallow"

    def take(self, signal: Signal) -> bool:
        """Take in the next signal in event time; False when it counts for nothing."""
        counted = len(self.context)
        self._close_lost(signal.at)
        if signal.code in CONTACTS:
            self._take_contact(signal)
            return True
        if signal.code == CODE:
            if self.contacts:
                self._code_near_contact(signal, signal.at)
            else:  # the episode's window begins code_before its first contact
                self._early_codes.append(signal)
        elif self.contacts and signal.at - self._last_contact <= self._windows.context_after_hours * HOUR:
            self.context.append(signal)
            self._contexts.add(signal.code)
            if signal.code == CHECK_CALL:
                self._advance("medium", signal.at)
            elif signal.code == BANK_CALL:
                self._advance("deep", signal.at)
            elif signal.code == BANK_NOTICE and self._stage == "deep" and self._is_soon_after_deep(signal.at):
                self._advance("harmed", signal.at)
        return len(self.context) > counted

    def _take_contact(self, signal: Signal) -> None:
        share = signal.confidence / 100.0
        self._last_contact = signal.at
        if signal.event not in self._events:
            self._events.add(signal.event)
            self.contacts += 1
            for code in self._early_codes:
                self._code_near_contact(code, signal.at)
            self._early_codes.clear()
        match signal.code:
            case "fraud-number-sms":
                self._raise_share("sms", share)
            case "fraud-domain-sms":
                self._raise_share("domain", share)
            case "fraud-number-missed":
                self._end(signal.event)
                self._raise_share("missed", share)
            case "fraud-number-talk":
                self._end(signal.event)
                self._talked(signal.duration_s / 60.0, share, signal.at)
            case _:
                if signal.event not in self._ended:  # clocks of one call's two records may differ
                    self._open[signal.event] = signal
                if signal.code == NUMBER_CALLBACK:
                    self._raise_share("callback", share)
                    self._advance("deep", signal.at)

    def _is_soon_after_deep(self, at: int) -> bool:
        return at - self._deep_at <= self._windows.harmed_hours * HOUR

    def _close_lost(self, now: int) -> None:
        """Let go of calls that no one can still be in: their end records are lost. That they were talks stands."""
        longest = self._windows.longest_call_hours * HOUR
        for event, call in list(self._open.items()):
            if now - call.at > longest:
                del self._open[event]
                self._talked(longest / MINUTE, call.confidence / 100.0, call.at)

    def _end(self, call: str) -> None:
        self._open.pop(call, None)
        self._ended.add(call)

    def _talked(self, minutes: float, share: float, at: int) -> None:
        if minutes >= self._windows.long_talk:
            self._raise_share("long_talk", share)
        if minutes >= self._windows.talk:
            self._raise_share("talk", share)
            self._advance("medium", at)
        else:
            self._raise_share("brief_talk", share)

    def _code_near_contact(self, code: Signal, at: int) -> None:
        if self._open or at - self._last_contact <= self._windows.code_after * MINUTE:
            self.context.append(code)
            self._near_codes += 1
            self._advance("deep", at)

    def _raise_share(self, feature: str, share: float) -> None:
        self._shares[feature] = max(self._shares.get(feature, 0.0), share)

    def _advance(self, stage: Stage, at: int) -> None:
        self._stage = further(self._stage, stage)
        if stage == "deep":
            self._deep_at = at

    def at(self, now: int) -> tuple[Features, Stage]:
        """The features and the stage at an event time, with the calls that are going on then."""
        shares = dict(self._shares)
        for call in self._open.values():
            share = call.confidence / 100.0
            minutes = (now - call.at) / MINUTE
            shares["in_progress"] = max(shares.get("in_progress", 0.0), share)
            if minutes >= self._windows.talk:
                shares["talk"] = max(shares.get("talk", 0.0), share)
                self._advance("medium", now)
            if minutes >= self._windows.long_talk:
                shares["long_talk"] = max(shares.get("long_talk", 0.0), share)
        features = Features(
            **shares,
            repeated_contact=float(min(self.contacts - 1, 3)),
            code=float(min(self._near_codes, 3)),
            bank_call=float(BANK_CALL in self._contexts),
            check_call=float(CHECK_CALL in self._contexts),
            long_call=float(LONG_CALL in self._contexts),
            bank_notice=float(BANK_NOTICE in self._contexts),
            vulnerable=self._vulnerable,
        )
        return features, self._stage
