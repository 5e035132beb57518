"""Risky numbers: what the contacts in the ledger say about a number, and the probability that it is a gang's.

A gang's number contacts many strangers, hardly anybody contacts it first, it lives for days, it leads people on, and
people who were defrauded are among its contacts. Suspicion (`models.lookback.suspicion`) judges a number the moment
that it leads somebody on. This judges every number once a day by all that is known, officers' findings included.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import exp, log
from typing import Any, Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from models.base.durations import DAY
from models.base.number_keys import number_of
from models.events.scanning import OUT
from models.lookback.hunting import Contact
from models.lookback.suspicion import Profile, Reach, log_likelihood_ratio, log_odds, profile
from models.policy.policy import SuspicionRules

LISTED: Final = 0.5
"""The least probability of a number that is listed: an analyst's time is spent on what is likelier than not."""
SHORT_DAYS: Final = 6
"""Days on which a number was active at most for its life to count as short.

Of the fraudsters' numbers that a Chinese carrier labelled, half were active on at most six days of a month.
"""
SHORT_SHARES: Final = 0.5, 0.1
"""The shares of gangs' and of harmless numbers with a short life.

The first follows from `SHORT_DAYS`. The second is assumed with caution: half of the same carrier's ordinary numbers
were active on all 31 days, but numbers that call strangers change more often.
"""
VICTIMS_OF_GANGS: Final = (0.3, 15.0)
"""Parameters of the beta distribution of the share of victims among those whom a gang's number was in contact with.

The mean is that of simulated cities, 2 in 100. Many numbers have none: victims report late or never.
"""
COVERED_DAYS: Final = 14
"""Days of which the ledger needs contacts for a life to count as short; on a new site, every number looks new."""


class NumberEvidence(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="number"):
    """What is known of a number; times are event times in epoch ms."""

    number: str
    people: int
    """Different people whom it was in contact with."""
    begun: int = 0
    """How many of them called or wrote first."""
    calls: int = 0
    """Calls that it made."""
    guided: int = 0
    """People who got a verification code in the middle of a call with it."""
    about_codes: int = 0
    """The guided people, and those whom it called about a code."""
    again: int = 0
    """The others whom it called again soon after it had talked to them."""
    victims: int = 0
    """People who, as officers found, were being defrauded."""
    active_days: int
    """Days (UTC) on which there was a contact."""
    first_seen: int
    last_seen: int
    is_subscriber: bool = False
    """Whether its own records come through ``calls`` or ``sms``: then a carrier of this city has it."""
    probability: float = 0.0
    """The probability that it is a gang's number (`scored`)."""


class Surroundings(Struct, frozen=True, kw_only=True):
    """What a number's evidence is weighed against."""

    prevalence: float
    """How common fraud is: people who pay, for each 100,000 people and day."""
    people: int
    """Subscribers with contacts in the ledger."""
    victims: int
    """Those of them who, as officers found, were being defrauded."""
    covered_days: int
    """Days of which the ledger has contacts."""


def strangers(
    keys: NDArray[np.int64],
    subscribers: NDArray[np.int64],
    times: NDArray[np.int64],
    whats: NDArray[np.uint8],
    rules: SuspicionRules,
) -> list[int]:
    """The numbers (number keys) among these rows that contacted enough people first, as strangers.

    The rows are those of calls and SMS, found by their peers, in any order; of a number there must be all.
    """
    if not len(keys):
        return []
    order = np.lexsort((times, subscribers, keys))
    keys, subscribers, outgoing = keys[order], subscribers[order], whats[order] & OUT != 0
    is_next_number = np.concatenate(([True], keys[1:] != keys[:-1]))
    is_next_person = is_next_number | np.concatenate(([True], subscribers[1:] != subscribers[:-1]))
    begins = np.flatnonzero(is_next_number)
    people: Any = np.add.reduceat(is_next_person.astype(np.int64), begins)
    begun: Any = np.add.reduceat((is_next_person & outgoing).astype(np.int64), begins)
    reaches = map(Reach, people.tolist(), begun.tolist())
    return [key for key, each in zip(keys[begins].tolist(), reaches, strict=True) if each.is_of_strangers(rules)]


def evidence(
    number: int,
    contacts: Sequence[Contact],
    codes: Mapping[int, Sequence[int]],
    victims: Collection[int],
    rules: SuspicionRules,
) -> NumberEvidence:
    """The evidence about a number key, without its probability, from all its contacts in the ledger (at least one).

    ``codes`` gives the times at which people got verification codes, as for `models.lookback.suspicion.profile`, and
    ``victims`` are the number keys of those whom officers found being defrauded.
    """
    found, times = profile(contacts, codes, rules), [each.at for each in contacts]
    return NumberEvidence(
        number=number_of(number),
        people=found.reach.people,
        begun=found.reach.begun,
        calls=found.calls,
        guided=found.guided,
        about_codes=found.about_codes,
        again=found.again,
        victims=len({each.subscriber for each in contacts} & set(victims)),
        active_days=len({at // DAY for at in times}),
        first_seen=min(times),
        last_seen=max(times),
    )


def scored(found: NumberEvidence, around: Surroundings) -> NumberEvidence:
    """The evidence with the probability that the number is a gang's.

    By Bayes' rule, the odds are those of `models.lookback.suspicion.probability`, which weighs whom the number led on,
    times a likelihood ratio for its life (`SHORT_DAYS`; 1 until there are `COVERED_DAYS`), times one for the victims
    among its contacts. The latter compares them with the share of victims among all subscribers, as there are victims
    among the contacts of every number that calls the whole city.

    >>> around = Surroundings(prevalence=0.85, people=100_000, victims=20, covered_days=30)
    >>> few = NumberEvidence(number="8610000000001", people=60, calls=60, active_days=6, first_seen=0, last_seen=0)
    >>> [round(scored(replace(few, victims=some), around).probability, 3) for some in (0, 1, 2)]
    [0.008, 0.14, 0.935]
    """
    is_short = found.active_days <= SHORT_DAYS
    gangs, harmless = (share if is_short else 1.0 - share for share in SHORT_SHARES)
    ratio = log(gangs / harmless) if around.covered_days >= COVERED_DAYS else 0.0
    if around.victims:
        share = around.victims / around.people
        ratio += log_likelihood_ratio(found.victims, found.people, share, VICTIMS_OF_GANGS)
    return replace(found, probability=1.0 / (1.0 + exp(-log_odds(_profile(found), around.prevalence) - ratio)))


def _profile(found: NumberEvidence) -> Profile:
    return Profile(Reach(found.people, found.begun), found.guided, found.about_codes, found.again, found.calls)
