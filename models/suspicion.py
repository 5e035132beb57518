"""Suspicion: a number of which nothing is known is suspected when it acts as a gang's does.

Whoever is guided through a fraud gets a code in the middle of a call. That happens by chance, too; so the number must
also have reached people who never turned to it first, as no friend, office or shop does, and few enough for the guided
to be more than a coincidence. Suspecting makes an indicator of little confidence that ends by itself: what becomes of
it, for each person, is the model's to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.hunting import Contact
from models.indicators import SUSPECTED, Indicator
from models.policy import SuspicionRules
from models.scanning import ENDED

_BEHAVIOUR: Final = "behaviour "
"""How the source of a suspicion begins."""
DAY: Final = 86_400_000
_SPAN: Final = np.int64(1 << 42)
"""More than any event time in milliseconds: times of one person stand in one such span of a sorted column."""


@dataclass(frozen=True, slots=True, eq=False)
class Talks:
    """Calls that have ended, as columns of one length; people and numbers are codes (`models.codes`)."""

    peers: NDArray[np.int64]
    subscribers: NDArray[np.int64]
    ends: NDArray[np.int64]
    """Epoch milliseconds, event time."""
    talk_s: NDArray[np.float64]

    def __getitem__(self, rows: Any) -> Talks:
        """Some of them."""
        return Talks(self.peers[rows], self.subscribers[rows], self.ends[rows], self.talk_s[rows])

    def joined(self, other: Talks) -> Talks:
        """Both, one behind the other."""
        pairs = zip(self._columns, other._columns, strict=True)
        return Talks(*(np.concatenate(pair) for pair in pairs))

    @property
    def _columns(self) -> tuple[NDArray[Any], ...]:
        return self.peers, self.subscribers, self.ends, self.talk_s


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """Verification codes, as columns of one length."""

    subscribers: NDArray[np.int64]
    times: NDArray[np.int64]

    def __getitem__(self, rows: Any) -> Codes:
        """Some of them."""
        return Codes(self.subscribers[rows], self.times[rows])

    def joined(self, other: Codes) -> Codes:
        """Both, one behind the other."""
        return Codes(np.concatenate([self.subscribers, other.subscribers]), np.concatenate([self.times, other.times]))


_NONE: Final[NDArray[Any]] = np.zeros(0, dtype=np.int64)


class GuidedCalls:
    """Finds the calls in whose middle a code came, out of records that arrive in pieces and in no certain order.

    What lies ``kept_ms`` from the time that has been reached is forgotten: no call lasts that long, and a clock that
    is so wrong says nothing. One for each partition, since each has a time of its own.
    """

    def __init__(self, kept_ms: int) -> None:
        self._kept_ms = kept_ms
        self._reached = 0
        self._talks = Talks(_NONE, _NONE, _NONE, _NONE.astype(np.float64))
        self._codes = Codes(_NONE, _NONE)

    def take(self, talks: Talks, codes: Codes, least_minutes: float) -> list[tuple[int, int]]:
        """Take in what is new; the ends, in order, and numbers of calls so long in which a code came.

        A call counts once that code and its end are known, whichever came later.
        """
        talks = talks[talks.talk_s >= least_minutes * 60.0]
        self._codes = self._codes.joined(codes)
        met = sorted([*_met(self._talks, codes), *_met(talks, self._codes)])
        self._talks = self._talks.joined(talks)
        times = np.concatenate([talks.ends, codes.times])
        if len(times):
            self._reached = max(self._reached, int(np.median(times)))
            self._talks = self._talks[np.abs(self._talks.ends - self._reached) <= self._kept_ms]
            self._codes = self._codes[np.abs(self._codes.times - self._reached) <= self._kept_ms]
        return met


def _met(talks: Talks, codes: Codes) -> list[tuple[int, int]]:
    """The ends and numbers of the calls during which their person got a code."""
    if not len(talks.ends) or not len(codes.times):
        return []
    people, places = np.unique(codes.subscribers, return_inverse=True)
    sorted_codes = np.sort(places * _SPAN + codes.times)
    who = np.minimum(np.searchsorted(people, talks.subscribers), len(people) - 1)
    ends = who * _SPAN + talks.ends
    first = np.searchsorted(sorted_codes, ends - (talks.talk_s * 1000.0).astype(np.int64))
    met = (people[who] == talks.subscribers) & (first < len(sorted_codes))
    met &= sorted_codes[np.minimum(first, len(sorted_codes) - 1)] <= ends
    return [*zip(talks.ends[met].tolist(), talks.peers[met].tolist(), strict=True)]


class Profile(NamedTuple):
    """How a number has dealt with people so far."""

    people: int
    """Different people with whom it was in touch."""
    begun: int
    """Those of them who rang or wrote first."""
    guided: int
    """Those of them who got a code in the middle of a call with it."""


def guidable(contacts: Iterable[Contact], least_minutes: float) -> set[int]:
    """The people (codes) who had a call of at least so many minutes: whose codes a `profile` needs."""
    return {each.subscriber for each in contacts if _is_talk(each, least_minutes)}


def profile(contacts: Sequence[Contact], codes: Mapping[int, Sequence[int]], least_minutes: float) -> Profile:
    """The profile of a number, by all that the ledger has of it; ``codes``: by person, when codes came."""
    first: dict[int, Contact] = {}
    guided: set[int] = set()
    for contact in contacts:
        who = contact.subscriber
        before = first.get(who)
        if before is None or (contact.at, contact.event) < (before.at, before.event):
            first[who] = contact
        if who not in guided and _is_talk(contact, least_minutes):
            began = contact.at - int(contact.duration_s * 1000)
            if any(began <= at <= contact.at for at in codes.get(who, ())):
                guided.add(who)
    return Profile(len(first), sum(each.is_outgoing for each in first.values()), len(guided))


def _is_talk(contact: Contact, least_minutes: float) -> bool:
    is_call = not contact.is_sms and not contact.is_context
    return is_call and bool(contact.what & ENDED) and contact.duration_s >= least_minutes * 60.0


def acts_like_a_gang(found: Profile, rules: SuspicionRules) -> bool:
    """Whether somebody with this profile is to be suspected.

    >>> rules = SuspicionRules(talk=3, people=3, begun_by_them=0.1, guided=0.01, confidence=40, days=30)
    >>> acts_like_a_gang(Profile(40, 0, 1), rules), acts_like_a_gang(Profile(40, 12, 1), rules)
    (True, False)
    """
    return (
        found.people >= rules.people
        and found.begun <= rules.begun_by_them * found.people
        and found.guided >= max(1.0, rules.guided * found.people)
    )


def suspicion(
    number: str, contacts: Sequence[Contact], codes: Mapping[int, Sequence[int]], at: int, rules: SuspicionRules
) -> Indicator | None:
    """The indicator of a number that is to be suspected at an event time; None: it is not.

    ``contacts`` are all that the ledger has of it, ``codes`` the times at which the `guidable` got codes. Its source
    says why it is suspected.
    """
    found = profile(contacts, codes, rules.talk)
    if not acts_like_a_gang(found, rules):
        return None
    return Indicator(
        type="number",
        value=number,
        scam_type=SUSPECTED,
        confidence=rules.confidence,
        source=f"{_BEHAVIOUR}people:{found.people} guided:{found.guided}",
        valid_from=0,
        valid_until=at + int(rules.days * DAY),
    )


def is_suspicion(indicator: Indicator) -> bool:
    """Whether an indicator says no more than that a number is suspected."""
    return indicator.scam_type == SUSPECTED and indicator.source.startswith(_BEHAVIOUR)


def is_fresh(indicator: Indicator, at: int, rules: SuspicionRules) -> bool:
    """Whether a suspicion still holds for half of its days or more, so that saying it again would be no news."""
    return indicator.valid_until is None or indicator.valid_until - at >= int(rules.days * DAY) // 2
