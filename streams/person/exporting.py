"""Exporting: what the site holds of a person as one readable JSON document, to answer the person's request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from models.base.number_keys import number_of
from models.detection.alerts import Alert
from models.detection.episodes import Subject
from models.detection.reminders import Reminder
from models.detection.signals import Signal
from models.lookback.contacts import CONTEXT, CONTEXT_KINDS
from models.lookback.hunting import Contact
from streams.ledger.erasure import Wanted, own_rows
from streams.ledger.people import contacts_of
from streams.person.holdings import Holdings, Places
from streams.person.proof import moment


class ExportedContact(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A row of the ledger in words."""

    at: str
    what: str
    """``call``, ``sms``, or the kind of an event around a contact."""
    peer: str = ""
    """Empty: not known, or a sender that is no number."""
    direction: str = ""
    duration_s: float = 0.0
    links: str = ""
    """By what else the row is found: the hosts and links of an SMS, or a number that it names."""


class ExportedRecord(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A record of a topic."""

    at: str
    key: str = ""
    value: msgspec.Raw


class Export(msgspec.Struct, kw_only=True):
    """The document."""

    number: str
    case: str
    at: str
    contacts: list[ExportedContact]
    """What the ledger has of calls and SMS; texts are not kept."""
    signals: list[Signal]
    """What the worker remembers, and in the next two what it has published or is about to publish."""
    alerts: list[Alert]
    reminders: list[Reminder]
    records: dict[str, list[ExportedRecord]]
    """The records of Kafka's topics that have the number, or the id of one of the person's cases."""
    not_included: list[str]


NOT_INCLUDED = [
    "The records in the topics calls and sms: the ledger has the contacts, and the texts are deleted with the topics.",
    "Refused records in dead-letters, which cannot be searched.",
    "Contacts of other people with this number, which are these people's data as well.",
]


def document_of(places: Places, holdings: Holdings, case: str) -> Export:
    """The document of what was found. Reads the ledger; raises `LedgerError`."""
    wanted, storage = Wanted(holdings.number, holdings.before), places.storage
    contacts = [
        _contact(contact)
        for segment in (storage.segments() if storage is not None else ())
        for table in own_rows(storage, segment, wanted)  # type: ignore[arg-type]  # there is one if it has segments
        for contact in contacts_of(table)
    ]
    subject = holdings.subject or Subject()
    return Export(
        number=holdings.number,
        case=case,
        at=moment(holdings.at),
        contacts=sorted(contacts, key=lambda each: each.at),
        signals=subject.signals,
        alerts=[*holdings.outbox.alerts, *(word.last for word in subject.published.values())],
        reminders=[*holdings.outbox.reminders],
        records=_records(holdings),
        not_included=NOT_INCLUDED,
    )


def encode(document: Export) -> bytes:
    """The document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _records(holdings: Holdings) -> dict[str, list[ExportedRecord]]:
    found: Iterator[tuple[str, list[ExportedRecord]]] = (
        (name, [_record(each) for each in held.records if each.value is not None])
        for name, held in holdings.topics.items()
    )
    return {name: records for name, records in found if records}


def _record(record: Any) -> ExportedRecord:
    value = record.value
    try:
        msgspec.json.decode(value)
    except ValueError:  # it stays readable as a text
        value = msgspec.json.encode(value.decode(errors="replace"))
    key = (record.key or b"").decode(errors="replace")
    return ExportedRecord(at=moment(record.timestamp), key=key, value=msgspec.Raw(value))


def _contact(contact: Contact) -> ExportedContact:
    if contact.is_context:
        what, direction = CONTEXT_KINDS[contact.what - CONTEXT], ""
    else:
        what, direction = "sms" if contact.is_sms else "call", "out" if contact.is_outgoing else "in"
    return ExportedContact(
        at=moment(contact.at),
        what=what,
        peer=number_of(contact.peer),
        direction=direction,
        duration_s=max(contact.duration_s, 0.0),
        links=contact.links,
    )
