"""Recipients: counts to how many different people each number has sent known domains and URLs.

Only SMS that people received count. An SMS that a person sent extends nobody's reach: the person may be asking whether
the link is a fraud.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from models.detection.kinds import DOMAIN_SMS
from models.detection.signals import SignalRecord
from models.indicators.matching import Indicators
from models.lookback.hunting import Contact, match_of_links


class Sending(NamedTuple):
    """One SMS that brought a known domain or URL to a subscriber."""

    origin: str
    """The indicator of the domain or URL, ``type:value``."""
    sender: int
    """A number key, as is the subscriber."""
    subscriber: int
    at: int
    """Event time."""


Pair = tuple[str, int]
"""An origin and a sender."""


def sending_of(contact: Contact, found: SignalRecord) -> Sending | None:
    """The sending that a past contact and its signal record show; None if they show none."""
    if found.kind != DOMAIN_SMS or found.status != "raised" or contact.is_outgoing:
        return None
    return Sending(found.indicator, contact.peer, contact.subscriber, contact.at)


class LinkedSms(NamedTuple):
    """An SMS that a subscriber received: its links as the ledger keeps them, its sender, recipient and event time."""

    links: str
    paths: Sequence[int]
    sender: int
    subscriber: int
    at: int


def sending_by_links(message: LinkedSms, known: Indicators) -> Sending | None:
    """The sending that the links of a received SMS show; None if no link is known."""
    found = match_of_links(message.links, message.paths, message.at, known)
    return None if found is None else Sending(found[1].key, message.sender, message.subscriber, message.at)


def recipients(sendings: Iterable[Sending]) -> dict[Pair, set[int]]:
    """The people that each sender has reached with each origin."""
    people: dict[Pair, set[int]] = defaultdict(set)
    for each in sendings:
        people[each.origin, each.sender].add(each.subscriber)
    return people


def last_sent(sendings: Iterable[Sending]) -> dict[int, int]:
    """The event time of each sender's last SMS (senders are number keys)."""
    times: dict[int, int] = {}
    for each in sendings:
        times[each.sender] = max(times.get(each.sender, each.at), each.at)
    return times


Counts = TypeVar("Counts", covariant=True)


class Counting(Protocol[Counts]):
    """Counts the people that senders have reached. Counting a person again changes nothing.

    ``Counts`` is a ``Mapping[Pair, int]``, or an awaitable of one if an external service does the counting.
    """

    def add(self, sendings: Iterable[Sending]) -> Counts:
        """Take in sendings; returns how many people each of their senders has reached in all with each origin."""
        ...


class Recipients:
    """Counts people exactly and in memory (see `Counting`), for a simulation; the hunter counts in Redis instead."""

    def __init__(self) -> None:
        self._people: dict[Pair, set[int]] = defaultdict(set)

    def add(self, sendings: Iterable[Sending]) -> dict[Pair, int]:
        """See `Counting`."""
        counts = {}
        for pair, people in recipients(sendings).items():
            self._people[pair] |= people
            counts[pair] = len(self._people[pair])
        return counts
