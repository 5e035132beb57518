"""Call patterns: finds calls by which a number leads a person on, in records that arrive in pieces and in any order.

A call leads a person on if a verification code comes in the middle of it (the person is *guided*). It also does if the
number rings after it had talked to the person within the last hour, after the person wrote to it, or after the person
got a verification code. All of this also happens among friends and by chance. `models.lookback.suspicion` judges what
it means for a number, from all contacts of that number.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.base.durations import HOUR
from models.detection.kinds import CODE
from models.events.scanning import ENDED, OUT
from models.lookback.contacts import CONTEXT, CONTEXT_KINDS, LINKED, SMS
from models.policy.policy import SuspicionRules

AGAIN: Final = HOUR
"""Within this time a number rings again because it has found out something, or made it up."""
ANSWERED: Final = 24 * HOUR
"""Within this time a number rings a person who has written to it."""
CODE_BEFORE: Final = 2 * HOUR
"""Within this time a number rings about a verification code: for opening an account, or for signing in to an app."""
CODE_ROW: Final = CONTEXT + CONTEXT_KINDS.index(CODE)
"""The kind of the ledger's rows for verification codes."""

Column = NDArray[np.int64]
_MIX: Final = (np.int64(-7046029254386353131), np.int64(-4417276706812531889))
"""Odd constants that spread pairs of number keys over 64 bits: of SplitMix (Steele et al., 2014), a prime of xxHash."""
_SPAN: Final = np.int64(1 << 33)
"""Milliseconds, more than all kept times span: in a sorted column, the times of each key occupy one such span."""


@dataclass(frozen=True, slots=True, eq=False)
class Talks:
    """Ended calls, as columns of equal length; people and numbers are number keys (`models.base.number_keys`)."""

    peers: Column
    subscribers: Column
    ends: Column
    """Epoch milliseconds, event time."""
    talk_s: NDArray[np.float64]
    is_out: NDArray[np.bool_]

    def __getitem__(self, rows: Any) -> Talks:
        """The selected calls."""
        return Talks(*(column[rows] for column in self._columns))

    def joined(self, other: Talks) -> Talks:
        """The calls of both, one after the other."""
        return Talks(*(np.concatenate(pair) for pair in zip(self._columns, other._columns, strict=True)))

    @property
    def _columns(self) -> tuple[NDArray[Any], ...]:
        return self.peers, self.subscribers, self.ends, self.talk_s, self.is_out


@dataclass(frozen=True, slots=True, eq=False)
class Traces:
    """Times that calls are checked against, as columns of equal length; a key is a person, or a person and a number."""

    keys: Column
    times: Column

    @classmethod
    def of_codes(cls, subscribers: Column, times: Column) -> Traces:
        """The traces of verification codes that arrived."""
        return cls(subscribers, times)

    @classmethod
    def of_pairs(cls, subscribers: Column, peers: Column, times: Column) -> Traces:
        """The traces of contacts between people and numbers."""
        return cls(_pairs(subscribers, peers), times)

    def near(self, reached: int, ms: int) -> Traces:
        """The traces at most ``ms`` milliseconds before or after the time ``reached``."""
        kept = np.abs(self.times - reached) <= ms
        return Traces(self.keys[kept], self.times[kept])

    def joined(self, other: Traces) -> Traces:
        """The traces of both, one after the other."""
        return Traces(np.concatenate([self.keys, other.keys]), np.concatenate([self.times, other.times]))

    def met(self, keys: Column, lows: Column, highs: Column) -> NDArray[np.bool_]:
        """Which of these keys have a time from their low to their high, both included: a mask."""
        if not len(self.keys) or not len(keys):
            return np.zeros(len(keys), dtype=bool)
        base = self.times.min()
        known, places = np.unique(self.keys, return_inverse=True)
        moments = np.sort(places * _SPAN + (self.times - base))
        which = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        low, high = (which * _SPAN + np.clip(each - base, -1, _SPAN - 1) for each in (lows, highs))
        first = np.searchsorted(moments, low)
        found: NDArray[np.bool_] = (known[which] == keys) & (first < len(moments))
        found &= moments[np.minimum(first, len(moments) - 1)] <= high
        return found


class Material(NamedTuple):
    """The records that calls are judged by: ended calls, verification codes that arrived, and SMS that people sent."""

    talks: Talks
    codes: Traces
    answers: Traces

    @classmethod
    def of_rows(
        cls, keys: Column, subscribers: Column, times: Column, whats: NDArray[Any], durations: NDArray[np.float64]
    ) -> Material:
        """The material in rows of the ledger, given as columns of equal length (`models.lookback.contacts.Rows`)."""
        came, sent = whats == CODE_ROW, _is_sent(whats)
        ended = _is_ended(whats) & np.isfinite(durations)
        return cls(
            Talks(keys[ended], subscribers[ended], times[ended], durations[ended], (whats[ended] & OUT) > 0),
            Traces.of_codes(subscribers[came], times[came]),
            Traces.of_pairs(subscribers[sent], keys[sent], times[sent]),
        )


