"""Naming: finds which of the requested indicators a contact belongs to.

The ledger finds contacts by key, and two hosts may share one hash. So the contact's own number or hosts decide, and for
a URL the hashes of its links.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from models.base.number_keys import key_of, number_of
from models.indicators.path_hashes import PathHashes
from models.lookback.contacts import LINKED
from models.lookback.hunting import Contact
from models.texts.domains import parents


class Named:
    """Finds which of the requested indicators a contact belongs to; ``hashes`` are those of the ledger's links."""

    def __init__(self, indicators: Iterable[str], hashes: PathHashes) -> None:
        self._numbers: dict[int, str] = {}
        self._prefixes: dict[int, set[str]] = {}
        self._domains: set[str] = set()
        self._urls: dict[int, str] = {}
        """By the hash of the URL."""
        for indicator in indicators:
            kind, _, value = indicator.partition(":")
            if kind == "number":
                self._numbers[key_of(value)] = indicator
            elif kind == "number-prefix":
                self._prefixes.setdefault(len(value), set()).add(value)
            elif kind == "domain":
                self._domains.add(value)
            else:
                self._urls[hashes.of_listed(value)] = indicator

    def __call__(self, contact: Contact) -> Sequence[str]:
        """The keys (``type:value``) of these indicators; none for a contact that only shares a hash."""
        if contact.is_context:
            return ()
        if contact.named:
            return [*self._by_number(key_of(contact.named))]
        if not contact.what & LINKED:
            return [*self._by_number(contact.peer)]
        names = (name for host in contact.links.split(" ") for name in parents(host) or (host,))
        named = [f"domain:{name}" for name in names if name in self._domains]
        named += [self._urls[path] for path in contact.paths if path in self._urls]
        return [*dict.fromkeys(named)]

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
