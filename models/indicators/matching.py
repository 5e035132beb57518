"""Matching: all known numbers, prefixes, domains and URLs in memory, with one look-up per event.

This is the second step of the hot path. A million indicators must fit in memory with everything else, so repeated
values (scam type, confidence, validity) are stored once and shared.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from models.base.number_keys import key_of
from models.indicators.hotlines import HotlineKind
from models.indicators.indicator import SUSPECTED, Indicator
from models.indicators.numbers import hotlines
from models.indicators.path_hashes import NEXT_LINK, PUBLIC, PathHashes
from models.indicators.prefilter import HostPrefilter, NumberPrefilter
from models.indicators.text_numbers import TextNumberPrefilter
from models.indicators.url_starts import split_url, starts_of
from models.texts.domains import normalise_url, parents


class Listing(NamedTuple):
    """An indicator's statement about the contacts that it matches; shared by all indicators with the same statement."""

    scam_type: str
    confidence: int
    valid_from: int
    valid_until: int

    def holds_at(self, at: int) -> bool:
        """Whether the indicator is valid at an event time (epoch ms)."""
        return self.valid_from <= at < self.valid_until

    def is_over(self, at: int) -> bool:
        """Whether the indicator's validity has ended by an event time (epoch ms)."""
        return self.valid_until <= at


@dataclass(frozen=True, slots=True)
class Match:
    """The match of an event: the indicator's key (``type:value``) and its listing."""

    key: str
    known: Listing


FOREVER = sys.maxsize


