"""Evidence: adds up the signals of an episode, one after the other in event time."""

from __future__ import annotations

from collections import Counter
from typing import Final, assert_never

from models.base.durations import HOUR, MINUTE
from models.detection.features import Features
from models.detection.kinds import KINDS, Contact, Context
from models.detection.signals import Signal
from models.indicators.scam_types import ENTRIES
from models.policy.policy import Windows
from models.policy.stages import Stage, further

DAY_MINUTES: Final = 1440.0
NOTICE_AFTER_CODE: Final = 30 * MINUTE
"""A bank's notice within this time after a verification code is probably about the payment that the code allowed."""
HANDED_ON: Final = 10 * MINUTE
"""A victim who is passed on from one fraudster to the next waits no longer than this for the second call."""


COURTSHIPS: Final = frozenset(each.name for each in ENTRIES if each.courts)
"""Scam types in which a reply means little yet: half of the people who reply stop there, the others pay weeks later."""


class Evidence:
    """The evidence of an episode so far. Each walk through an episode needs its own, and adds signals in event time."""

    def __init__(self, windows: Windows, vulnerable: int) -> None:
        self.contacts = 0
        self.context: list[Signal] = []
        """The context signals that counted: those near enough to a contact."""
        self._windows = windows
        self._vulnerable = float(min(vulnerable, 2))
        self._shares: dict[str, float] = {}
        self._confidence = 0.0
        self._happened: dict[str, float] = {}
        """The features of the contexts that counted, each with the value 1."""
        self._counts: Counter[str] = Counter()
        """How many signals counted, by the feature of their kind."""
        self._talks = 0
        self._talked_minutes = self._longest_minutes = self._other_minutes = 0.0
        self._indicators: set[str] = set()
        self._courted = True
        self._open: dict[str, Signal] = {}
        self._ended: set[str] = set()
        self._events: set[str] = set()
        self._early_codes: list[Signal] = []
        self._codes: list[int] = []
        self._contacts_at: list[int] = []
        self._codes_on_other = 0
        self._handed_on = False
        self._near_codes = self._codes_on_call = self._notices_after_code = 0
        self._first_contact = self._last_contact = self._last_talk = self._last_code = self._deep_at = 0
        self._stage: Stage = "shallow"

    def take(self, signal: Signal) -> bool:
        """Take in the next signal in event time; returns False when it does not count."""
        kind = KINDS.get(signal.kind)
        if kind is None:  # in a checkpoint of a newer version, which knows more kinds
            return False
        counted = len(self.context)
        self._close_lost(signal.at)
        if isinstance(kind, Contact):
            self._take_contact(kind, signal)
            return True
        self._take_context(kind, signal)
        return len(self.context) > counted

    def _take_contact(self, kind: Contact, signal: Signal) -> None:
        share = signal.confidence / 100.0
        if not self.contacts:
            self._first_contact = signal.at
        self._last_contact = signal.at
        self._contacts_at.append(signal.at)
        self._confidence = max(self._confidence, share)
        self._indicators.add(signal.indicator)
        self._courted &= signal.scam_type in COURTSHIPS
        if signal.event not in self._events:
            self._events.add(signal.event)
            self.contacts += 1
            for code in self._early_codes:
                self._code_near_contact(code, signal.at)
            self._early_codes.clear()
        if kind.feature is not None:
            self._raise_share(kind.feature, share)
            self._counts[kind.feature] += 1
        if kind.reaches is not None:
            self._advance(kind.reaches, signal.at)
        match kind.call:
            case "none":
                pass
            case "begins":
                if signal.event not in self._ended:  # clocks of one call's two records may differ
                    self._open[signal.event] = signal
            case "missed":
                self._end(signal.event)
            case "talked":
                self._end(signal.event)
                self._talks += 1
                self._talked(signal.duration_s / 60.0, share, signal.at)
            case _:
                assert_never(kind.call)

    def _take_context(self, kind: Context, signal: Signal) -> None:
        if kind.rule == "code":
            self._take_code(signal)
            return
        if not self.contacts or signal.at - self._last_contact > self._windows.context_after_hours * HOUR:
            return
        self.context.append(signal)
        self._counts[kind.feature] += 1
        self._happened[kind.feature] = 1.0
        if kind.reaches is not None:
            self._advance(kind.reaches, signal.at)
        match kind.rule:
            case "plain":
                pass
            case "other-call":
                began = signal.at - int(signal.duration_s * 1000)
                self._other_minutes = max(self._other_minutes, signal.duration_s / 60.0)
                self._codes_on_other += sum(at >= began for at in self._codes)
                self._handed_on |= any(0 <= began - at <= HANDED_ON for at in self._contacts_at)
            case "payment":
                self._notices_after_code += bool(self._last_code) and signal.at - self._last_code <= NOTICE_AFTER_CODE
                if self._stage == "deep" and signal.at - self._deep_at <= self._windows.harmed_hours * HOUR:
                    self._advance("harmed", signal.at)
            case _:
                assert_never(kind.rule)

    def _take_code(self, code: Signal) -> None:
        if not self.contacts:  # the episode's window begins code_before its first contact
            self._early_codes.append(code)
            return
        self._code_near_contact(code, code.at)
        self._codes.append(code.at)

    def _close_lost(self, now: int) -> None:
        """Close calls that cannot be running any more because their end records are lost. They still count as talks."""
        longest = self._windows.longest_call_hours * HOUR
        for event, call in list(self._open.items()):
            if now - call.at > longest:
                del self._open[event]
                self._talked(longest / MINUTE, call.confidence / 100.0, call.at)

    def _end(self, call: str) -> None:
        self._open.pop(call, None)
        self._ended.add(call)

    def _talked(self, minutes: float, share: float, at: int) -> None:
        self._talked_minutes += minutes
        self._longest_minutes = max(self._longest_minutes, minutes)
        self._last_talk = max(self._last_talk, at)
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
            self._codes_on_call += bool(self._open)
            self._last_code = max(self._last_code, code.at)
            self._advance("deep", at)

    def _raise_share(self, feature: str, share: float) -> None:
        self._shares[feature] = max(self._shares.get(feature, 0.0), share)

    def _advance(self, stage: Stage, at: int) -> None:
        self._stage = further(self._stage, stage)
        if stage == "deep":
            self._deep_at = at

    def at(self, now: int) -> tuple[Features, Stage]:
        """The features and the stage at an event time, including the calls in progress then."""
        shares = dict(self._shares)
        talked, longest = self._talked_minutes, self._longest_minutes
        for call in self._open.values():
            share = call.confidence / 100.0
            minutes = (now - call.at) / MINUTE
            talked, longest = talked + minutes, max(longest, minutes)
            shares["in_progress"] = max(shares.get("in_progress", 0.0), share)
            if minutes >= self._windows.talk:
                shares["talk"] = max(shares.get("talk", 0.0), share)
                self._advance("medium", now)
            if minutes >= self._windows.long_talk:
                shares["long_talk"] = max(shares.get("long_talk", 0.0), share)
        counts = self._counts
        features = Features(
            **shares,
            **self._happened,
            repeated_contact=_capped(self.contacts - 1, 3),
            code=_capped(self._near_codes, 3),
            vulnerable=self._vulnerable,
            confidence=self._confidence,
            talk_minutes=_capped(talked, 120),
            longest_minutes=_capped(longest, 60),
            answered_calls=_capped(self._talks, 15),
            missed_calls=_capped(counts["missed"], 10),
            callbacks=_capped(counts["callback"], 5),
            messages=_capped(counts["sms"], 10),
            replies=_capped(counts["reply"], 5),
            links=_capped(counts["domain"], 5),
            identities=_capped(len(self._indicators), 6),
            hours=_capped((self._last_contact - self._first_contact) / HOUR, 336),
            quiet_minutes=0.0 if self._open else _capped((now - self._last_contact) / MINUTE, DAY_MINUTES),
            since_talk_minutes=_capped((now - self._last_talk) / MINUTE, DAY_MINUTES),
            codes_on_call=_capped(self._codes_on_call, 3),
            codes_after=_capped(len(self._codes), 8),
            bank_notices=_capped(counts["bank_notice"], 4),
            notices_after_code=_capped(self._notices_after_code, 2),
            other_minutes=_capped(self._other_minutes, 60),
            codes_on_other=_capped(self._codes_on_other, 3),
            handed_on=_capped(self._handed_on, 1),
            courted=float(self._courted and self.contacts > 0),
        )
        return features, self._stage


def _capped(value: float, most: float) -> float:
    return float(min(value, most))
