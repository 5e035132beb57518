"""Suspicion: an unknown number is suspected when it behaves like a gang's number.

A victim who is guided through a fraud gets a verification code in the middle of a call, or is led on from one contact
to the next within hours. This also happens by chance. So the number must also have reached people who never contacted
it first, as no friend, office or shop does. And those whom it led on must be more than chance explains among so many
people, and where gangs are so rare (`probability`). A suspicion is an indicator of low confidence that expires by
itself. The model decides what it means for each person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import exp, lgamma, log, log1p
from typing import Final, NamedTuple

from models.base.durations import DAY
from models.events.scanning import ENDED
from models.indicators.indicator import SUSPECTED, Indicator
from models.lookback.call_patterns import AGAIN, CODE_BEFORE
from models.lookback.hunting import Contact
from models.policy.policy import SuspicionRules

_BEHAVIOUR: Final = "behaviour "
"""The beginning of a suspicion's source."""
GANGS: Final = 0.25 / 17.0
"""Gangs' numbers for each harmless one that calls strangers, where one of 100,000 people pays in a day; in simulated
cities, where 17 pay, it is one to four."""
BY_CHANCE: Final = {"about_codes": 0.0005, "again": 0.003}
"""The chance, with each call of a harmless number or each person in contact with it, that this happens (`Profile`).

It is that of the agents of simulated cities, seeds 302 and 303, which is ten times that of couriers and telemarketers.
"""
BY_GANGS: Final = (0.3, 5.0)
"""Parameters of the beta distribution of the same shares with gangs' numbers, either way: a mean of 6 in 100, and most
of the numbers at either end, since a number that only begins a fraud leads nobody on."""


class Reach(NamedTuple):
    """How many people a number has been in touch with so far."""

    people: int
    """Different people."""
    begun: int
    """How many of them rang or wrote first."""

    def is_of_strangers(self, rules: SuspicionRules) -> bool:
        """Whether there are enough people, and the number contacted nearly all of them first, as strangers."""
        return self.people >= rules.people and self.begun <= rules.begun_by_them * self.people

    def is_turned_to(self, rules: SuspicionRules) -> bool:
        """Whether so many people contacted the number first that this will hardly change."""
        return self.people >= 2 * rules.people and not self.is_of_strangers(rules)


class Profile(NamedTuple):
    """How a number has dealt with people so far."""

    reach: Reach
    guided: int
    """How many of these people got a verification code in the middle of a call with it."""
    about_codes: int
    """The guided people, and those whom it called about a code within a day of contacting them first."""
    again: int
    """The others whom it called again, soon after it had talked to them (`models.lookback.call_patterns`)."""
    calls: int = 0
    """Calls that it made. Who calls the same people all day, like a debt collector, has more chances as well."""

    @property
    def led(self) -> int:
        """How many of these people it led on."""
        return self.about_codes + self.again


def leadable(contacts: Iterable[Contact], rules: SuspicionRules) -> set[int]:
    """The people (number keys) who had a call long enough to be led on; a `profile` needs their verification codes."""
    return {each.subscriber for each in contacts if _talked(each) >= rules.short_talk}


def reach(contacts: Iterable[Contact]) -> Reach:
    """The reach of a number, from all its contacts in the ledger."""
    first: dict[int, Contact] = {}
    for contact in contacts:
        before = first.get(contact.subscriber)
        if before is None or (contact.at, contact.event) < (before.at, before.event):
            first[contact.subscriber] = contact
    return Reach(len(first), sum(each.is_outgoing for each in first.values()))


def profile(contacts: Sequence[Contact], codes: Mapping[int, Sequence[int]], rules: SuspicionRules) -> Profile:
    """The profile of a number, from all its contacts in the ledger.

    ``codes`` gives the times at which each person got verification codes.
    """
    by_person: dict[int, list[Contact]] = defaultdict(list)
    for contact in contacts:
        by_person[contact.subscriber].append(contact)
    guided = about_codes = again = 0
    for who, some in by_person.items():
        some.sort(key=lambda each: (each.at, each.event))
        came = codes.get(who, ())
        if _is_guided(some, came, rules):
            guided += 1
            about_codes += 1
        elif _is_called(some, came, rules):
            about_codes += 1
        elif _is_called_again(some, rules):
            again += 1
    return Profile(reach(contacts), guided, about_codes, again, calls=len({*filter(None, map(_made, contacts))}))


def _talked(contact: Contact) -> float:
    """Minutes of talk if the contact is the end of a call, otherwise 0."""
    is_end = not contact.is_sms and not contact.is_context and bool(contact.what & ENDED)
    return contact.duration_s / 60.0 if is_end else 0.0


def _made(contact: Contact) -> tuple[int, str] | None:
    """The person and the id of a call that the number made; None for any other contact."""
    is_other = contact.is_sms or contact.is_context or contact.is_outgoing
    return None if is_other else (contact.subscriber, contact.event)


def _began(call: Contact) -> int:
    return call.at - int(call.duration_s * 1000)


def _is_guided(contacts: Sequence[Contact], codes: Sequence[int], rules: SuspicionRules) -> bool:
    calls = (each for each in contacts if _talked(each) >= rules.talk)
    return any(_began(call) <= at <= call.at for call in calls for at in codes)


