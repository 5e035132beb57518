"""Recipients: which numbers have sent known domains and URLs, and to how many different people.

Only SMS that people received count. What people send themselves is nobody's reach: they may be asking whether it is a
fraud.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple, Protocol, TypeVar

from models.detection.kinds import DOMAIN_SMS
from models.detection.signals import SignalRecord
from models.indicators.matching import Indicators
from models.lookback.hunting import Contact, match_of_links


class Sending(NamedTuple):
    """One SMS that brought a known domain or URL to somebody."""

    origin: str
    """The indicator of the domain or URL, ``type:value``."""
    sender: int
    """A number key, as is the subscriber."""
    subscriber: int


Pair = tuple[str, int]
"""An origin and a sender."""


def sending_of(contact: Contact, found: SignalRecord) -> Sending | None:
    """What a contact of the past and what was found of it say of the sender; None: nothing."""
    if found.kind != DOMAIN_SMS or found.status != "raised" or contact.is_outgoing:
        return None
    return Sending(found.indicator, contact.peer, contact.subscriber)


LinkedSms = tuple[str, int, int, int]
"""An SMS that somebody received: its links as the ledger keeps them, its sender, its recipient and its event time."""


def sending_by_links(links: str, sender: int, subscriber: int, at: int, known: Indicators) -> Sending | None:
    """What an SMS that was received says of its sender, by its links (see `LinkedSms`); None: nothing."""
    found = match_of_links(links, at, known)
    return None if found is None else Sending(found[1].key, sender, subscriber)


def recipients(sendings: Iterable[Sending]) -> dict[Pair, set[int]]:
    """The people whom each sender has reached with each origin."""
    people: dict[Pair, set[int]] = defaultdict(set)
    for origin, sender, subscriber in sendings:
        people[origin, sender].add(subscriber)
    return people


Counts = TypeVar("Counts", covariant=True)


class Counting(Protocol[Counts]):
    """Counts the people whom senders have reached. Counting somebody again changes nothing.

    ``Counts`` is a ``Mapping[Pair, int]``, or an awaitable of one where something outside does the counting.
    """

    def add(self, sendings: Iterable[Sending]) -> Counts:
        """Take in what was sent; how many people each of these senders has reached in all."""
        ...


class Recipients:
    """Counts people exactly and in memory (see `Counting`), for a simulation; the hunter has Redis count them."""

    def __init__(self) -> None:
        self._people: dict[Pair, set[int]] = defaultdict(set)

    def add(self, sendings: Iterable[Sending]) -> dict[Pair, int]:
        """See `Counting`."""
        counts = {}
        for pair, people in recipients(sendings).items():
            self._people[pair] |= people
            counts[pair] = len(self._people[pair])
        return counts
