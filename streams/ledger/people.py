"""The people whom a number or domain has reached: what a look-up finds, one line for each person and indicator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from models.base.number_keys import key_of, number_of
from models.events.scanning import ENDED
from models.indicators.matching import split_url, starts_of
from models.lookback.contacts import LINKED, host_key
from models.lookback.hunting import Contact
from models.texts.domains import normalise_url, parents
from streams.ledger.lookup import Keys, prefix_ranges


class Reached(msgspec.Struct, kw_only=True):
    """One person whom one indicator has reached; times are epoch ms."""

    indicator: str
    """``type:value``."""
    subscriber: str
    first_at: int
    last_at: int
    contacts: int = 0
    """Calls and SMS, each once."""
    calls_in: int = 0
    calls_out: int = 0
    sms_in: int = 0
    sms_out: int = 0
    talk_s: float = 0.0
    """Talk time of all calls."""


def keys_of(indicators: Iterable[str]) -> Keys:
    """The keys under which the contacts of indicators (``type:value``) are found."""
    keys: list[int] = []
    ranges: list[tuple[int, int]] = []
    for indicator in indicators:
        kind, _, value = indicator.partition(":")
        if kind == "number":
            keys.append(key_of(value))
        elif kind == "number-prefix":
            ranges += prefix_ranges(value)
        else:
            keys.append(host_key(value if kind == "domain" else bare_host(value)))
    return Keys.of(keys, ranges)


def bare_host(url: str) -> str:
    """The host of a normalised URL, without its port."""
    host = split_url(url)[0]
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def contacts_of(table: pa.Table) -> Iterator[Contact]:
    """The rows of a table with all columns."""
    keys, subscribers, at, whats, events = (
        table.column(name).to_pylist() for name in ("key", "subscriber", "at", "what", "event")
    )
    peers = pc.coalesce(table.column("peer"), table.column("key")).to_pylist()
    durations = pc.fill_null(table.column("duration_s"), -1.0).to_pylist()
    links = pc.fill_null(table.column("links"), "").to_pylist()
    yield from map(Contact, keys, subscribers, peers, at, whats, durations, events, links)


@dataclass(slots=True)
class _Seen:
    """What has been seen of one person and one indicator."""

    line: Reached
    events: set[tuple[str, int]] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)


class People:
    """Adds contacts up, person by person; ``named`` says to which of the indicators looked for a contact belongs."""

    def __init__(self, named: Callable[[Contact], Sequence[str]]) -> None:
        self._named = named
        self._seen: dict[tuple[str, int], _Seen] = {}

    def add(self, contact: Contact) -> None:
        """Take in one contact; one that was taken in before counts for nothing."""
        for indicator in self._named(contact):
            storage = indicator, contact.subscriber
            seen = self._seen.get(storage)
            if seen is None:
                line = Reached(
                    indicator=indicator,
                    subscriber=number_of(contact.subscriber),
                    first_at=contact.at,
                    last_at=contact.at,
                )
                seen = self._seen[storage] = _Seen(line)
            self._count(seen, contact)

    def _count(self, seen: _Seen, contact: Contact) -> None:
        what = contact.what & ~LINKED
        if (contact.event, what) in seen.events:
            return
        seen.events.add((contact.event, what))
        line = seen.line
        line.first_at, line.last_at = min(line.first_at, contact.at), max(line.last_at, contact.at)
        if what & ENDED:
            line.talk_s += max(contact.duration_s, 0.0)
        if contact.event in seen.calls:
            return
        seen.calls.add(contact.event)
        line.contacts += 1
        if contact.is_sms:
            line.sms_out += contact.is_outgoing
            line.sms_in += not contact.is_outgoing
        else:
            line.calls_out += contact.is_outgoing
            line.calls_in += not contact.is_outgoing

    def lines(self) -> list[Reached]:
        """Everyone who was reached, latest first."""
        return sorted((seen.line for seen in self._seen.values()), key=lambda each: (-each.last_at, each.subscriber))


class Named:
    """Which of the indicators looked for a contact belongs to."""

    def __init__(self, indicators: Iterable[str]) -> None:
        self._numbers: dict[int, str] = {}
        self._prefixes: dict[int, set[str]] = {}
        self._domains: set[str] = set()
        self._urls: dict[str, set[str]] = {}
        for indicator in indicators:
            kind, _, value = indicator.partition(":")
            if kind == "number":
                self._numbers[key_of(value)] = indicator
            elif kind == "number-prefix":
                self._prefixes.setdefault(len(value), set()).add(value)
            elif kind == "domain":
                self._domains.add(value)
            else:
                self._urls.setdefault(bare_host(value), set()).add(value)

    def __call__(self, contact: Contact) -> Sequence[str]:
        """Their keys (``type:value``), none for a contact that only shares a hash."""
        if contact.is_context:
            return ()
        if not contact.what & LINKED:
            return [*self._by_number(contact.peer)]
        links = contact.links.split(" ")
        named: dict[str, None] = {}
        for link in links:
            if "://" not in link:
                for name in parents(link) or (link,):
                    if name in self._domains:
                        named[f"domain:{name}"] = None
        for link in links:
            if "://" in link:
                named |= dict.fromkeys(self._by_url(link))
        return [*named]

    def _by_number(self, peer: int) -> Iterator[str]:
        known = self._numbers.get(peer)
        if known is not None:
            yield known
        if not self._prefixes:
            return
        number = number_of(peer)
        for length, prefixes in self._prefixes.items():
            if number[:length] in prefixes:
                yield f"number-prefix:{number[:length]}"

    def _by_url(self, link: str) -> Iterator[str]:
        try:
            host, path = split_url(normalise_url(link))
        except ValueError:
            return
        listed = self._urls.get(bare_host(host))
        if listed:
            for start in starts_of(path):
                if f"{host}{start}" in listed:
                    yield f"url:{host}{start}"
