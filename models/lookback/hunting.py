"""Hunting: turns past contacts into signals once their number or domain is known, as if it had been known then.

The rows of the ledger become the same signals that the live worker would have made from the same events, through the
same functions. So one engine decides about live and past contacts alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from models.base.number_keys import key_of, number_of
from models.detection.ids import PUBLIC, Ids
from models.detection.kinds import CONTACTS, DOMAIN_SMS, LONG_CALL, NUMBER_REPLY, NUMBER_SMS, NUMBER_TEXT
from models.detection.recognition import call_signal, contact_kind, strongest_hashed
from models.detection.signals import Signal, SignalRecord
from models.events.event import NO_DURATION, Call
from models.events.scanning import ENDED, OUT
from models.indicators.matching import Indicators, Match
from models.lookback.contacts import CONTEXT, CONTEXT_KINDS, LINKED, NUMBER_LINK, SMS
from models.policy.policy import Windows


class Contact(NamedTuple):
    """One row of the ledger."""

    key: int
    subscriber: int
    """A number key (`models.base.number_keys`), as is the peer."""
    peer: int
    at: int
    what: int
    duration_s: float
    event: str
    links: str
    """The hosts that an SMS links to, joined by spaces; or `NUMBER_LINK` and the number by which it is found."""
    paths: Sequence[int] = ()
    """The hashes of its links (`models.indicators.path_hashes`)."""

    @property
    def is_context(self) -> bool:
        """Whether it is a context signal, which happened around contacts."""
        return self.what >= CONTEXT

    @property
    def is_outgoing(self) -> bool:
        """Whether the subscriber made the call or sent the SMS."""
        return not self.is_context and bool(self.what & OUT)

    @property
    def named(self) -> str:
        """The number that the text of an SMS names, by which this row is found; empty for any other row."""
        return self.links.removeprefix(NUMBER_LINK) if self.links.startswith(NUMBER_LINK) else ""

    @property
    def is_sms(self) -> bool:
        """Whether it is an SMS."""
        return not self.is_context and bool(self.what & SMS)


Hit = tuple[Contact, SignalRecord]
"""A contact, and the record of its signal or of its withdrawal."""

Group = list[SignalRecord]
"""The records of one subscriber, contacts before their context; the engine decides about them together."""


def signal_of(contact: Contact, indicators: Indicators, windows: Windows) -> Signal | None:
    """The signal that the live worker makes from the same event with these indicators; None if it makes none."""
    if contact.is_context:
        code, peer = CONTEXT_KINDS[contact.what - CONTEXT], number_of(contact.peer)
        if code == LONG_CALL and indicators.number(peer, contact.at) is not None:
            return None  # the indicators now show that it was a contact
        return Signal(contact.at, code, contact.event, peer, duration_s=contact.duration_s)
    if contact.named:
        return _signal_of_named(contact, indicators)
    if contact.what & LINKED:
        found = match_of_links(contact.links, contact.paths, contact.at, indicators)
        return None if found is None else _signal(contact, DOMAIN_SMS, *found)
    peer = number_of(contact.peer)
    if contact.what & SMS:
        match = indicators.number(peer, contact.at)
        return None if match is None else _signal(contact, kind_of_contact(contact), peer, match)
    signal = call_signal(_call(contact, peer), indicators, windows.long_call * 60.0)
    return signal if signal is not None and signal.kind in CONTACTS else None


def _signal_of_named(contact: Contact, indicators: Indicators) -> Signal | None:
    """The signal of an SMS that names a number, unless the sender's number is known by the same indicator."""
    match = indicators.number(contact.named, contact.at)
    sender = indicators.number(number_of(contact.peer), contact.at)
    if match is None or (sender is not None and sender.key == match.key):
        return None
    return _signal(contact, NUMBER_TEXT, contact.named, match)


def match_of_links(links: str, paths: Sequence[int], at: int, indicators: Indicators) -> tuple[str, Match] | None:
    """The best match of an SMS at this time, by its hosts and hashes as the ledger keeps them, with what matches."""
    return strongest_hashed(links.split(" "), paths, at, indicators)


def kind_of_contact(contact: Contact) -> str:
    """The kind of the signal that a contact gives once its number or domain is known."""
    if contact.named:
        return NUMBER_TEXT
    if contact.what & LINKED:
        return DOMAIN_SMS
    if contact.what & SMS:
        return NUMBER_REPLY if contact.is_outgoing else NUMBER_SMS
    return contact_kind(_call(contact, number_of(contact.peer)))


def _call(contact: Contact, peer: str) -> Call:
    ended = bool(contact.what & ENDED)
    return Call(
        contact.event,
        number_of(contact.subscriber),
        peer,
        "out" if contact.is_outgoing else "in",
        "end" if ended else "start",
        contact.at,
        contact.duration_s if ended else NO_DURATION,
    )


def _signal(contact: Contact, code: str, peer: str, match: Match) -> Signal:
    known = match.known
    return Signal(contact.at, code, contact.event, peer, match.key, known.scam_type, known.confidence)


def distinct(contacts: Iterable[Contact]) -> Iterator[Contact]:
    """Each contact once: when segments are merged during a read, a contact may appear twice."""
    seen: set[tuple[int, str, int, int, int]] = set()
    for contact in contacts:
        identity = contact.subscriber, contact.event, contact.at, contact.what, contact.key
        if identity not in seen:
            seen.add(identity)
            yield contact


def record_of(subscriber: int, signal: Signal, ids: Ids = PUBLIC) -> SignalRecord:
    """The record that carries a signal of a subscriber (a number key) to the worker that decides."""
    number = number_of(subscriber)
    return SignalRecord(
        ids.signal(number, signal.event, signal.kind, signal.indicator, "raised"),
        number,
        signal.kind,  # type: ignore[arg-type]
        signal.at,
        signal.event,
        signal.peer,
        signal.indicator,
        signal.scam_type,
        signal.confidence,
        max(signal.duration_s, 0.0),
    )


def withdrawal_of(contact: Contact, ids: Ids = PUBLIC) -> SignalRecord:
    """The record that withdraws the signal of a contact."""
    number, code = number_of(contact.subscriber), kind_of_contact(contact)
    return SignalRecord(
        ids.signal(number, contact.event, code, "", "withdrawn"),
        number,
        code,  # type: ignore[arg-type]
        contact.at,
        contact.event,
        status="withdrawn",
    )


def moments_of(contacts: Iterable[SignalRecord]) -> dict[int, list[int]]:
    """The event times of each subscriber's contacts, by number key; withdrawn contacts do not count."""
    moments: dict[int, list[int]] = {}
    for record in contacts:
        if record.status == "raised":
            moments.setdefault(key_of(record.subscriber), []).append(record.at)
    return moments


def grouped(contacts: Sequence[SignalRecord], context: Sequence[SignalRecord]) -> Iterator[Group]:
    """The records by subscriber, in event time. Contacts come first, because context alone would be dropped at once."""
    groups: dict[str, Group] = defaultdict(list)
    for records in (contacts, context):
        for record in sorted(records, key=lambda each: (each.at, each.kind, each.event)):
            groups[record.subscriber].append(record)
    yield from groups.values()
