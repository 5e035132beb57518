"""Suspicion: an unknown number is suspected when it behaves like a gang's number.

A victim who is guided through a fraud gets a verification code in the middle of a call, or is led on from one contact
to the next within hours. This also happens by chance. So the number must also have reached people who never contacted
it first, as no friend, office or shop does. And it must have reached few enough people for the guided ones among them
to be more than a coincidence. A suspicion is an indicator of low confidence that expires by itself. The model decides
what it means for each person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from models.base.durations import DAY
from models.events.scanning import ENDED
from models.indicators.indicator import SUSPECTED, Indicator
from models.lookback.call_patterns import AGAIN, ANSWERED, CODE_BEFORE
from models.lookback.hunting import Contact
from models.policy.policy import SuspicionRules

_BEHAVIOUR: Final = "behaviour "
"""The beginning of a suspicion's source."""
LEAST_LED: Final = 2
"""How many people a number must have led on if it guided none: one is chance, a code in the middle of a call is not."""


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
    led: int
    """The guided people, and those it led on otherwise (`models.lookback.call_patterns`) within a day of contacting
    them first."""


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
    guided = led = 0
    for who, some in by_person.items():
        some.sort(key=lambda each: (each.at, each.event))
        is_guided = _is_guided(some, codes.get(who, ()), rules)
        guided += is_guided
        led += is_guided or (not some[0].is_outgoing and _is_led(some, codes.get(who, ()), rules))
    return Profile(reach(contacts), guided, led)


def _talked(contact: Contact) -> float:
    """Minutes of talk if the contact is the end of a call, otherwise 0."""
    is_end = not contact.is_sms and not contact.is_context and bool(contact.what & ENDED)
    return contact.duration_s / 60.0 if is_end else 0.0


def _began(call: Contact) -> int:
    return call.at - int(call.duration_s * 1000)


def _is_guided(contacts: Sequence[Contact], codes: Sequence[int], rules: SuspicionRules) -> bool:
    calls = (each for each in contacts if _talked(each) >= rules.talk)
    return any(_began(call) <= at <= call.at for call in calls for at in codes)


def _is_led(contacts: Sequence[Contact], codes: Sequence[int], rules: SuspicionRules) -> bool:
    """Whether the number contacted a person first and led them on within a day; ``contacts`` in order of time."""
    first = contacts[0]
    for call in contacts:
        minutes, began = _talked(call), _began(call)
        if minutes < rules.short_talk or call.is_outgoing or call.event == first.event or began - first.at > DAY:
            continue
        before = [each for each in contacts if each.at <= began]
        spoken = [each.at for each in before if _talked(each) > 0 and not each.is_outgoing]
        answers = [each.at for each in before if each.is_sms and each.is_outgoing]
        if (
            any(began - at <= ANSWERED for at in answers)
            or (minutes >= rules.talk and any(began - at <= AGAIN for at in spoken))
            or any(max(first.at, began - CODE_BEFORE) <= at <= began for at in codes)
        ):
            return True
    return False


def confidence(found: Profile, rules: SuspicionRules) -> int:
    """The confidence of the suspicion of a number with this profile; 0 if it is not suspected.

    >>> rules = SuspicionRules(
    ...     talk=3, short_talk=1, people=3, begun_by_them=0.1, guided=0.01, led_on=0.04, confidence=40, days=30
    ... )
    >>> [confidence(Profile(Reach(40, begun), 0, 2), rules) for begun in (0, 12)]
    [30, 0]
    """
    if not found.reach.is_of_strangers(rules):
        return 0
    people = found.reach.people
    if found.guided >= max(1.0, rules.guided * people):
        return rules.confidence
    return rules.confidence * 3 // 4 if found.led >= max(LEAST_LED, rules.led_on * people) else 0


def suspicion(
    number: str, contacts: Sequence[Contact], codes: Mapping[int, Sequence[int]], at: int, rules: SuspicionRules
) -> Indicator | None:
    """The indicator of a number that is suspected at an event time; None if it is not suspected.

    ``contacts`` are all its contacts in the ledger. ``codes`` gives the times at which each of the `leadable` people
    got verification codes. The indicator's source says why the number is suspected.
    """
    found = profile(contacts, codes, rules)
    sure = confidence(found, rules)
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
