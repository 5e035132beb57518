"""Naming: finds which of the requested indicators a contact belongs to.

The ledger finds contacts by key, and two hosts may share one hash. So the contact's own number or links decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from models.base.number_keys import key_of, number_of
from models.indicators.matching import split_url, starts_of
from models.lookback.contacts import LINKED
from models.lookback.hunting import Contact
from models.lookback.keys import bare_host
from models.texts.domains import normalise_url, parents


class Named:
    """Finds which of the requested indicators a contact belongs to."""

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
        """The keys (``type:value``) of these indicators; none for a contact that only shares a hash."""
        if contact.is_context:
            return ()
        if contact.named:
            return [*self._by_number(key_of(contact.named))]
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
