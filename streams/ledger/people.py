"""People: the people that a number or domain has reached, one line for each person and indicator of a look-up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from models.base.number_keys import number_of
from models.events.scanning import ENDED
from models.lookback.contacts import LINKED
from models.lookback.hunting import Contact


class Reached(msgspec.Struct, kw_only=True):
    """One person that one indicator has reached; times are event times in epoch ms."""

    indicator: str
    """``type:value``."""
    subscriber: str
    first_at: int
    last_at: int
    contacts: int = 0
    """The number of calls and SMS, each counted once."""
    calls_in: int = 0
    calls_out: int = 0
    sms_in: int = 0
    sms_out: int = 0
    talk_s: float = 0.0
    """Talk time (s) of all calls."""


def contacts_of(table: pa.Table) -> Iterator[Contact]:
    """The rows of a table as contacts; the table must have all columns."""
    keys, subscribers, at, whats, events = (
        table.column(name).to_pylist() for name in ("key", "subscriber", "at", "what", "event")
    )
    peers = pc.coalesce(table.column("peer"), table.column("key")).to_pylist()
    durations = pc.fill_null(table.column("duration_s"), -1.0).to_pylist()
    links = pc.fill_null(table.column("links"), "").to_pylist()
    paths = (each or () for each in table.column("paths").to_pylist())
    yield from map(Contact, keys, subscribers, peers, at, whats, durations, events, links, paths)


@dataclass(slots=True)
class _Seen:
    """What has been counted so far for one person and one indicator."""

    line: Reached
    events: set[tuple[str, int, int]] = field(default_factory=set)
    begun: dict[tuple[str, bool], set[int]] = field(default_factory=dict)
    """By id, of an SMS or a call: the times at which one began. More than one, if the id was used again."""


class People:
    """Adds up contacts for each person; ``named`` returns the indicators of the look-up that a contact belongs to."""

    def __init__(self, named: Callable[[Contact], Sequence[str]]) -> None:
        self._named = named
        self._seen: dict[tuple[str, int], _Seen] = {}

    def add(self, contact: Contact) -> None:
        """Count one contact; a repeated one is ignored."""
        for indicator in self._named(contact):
            pair = indicator, contact.subscriber
            seen = self._seen.get(pair)
            if seen is None:
                line = Reached(
                    indicator=indicator,
                    subscriber=number_of(contact.subscriber),
                    first_at=contact.at,
                    last_at=contact.at,
                )
                seen = self._seen[pair] = _Seen(line)
            self._count(seen, contact)

    def _count(self, seen: _Seen, contact: Contact) -> None:
        what = contact.what & ~LINKED
        record = contact.event, what, contact.at
        if record in seen.events:
            return
        seen.events.add(record)
        line = seen.line
        line.first_at, line.last_at = min(line.first_at, contact.at), max(line.last_at, contact.at)
        if what & ENDED:
            line.talk_s += max(contact.duration_s, 0.0)
        if not _is_new(seen, contact):
            return
        line.contacts += 1
        if contact.is_sms:
            line.sms_out += contact.is_outgoing
            line.sms_in += not contact.is_outgoing
        else:
            line.calls_out += contact.is_outgoing
            line.calls_in += not contact.is_outgoing

    def lines(self) -> list[Reached]:
        """All people that were reached, latest first."""
        return sorted((seen.line for seen in self._seen.values()), key=lambda each: (-each.last_at, each.subscriber))


def _is_new(seen: _Seen, contact: Contact) -> bool:
    """Whether this record is of a call or SMS that has not been counted: its first, or another beginning of its id."""
    name = contact.event, contact.is_sms
    is_known = name in seen.begun
    begun = seen.begun.setdefault(name, set())
    if not contact.is_sms and contact.what & ENDED:
        return not is_known
    is_again = bool(begun) and contact.at not in begun
    begun.add(contact.at)
    return is_again or not is_known
