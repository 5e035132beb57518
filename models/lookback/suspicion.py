"""Suspicion: a number of which nothing is known is suspected when it acts as a gang's does.

Whoever is guided through a fraud gets a code in the middle of a call, or is led on from one contact to the next within
hours. That happens by chance, too; so the number must also have reached people who never turned to it first, as no
friend, office or shop does, and few enough for those to be more than a coincidence. Suspecting makes an indicator of
little confidence that ends by itself: what becomes of it, for each person, is the model's to say.
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
"""How the source of a suspicion begins."""
LEAST_LED: Final = 2
"""People whom a number must have led on when none was guided: once is chance, a code in the middle of a call is not."""


class Reach(NamedTuple):
    """With whom a number has been in touch so far."""

    people: int
    """Different people."""
    begun: int
    """Those of them who rang or wrote first."""

    def is_of_strangers(self, rules: SuspicionRules) -> bool:
        """Whether nearly all of them, and they are enough, were strangers to whom it turned."""
        return self.people >= rules.people and self.begun <= rules.begun_by_them * self.people

    def is_turned_to(self, rules: SuspicionRules) -> bool:
        """Whether so many turned to it that this will hardly change."""
        return self.people >= 2 * rules.people and not self.is_of_strangers(rules)


class Profile(NamedTuple):
    """How a number has dealt with people so far."""

    reach: Reach
    guided: int
    """Those of them who got a code in the middle of a call with it."""
    led: int
    """The same, and those it led on otherwise (`models.lookback.call_patterns`) within a day of turning to them."""


def leadable(contacts: Iterable[Contact], rules: SuspicionRules) -> set[int]:
    """The people (number keys) who had a call long enough to lead somebody on: whose codes a `profile` needs."""
    return {each.subscriber for each in contacts if _talked(each) >= rules.short_talk}


def reach(contacts: Iterable[Contact]) -> Reach:
    """The reach of a number, by all that the ledger has of it."""
    first: dict[int, Contact] = {}
    for contact in contacts:
        before = first.get(contact.subscriber)
        if before is None or (contact.at, contact.event) < (before.at, before.event):
            first[contact.subscriber] = contact
    return Reach(len(first), sum(each.is_outgoing for each in first.values()))


def profile(contacts: Sequence[Contact], codes: Mapping[int, Sequence[int]], rules: SuspicionRules) -> Profile:
    """The profile of a number, by all that the ledger has of it; ``codes``: by person, when codes came."""
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
    """Minutes of talk, if it is a call's end."""
    is_end = not contact.is_sms and not contact.is_context and bool(contact.what & ENDED)
    return contact.duration_s / 60.0 if is_end else 0.0


def _began(call: Contact) -> int:
    return call.at - int(call.duration_s * 1000)


def _is_guided(contacts: Sequence[Contact], codes: Sequence[int], rules: SuspicionRules) -> bool:
    calls = (each for each in contacts if _talked(each) >= rules.talk)
    return any(_began(call) <= at <= call.at for call in calls for at in codes)


def _is_led(contacts: Sequence[Contact], codes: Sequence[int], rules: SuspicionRules) -> bool:
    """Whether the number turned to somebody first, and led him on within a day; ``contacts`` in order of time."""
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
    """How much a number with this profile is suspected, as an indicator's confidence; 0: not at all.

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
    """The indicator of a number that is to be suspected at an event time; None: it is not.

    ``contacts`` are all that the ledger has of it, ``codes`` the times at which the `leadable` got codes. Its source
    says why it is suspected.
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
    """Whether an indicator says no more than that a number is suspected."""
    return indicator.scam_type == SUSPECTED and indicator.source.startswith(_BEHAVIOUR)


def is_fresh(indicator: Indicator, at: int, rules: SuspicionRules) -> bool:
    """Whether a suspicion still holds for half of its days or more, so that saying it again would be no news."""
    return indicator.valid_until is None or indicator.valid_until - at >= int(rules.days * DAY) // 2