def _led_on(contacts: Sequence[Contact], least: float) -> Iterator[tuple[Contact, int]]:
    """The number's calls of at least so many minutes to a person whom it contacted first, within a day of that.

    ``contacts`` are in order of time. Each call comes with the time when its talk began.
    """
    first = contacts[0]
    for call in contacts if not first.is_outgoing else ():
        began = _began(call)
        if _talked(call) >= least and not call.is_outgoing and call.event != first.event and began - first.at <= DAY:
            yield call, began


def _is_called(contacts: Sequence[Contact], codes: Sequence[int], rules: SuspicionRules) -> bool:
    """Whether the number contacted a person first, and called when they had got a verification code."""
    since = contacts[0].at
    calls = _led_on(contacts, rules.short_talk)
    return any(max(since, began - CODE_BEFORE) <= at <= began for _, began in calls for at in codes)


def _is_called_again(contacts: Sequence[Contact], rules: SuspicionRules) -> bool:
    """Whether the number contacted a person first, and called again within the hour after it had talked to them."""
    spoken = [each.at for each in contacts if _talked(each) > 0 and not each.is_outgoing]
    return any(began - AGAIN <= at <= began for _, began in _led_on(contacts, rules.talk) for at in spoken)


def probability(found: Profile, prevalence: float) -> float:
    """The probability that a number with this profile is a gang's.

    ``prevalence`` is how common fraud is: people who pay, for each 100,000 people and day. By Bayes' rule, the odds are
    those before anything was seen, `GANGS` times ``prevalence``, times the likelihood ratio of the profile.
    For each way of leading people on, the ratio is that of a beta-binomial distribution (gangs differ) to the likeliest
    binomial one of a harmless number. The formula is that of every textbook, for instance Gelman et al., Bayesian Data
    Analysis, sections 1.3 and 2.4.

    >>> few, many = Profile(Reach(4, 0), 1, 1, 0), Profile(Reach(40, 0), 1, 1, 0)
    >>> [round(probability(each, 17.0), 2) for each in (few, many)], round(probability(few, 0.85), 2)
    ([0.93, 0.47], 0.39)
    """
    return 1.0 / (1.0 + exp(-log_odds(found, prevalence)))


def log_odds(found: Profile, prevalence: float) -> float:
    """The natural logarithm of the odds that belong to `probability`; other evidence adds to it."""
    chances = max(found.reach.people, found.calls)
    ratio = sum(log_likelihood_ratio(getattr(found, way), chances, share) for way, share in BY_CHANCE.items())
    return log(GANGS * prevalence) + ratio


def log_likelihood_ratio(some: int, chances: int, by_chance: float, by_gangs: tuple[float, float] = BY_GANGS) -> float:
    """The logarithm of the likelihood ratio of a gang's number to a harmless one if ``some`` of its chances came true.

    Harmless numbers differ as well: ``by_chance`` is the most that is likely with one, and a lower share speaks for it.
    """
    alpha, beta = by_gangs
    gangs = _log_beta(alpha + some, beta + chances - some) - _log_beta(alpha, beta)
    share = min(by_chance, some / chances)
    return gangs - (some * log(share) if some else 0.0) - (chances - some) * log1p(-share)


def _log_beta(one: float, other: float) -> float:
    return lgamma(one) + lgamma(other) - lgamma(one + other)


def confidence(found: Profile, prevalence: float, rules: SuspicionRules) -> int:
    """The confidence of the suspicion of a number with this profile; 0 if it is not suspected.

    >>> rules = SuspicionRules(
    ...     talk=3, short_talk=1, people=3, begun_by_them=0.1, probability=0.8, guided=0.01, confidence=40, days=30
    ... )
    >>> [confidence(Profile(Reach(40, begun), 0, 2, 0), 17.0, rules) for begun in (0, 12)]
    [30, 0]
    """
    if not found.led or not found.reach.is_of_strangers(rules) or probability(found, prevalence) < rules.probability:
        return 0
    is_guiding = found.guided >= max(1.0, rules.guided * found.reach.people)
    return rules.confidence if is_guiding else rules.confidence * 3 // 4


def suspicion(
    number: str,
    contacts: Sequence[Contact],
    codes: Mapping[int, Sequence[int]],
    at: int,
    prevalence: float,
    rules: SuspicionRules,
) -> Indicator | None:
    """The indicator of a number that is suspected at an event time; None if it is not suspected.

    ``contacts`` are all its contacts in the ledger. ``codes`` gives the times at which each of the `leadable` people
    got verification codes, and ``prevalence`` how common fraud is (`probability`). The indicator's source says why the
    number is suspected.
    """
    found = profile(contacts, codes, rules)
    sure = confidence(found, prevalence, rules)
    if not sure:
        return None
    return Indicator(
        type="number",
        value=number,
        scam_type=SUSPECTED,
        confidence=sure,
        source=f"{_BEHAVIOUR}people:{found.reach.people} guided:{found.guided} led:{found.led}",
        valid_from=0,
        valid_until=at + int(rules.days * DAY),
    )


def is_suspicion(indicator: Indicator) -> bool:
    """Whether an indicator is only the suspicion of a number."""
    return indicator.scam_type == SUSPECTED and indicator.source.startswith(_BEHAVIOUR)


def is_fresh(indicator: Indicator, at: int, rules: SuspicionRules) -> bool:
    """Whether a suspicion stays valid for at least half of its days, so that repeating it would be no news."""
    return indicator.valid_until is None or indicator.valid_until - at >= int(rules.days * DAY) // 2