def is_material(whats: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows of the ledger belong to `Material`: a mask."""
    found: NDArray[np.bool_] = _is_ended(whats) | (whats == CODE_ROW) | _is_sent(whats)
    return found


def _is_ended(whats: Any) -> Any:
    return ((whats & (CONTEXT | SMS)) == 0) & ((whats & ENDED) > 0)


def _is_sent(whats: Any) -> Any:
    return (whats < CONTEXT) & ((whats & (SMS | OUT | LINKED)) == SMS | OUT)


class Led(NamedTuple):
    """A call that leads a person on; the number and the person are number keys."""

    end: int
    number: int
    person: int
    is_guided: bool


_EVERYBODY: Final = -1
"""Takes the place of a person for a trusted number: the people it leads on say nothing about it."""
_NONE: Final[NDArray[Any]] = np.zeros(0, dtype=np.int64)
_NO_TRACES: Final = Traces(_NONE, _NONE)


class Leading:
    """Finds calls that lead people on. Each partition needs its own, because each has its own time.

    ``longest_ms`` is the maximum length of a call. A record is dropped when it is too far from the time reached for any
    call to be checked against it: a clock that is so wrong says nothing. The time reached is the median of the last
    pieces' medians, so a piece of one such record moves nothing.
    """

    def __init__(self, longest_ms: int) -> None:
        self.longest_ms = longest_ms
        self._medians: deque[int] = deque(maxlen=5)
        self._reached = 0
        self._talks = Talks(_NONE, _NONE, _NONE, _NONE.astype(np.float64), _NONE.astype(bool))
        self._codes = self._spoken = self._answers = _NO_TRACES

    def take(self, talks: Talks, codes: Traces, answers: Traces, rules: SuspicionRules) -> list[Led]:
        """Take in new ended calls, verification codes and SMS to numbers; returns the calls found, by their end time.

        A call counts as soon as its end and the record that it follows are both known, whichever arrived later.
        """
        times = np.concatenate([talks.ends, codes.times, answers.times])
        if not len(times):
            return []
        self._medians.append(int(np.quantile(times, 0.5, method="lower")))
        self._reached = sorted(self._medians)[(len(self._medians) - 1) // 2]
        talks = talks[(talks.talk_s > 0) & (np.abs(talks.ends - self._reached) <= self.longest_ms)]
        heard = talks[~talks.is_out]
        spoken = Traces.of_pairs(heard.subscribers, heard.peers, heard.ends)
        talks = talks[talks.talk_s >= rules.short_talk * 60.0]
        codes = codes.near(self._reached, self.longest_ms + CODE_BEFORE)
        answers = answers.near(self._reached, self.longest_ms + ANSWERED)
        found = _led(self._talks, codes, spoken, answers, rules)
        self._codes = self._codes.joined(codes).near(self._reached, self.longest_ms + CODE_BEFORE)
        self._spoken = self._spoken.joined(spoken).near(self._reached, self.longest_ms + AGAIN)
        self._answers = self._answers.joined(answers).near(self._reached, self.longest_ms + ANSWERED)
        found += _led(talks, self._codes, self._spoken, self._answers, rules)
        self._talks = self._talks.joined(talks)
        self._talks = self._talks[np.abs(self._talks.ends - self._reached) <= self.longest_ms]
        return sorted(set(found))


class Company:
    """Numbers that led a person on in the last day or two, each with one such person: a single case may be chance.

    A trusted number stays trusted as long as it continues to lead people on, and for a day or two after that.
    """

    def __init__(self) -> None:
        self._lately: dict[int, int] = {}
        self._before: dict[int, int] = {}
        self._since = 0

    def gives_cause(self, led: Led) -> bool:
        """Whether to ask the ledger about the number, because it guided a person or led a second person on."""
        age = led.end - self._since
        if age > 24 * HOUR:
            self._before, self._lately, self._since = self._lately if age <= 48 * HOUR else {}, {}, led.end
        other = self._lately.get(led.number, self._before.get(led.number))
        self._lately[led.number] = led.person if other is None else other
        return other != _EVERYBODY and (led.is_guided or other not in (None, led.person))

    def trust(self, number: int) -> None:
        """Ask no more about a number that people contact of their own accord."""
        self._lately[number] = _EVERYBODY


def _led(talks: Talks, codes: Traces, spoken: Traces, answers: Traces, rules: SuspicionRules) -> list[Led]:
    if not len(talks.ends):
        return []
    begins = talks.ends - (talks.talk_s * 1000.0).astype(np.int64)
    pairs = _pairs(talks.subscribers, talks.peers)
    is_long = talks.talk_s >= rules.talk * 60.0
    guided = is_long & codes.met(talks.subscribers, begins, talks.ends)
    led = is_long & spoken.met(pairs, begins - AGAIN, begins)
    led |= codes.met(talks.subscribers, begins - CODE_BEFORE, begins)
    led |= answers.met(pairs, begins - ANSWERED, begins)
    found = guided | (led & ~talks.is_out)
    some = talks[found]
    columns = some.ends, some.peers, some.subscribers, guided[found]
    return [Led(*each) for each in zip(*(column.tolist() for column in columns), strict=True)]


def _pairs(subscribers: Column, peers: Column) -> Column:
    """One key for each pair. Two pairs almost never share a key; if they do, it costs one unnecessary question."""
    return (subscribers * _MIX[0]) ^ (peers * _MIX[1])