class Indicators:
    """The indicators that a worker matches against; they change as their topic is read.

    ``numbers`` and ``hosts`` are prefilters over every indicator and hotline: an event that they drop matches nothing.
    ``text_numbers`` is one for texts in which a known number is written. ``hashes`` are those of a ledger's links; only
    a program that looks back needs the site's.
    """

    def __init__(self, indicators: Iterable[Indicator] = (), hashes: PathHashes = PUBLIC) -> None:
        protected, prefilter = _protected()
        self.numbers = prefilter.copy()
        self.hosts = HostPrefilter()
        self.text_numbers = TextNumberPrefilter()
        self.watched: dict[str, Listing | str] = dict(protected)
        """Every known number and every hotline."""
        self.prefix_lengths: tuple[int, ...] = ()
        self._prefixes: dict[str, Listing] = {}
        self._domains: dict[str, Listing] = {}
        self._urls: dict[str, dict[str, Listing]] = {}
        self.hashes = hashes
        self._hashed: dict[int, str] | None = None
        """The listed URLs by their hash; None until a link is first matched by its hashes."""
        self._shared: dict[Listing, Listing] = {}
        self._removed: set[str] = set()
        self.counts = dict.fromkeys(("number", "number-prefix", "domain", "url"), 0)
        for indicator in indicators:
            self.put(indicator)

    def __len__(self) -> int:
        return sum(self.counts.values())

    def put(self, indicator: Indicator) -> None:
        """Add an indicator, or replace it by its new version; a revoked indicator is removed."""
        if indicator.revoked:
            self.remove(indicator.key)
            return
        until = indicator.valid_until if indicator.valid_until is not None else FOREVER
        known = Listing(indicator.scam_type, indicator.confidence, indicator.valid_from, until)
        known = self._shared.setdefault(known, known)
        self._removed.discard(indicator.key)
        self._add_to_prefilters(indicator)
        if indicator.type == "url":
            self._urls.setdefault(split_url(indicator.value)[0], {})
            if self._hashed is not None:
                self._hashed[self.hashes.of_listed(indicator.value)] = indicator.value
        place, name = self._place(indicator.type, indicator.value)
        if name not in place:
            self.counts[indicator.type] += 1
        place[name] = known
        if indicator.type == "number-prefix":
            self._measure_prefixes()

    def remove(self, key: str) -> bool:
        """Remove an indicator by its key (``type:value``); False when it was not known."""
        self._removed.add(key)
        kind, _, value = key.partition(":")
        place, name = self._place(kind, value)
        if name not in place or isinstance(place[name], str):
            return False
        del place[name]
        self.counts[kind] -= 1
        if kind == "number-prefix":
            self._measure_prefixes()
        if kind == "url":
            if not place:
                del self._urls[split_url(value)[0]]
            if self._hashed is not None:
                self._hashed.pop(self.hashes.of_listed(value), None)
        return True

    def is_removed(self, key: str) -> bool:
        """Whether a record has removed the indicator with this key; one that was never known is not removed."""
        return key in self._removed

    def holds(self, key: str) -> bool:
        """Whether the indicator with this key is known at present."""
        return self.known(key) is not None

    def known(self, key: str) -> Listing | None:
        """The present listing of a key (``type:value``); None when the key is unknown."""
        kind, _, value = key.partition(":")
        place, name = self._place(kind, value)
        known = place.get(name)
        return known if isinstance(known, Listing) else None

    def number(self, number: str, at: int) -> Match | None:
        """The indicator that matches a number at an event time: the number itself, or else its longest prefix.

        A number that is only suspected gives way to a prefix of higher confidence.
        """
        own = self.watched.get(number)
        if isinstance(own, str):
            return None  # a prefix never covers a hotline
        suspected: Match | None = None
        if own is not None and own.holds_at(at):
            match = Match(f"number:{number}", own)
            if own.scam_type != SUSPECTED:
                return match
            suspected = match
        for length in self.prefix_lengths:
            prefix = number[:length]
            known = self._prefixes.get(prefix)
            if known is None or not known.holds_at(at):
                continue
            if suspected is None or known.confidence > suspected.known.confidence:
                return Match(f"number-prefix:{prefix}", known)
        return suspected

    def host(self, host: str, at: int) -> Match | None:
        """The indicator that matches a host at an event time: the host itself, or else its nearest listed parent."""
        for name in parents(host):
            known = self._domains.get(name)
            if known is not None and known.holds_at(at):
                return Match(f"domain:{name}", known)
        return None

    def url(self, url: str, at: int) -> Match | None:
        """The indicator that matches a URL at an event time: a listed URL covers every URL below its path."""
        return self._longest(self._covering(url), at)

    def listed(self, url: str) -> str:
        """The longest listed URL that covers a URL, whatever its validity; empty when none does.

        Unlike the URL itself, it is public, and every other listed URL that covers the one also covers the other.
        """
        return next(self._covering(url), "")

    def hashed_links(self, paths: Sequence[int], at: int) -> Iterator[tuple[str, Match]]:
        """The matches of a text's links at an event time, each with the longest listed URL that covers the link.

        Of the links only the hashes are known, as `PathHashes.of_links` gives them. The matches are those of `url`.
        """
        if not paths or not self._urls:
            return
        if self._hashed is None:
            listed = [f"{host}{start}" for host, starts in self._urls.items() for start in starts]
            self._hashed = dict(zip(self.hashes.of_all_listed(listed), listed, strict=True))
        covering: list[str] = []
        for each in (*paths, NEXT_LINK):
            if each in self._hashed:
                covering.insert(0, self._hashed[each])
            elif each == NEXT_LINK:
                match = self._longest(covering, at)
                if match is not None:
                    yield covering[0], match
                covering = []

    def _covering(self, url: str) -> Iterator[str]:
        """The listed URLs that cover a URL, longest first."""
        try:
            host, path = split_url(normalise_url(url))
        except ValueError:
            return
        listed = self._urls.get(host)
        if listed:
            yield from (f"{host}{start}" for start in starts_of(path) if start in listed)

    def _longest(self, covering: Iterable[str], at: int) -> Match | None:
        """The match of the first of these listed URLs that is valid at an event time."""
        for value in covering:
            known = self.known(f"url:{value}")
            if known is not None and known.holds_at(at):
                return Match(f"url:{value}", known)
        return None

    @property
    def knows_urls(self) -> bool:
        """Whether any URL is listed; if not, no text needs a search for URLs."""
        return bool(self._urls)

    def _add_to_prefilters(self, indicator: Indicator) -> None:
        """Make the prefilters keep everything that the indicator may match."""
        if indicator.type == "number":
            self.numbers.add_number(indicator.value)
            self.text_numbers.add_number(indicator.value)
        elif indicator.type == "number-prefix":
            self.numbers.add_prefix(indicator.value)
            self.text_numbers.add_prefix(indicator.value)
        elif indicator.type == "domain":
            self.hosts.add_host(indicator.value)
        else:
            host = split_url(indicator.value)[0]
            self.hosts.add_host(host if host.startswith("[") else host.partition(":")[0])

    def _place(self, kind: str, value: str) -> tuple[dict[str, Listing | str] | dict[str, Listing], str]:
        if kind == "number":
            return self.watched, value
        if kind == "number-prefix":
            return self._prefixes, value
        if kind == "domain":
            return self._domains, value
        if kind == "url":
            host, path = split_url(value)
            return self._urls.get(host, {}), path
        return {}, value  # a tombstone's key may be anything

    def _measure_prefixes(self) -> None:
        self.prefix_lengths = tuple(sorted({len(prefix) for prefix in self._prefixes}, reverse=True))


@cache
def _protected() -> tuple[dict[str, HotlineKind], NumberPrefilter]:
    """Every form of a hotline, and a prefilter that keeps them; `Indicators` begin with copies of both."""
    forms = hotlines()
    prefilter = NumberPrefilter()
    prefilter.add_all(map(key_of, forms))
    return forms, prefilter
