"""Exporting: what the site holds of a person as one readable JSON document, to answer the person's request."""

from __future__ import annotations

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
from streams.person.holdings import CASES, Holdings, Places
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
    """By what else the row is found: the hosts of an SMS, or a number that its text names."""


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
    """The records of Kafka's topics that are about the number or one of the person's cases."""
    not_included: list[str]


NOT_INCLUDED = [
    "The records in the topics calls and sms: the ledger has the contacts, and the texts are deleted with the topics.",
    "Refused records in dead-letters, which cannot be searched.",
    "What is about other people and has this number, such as their contacts with it.",
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
        records=records_of(holdings),
        not_included=NOT_INCLUDED,
    )


def encode(document: Export) -> bytes:
    """The document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def records_of(holdings: Holdings) -> dict[str, list[ExportedRecord]]:
    """The person's own records by topic; those of other people that name the number are left out."""
    found: dict[str, list[ExportedRecord]] = {}
    cases: set[str] = set()
    for name in sorted(holdings.topics, key=lambda name: name != CASES):  # the cases first: others are known by them
        for record in holdings.topics[name].records:
            about = _about(record.value)
            if about.subscriber == holdings.number:
                cases |= {about.case} - {""}
            if _text(record.key) in (holdings.number, f"number:{holdings.number}") or about.case in cases:
                found.setdefault(name, []).append(_record(record))
    return found


class _About(msgspec.Struct):
    """Whom a record is about, as the records of all topics say it."""

    subscriber: str = ""
    case: str = ""


_decoder = msgspec.json.Decoder(_About)


def _about(value: bytes | None) -> _About:
    try:
        return _decoder.decode(value or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _About()


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")


def _record(record: Any) -> ExportedRecord:
    value = record.value or b"null"
    try:
        msgspec.json.decode(value)
    except ValueError:  # it stays readable as a text
        value = msgspec.json.encode(_text(value))
    return ExportedRecord(at=moment(record.timestamp), key=_text(record.key), value=msgspec.Raw(value))


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
