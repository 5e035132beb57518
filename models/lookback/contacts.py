"""Contacts: what the ledger keeps of events, so that a number or domain that becomes known later finds whom it reached.

One kind of row for everything, found by one integer key: a call or SMS by its peer's number, an SMS once more by each
host that a link of it lies below, and what happened around contacts (codes, calls to a bank or to 110) by whose it is.
Made from the columns of a batch, since every event comes through here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.base.compiled import compiled
from models.base.number_keys import key_of
from models.detection.recognition import normal_hosts
from models.detection.signals import BANK_CALL, BANK_NOTICE, CHECK_CALL, CODE, LONG_CALL, Signal
from models.events.batches import NAMED, NO_ID, UNREAD, Calls, Messages
from models.events.event import Sms
from models.lookback.host_key_cache import MetHosts
from models.texts.domains import parents
from models.texts.extraction import LONGEST, read, read_with_traits
from models.texts.hosts import find_hosts
from models.texts.names import ordinary
from models.texts.plain_links import CLOSELY, plain_links
from models.texts.prefilter import DISGUISE, DOT
from models.texts.templates import templates_of

# What a row is, by bits; the lowest two are those of `models.events.scanning`.
SMS: Final = 4
LINKED: Final = 8
"""An SMS by a host that it links to."""
CONTEXT: Final = 16
"""A context signal of the subscriber; its code's place in `CONTEXT_CODES` is in the lower bits."""

CONTEXT_CODES: Final = (CODE, BANK_NOTICE, BANK_CALL, CHECK_CALL, LONG_CALL)
"""In the order of what is written: never to be changed, only to be continued."""
_PLACES: Final = {code: place for place, code in enumerate(CONTEXT_CODES)}

_OWN: Final = 1 << 60
"""Added to a subscriber's code, so that no peer has the same key."""


def own_key(subscriber: int) -> int:
    """The key of what happened to a subscriber, by the code of the number."""
    return subscriber + _OWN


def host_key(host: str) -> int:
    """The key of a normalised host: negative, as no number's is.

    >>> host_key("evil.top") < 0
    True
    """
    return -1 - (int.from_bytes(blake2b(host.encode(), digest_size=8).digest(), "big") >> 2)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of the ledger as columns of one length."""

    keys: NDArray[np.int64]
    subscribers: NDArray[np.int64]
    """Codes (`models.base.number_keys`), as are the peers."""
    peers: NDArray[np.int64]
    times: NDArray[np.int64]
    """Epoch milliseconds, event time."""
    whats: NDArray[np.uint8]
    durations: NDArray[np.float64]
    """Talk time in seconds; -1 where none is given."""
    ids: NDArray[np.uint8]
    """The events' ids in UTF-8, one behind the other."""
    id_ends: NDArray[np.int64]
    links: NDArray[np.uint8] | None = None
    """The hosts and URLs of each SMS, joined by spaces, in UTF-8 one behind the other; None when no row has any."""
    link_ends: NDArray[np.int64] | None = None
    templates: NDArray[np.int64] | None = None
    """The template of each SMS (`models.texts.templates`); None when no row has any."""

    def __len__(self) -> int:
        return len(self.keys)


def rows_of_calls(some: Sequence[Calls]) -> Rows:
    """A row for each call record of some batches, by its peer."""
    peers = np.concatenate([calls.peers for calls in some])
    ids = [_ids(calls) for calls in some]
    shift = np.cumsum([0, *(len(gathered) for gathered, _ in ids)])
    return Rows(
        peers,
        np.concatenate([calls.subscribers for calls in some]),
        peers,
        np.concatenate([calls.times for calls in some]),
        np.concatenate([calls.kinds for calls in some]),
        np.concatenate([calls.durations for calls in some]),
        np.concatenate([gathered for gathered, _ in ids]),
        np.concatenate([ends + start for (_, ends), start in zip(ids, shift[:-1], strict=True)]),
    )


def rows_of_messages(messages: Messages) -> Iterator[Rows]:
    """A row for each SMS, by its peer; and one for each host that a link of it lies below, by that host."""
    none = np.full(len(messages), -1.0)
    yield Rows(
        *(messages.peers, messages.subscribers, messages.peers, messages.times, messages.kinds | np.uint8(SMS), none),
        *_ids(messages),
    )
    traits = messages.traits
    closely = (traits & (DISGUISE | NAMED | UNREAD)) > 0
    plain = np.flatnonzero(~closely & ((traits & DOT) > 0))
    if len(plain):
        begins, ends = messages.text_begins[plain], messages.text_ends[plain]
        host_begins, host_ends, url_ends = plain_links(messages.texts, begins, ends)
        closely[plain[host_begins == CLOSELY]] = True
        found = np.flatnonzero(host_begins >= 0)
        paths = np.minimum(url_ends[found] - host_ends[found], _LONG_PATH)
        for path in np.unique(paths).tolist():
            some = found[paths == path]
            spans = host_begins[some], host_ends[some], url_ends[some]
            yield from _plainly_linked(messages, plain[some], *spans, path, closely)
    yield from _closely_linked(messages, np.flatnonzero(closely))


def _plainly_linked(
    messages: Messages, rows: Any, host_begins: Any, host_ends: Any, url_ends: Any, path: int, closely: Any
) -> Iterator[Rows]:
    """The rows of plain links with a path of so many signs; those that may have no host are marked to be read closely.

    What a host is depends on its path only in whether there is one, and by the signs of a short one.
    """
    keys, counts = _MET[path].keys(messages.texts, host_begins, host_ends)
    closely[rows[counts == 0]] = True
    if len(keys):
        sizes = (
            (host_ends - host_begins) + 1 + (url_ends - host_begins) + np.where(_is_https(messages, host_begins), 8, 7)
        )
        each = np.repeat(np.arange(len(counts)), counts)
        link_ends = np.cumsum(sizes[each])
        links = np.empty(int(link_ends[-1]), dtype=np.uint8)
        _spell_links(messages.texts, host_begins[each], host_ends[each], url_ends[each], links)
        templates = templates_of(messages.texts, messages.text_begins[rows], messages.text_ends[rows])
        yield _linked(messages[rows[each]], keys, links, link_ends, templates[each])


def _closely_linked(messages: Messages, rows: Any) -> Iterator[Rows]:
    """The rows of all other links, as the scoring reads them."""
    found: list[int] = []
    keys: list[int] = []
    links: list[bytes] = []
    texts = messages.texts.tobytes() if len(rows) else b""
    spans = messages.traits[rows], messages.text_begins[rows], messages.text_ends[rows]
    for row, traits, begin, end in zip(rows.tolist(), *(each.tolist() for each in spans), strict=True):
        if traits & (NAMED | UNREAD):
            named, link = _read_whole(messages.event(row), traits)
        else:
            named, link = _read_once(texts[begin:end], traits)
        if named:
            found += [row] * len(named)
            keys += named
            links += [link] * len(named)
    if found:
        linked = messages[np.array(found, dtype=np.int64)]
        yield _linked(
            linked,
            np.array(keys, dtype=np.int64),
            np.frombuffer(b"".join(links), dtype=np.uint8),
            np.cumsum([len(each) for each in links], dtype=np.int64),
            templates_of(linked.texts, linked.text_begins, linked.text_ends),
        )


def _read_whole(message: Sms, traits: int) -> tuple[Sequence[int], bytes]:
    """The keys and links of an SMS whose record names domains of its own, or whose text the columns do not hold."""
    text = (message.text or "")[:LONGEST]
    hosts, urls, _ = read(text) if traits & UNREAD else read_with_traits(text, traits)
    return _keys_and_links((*normal_hosts(message.domains or ()), *hosts), urls)


_MOST_READ: Final = 1 << 14
_read_lately: OrderedDict[bytes, tuple[Sequence[int], bytes]] = OrderedDict()


def _read_once(spelt: bytes, traits: int) -> tuple[Sequence[int], bytes]:
    """The keys and links of a text; of a mass mailing's many copies one is read, and none is kept but as a digest."""
    digest = blake2b(spelt, digest_size=16).digest()
    known = _read_lately.get(digest)
    if known is None:
        hosts, urls, _ = read_with_traits(spelt.decode("utf-8", "replace")[:LONGEST], traits)
        known = _read_lately[digest] = _keys_and_links(hosts, urls)
        if len(_read_lately) > _MOST_READ:
            _read_lately.popitem(last=False)
    return known


def _keys_and_links(hosts: Sequence[str], urls: Sequence[str]) -> tuple[Sequence[int], bytes]:
    keys = {key: None for host in hosts for key in _host_keys(host)}
    return tuple(keys), " ".join((*hosts, *urls)).encode()


def _linked(linked: Messages, keys: Any, links: Any, link_ends: Any, templates: Any) -> Rows:
    return Rows(
        *(keys, linked.subscribers, linked.peers, linked.times, linked.kinds | np.uint8(SMS | LINKED)),
        np.full(len(keys), -1.0),
        *_ids(linked),
        *(links, link_ends, templates),
    )


def rows_of_context(signals: Iterable[tuple[str, Signal]]) -> Rows | None:
    """A row for each context signal, by its subscriber; other signals have none."""
    found = [(subscriber, signal) for subscriber, signal in signals if signal.code in _PLACES]
    if not found:
        return None
    subscribers = np.array([key_of(subscriber) for subscriber, _ in found], dtype=np.int64)
    ids = [signal.event.encode() for _, signal in found]
    return Rows(
        subscribers + _OWN,
        subscribers,
        np.array([key_of(signal.peer) for _, signal in found], dtype=np.int64),
        np.array([signal.at for _, signal in found], dtype=np.int64),
        np.array([CONTEXT + _PLACES[signal.code] for _, signal in found], dtype=np.uint8),
        np.array([signal.duration_s for _, signal in found], dtype=np.float64),
        np.frombuffer(b"".join(ids), dtype=np.uint8),
        np.cumsum([len(each) for each in ids], dtype=np.int64),
    )


def _is_https(messages: Messages, host_begins: Any) -> Any:
    """Of plain links, whether the scheme that stands right before the host is https."""
    return messages.texts[host_begins - 4] == ord("s")


_LONG_PATH: Final = 4
"""Signs of a path that is enough to say that what stands before it is a host, if it can be one."""


def _keys_of(host: str, path: int) -> Sequence[int]:
    """The keys of a host as it is spelt in a plain link with a path of so many signs (`_LONG_PATH`: or more).

    None when it is no host for sure; with a scheme before it, that is a question of the name alone.
    """
    if 0 < path < _LONG_PATH:
        return _host_keys(host) if ordinary(host, True) == host else ()
    found = find_hosts(f"https://{host}/abc")
    keys = _host_keys(host) if [one.host for one in found] == [host] else ()
    if path == 0 and keys and [one.host for one in find_hosts(f"https://{host}")] != [host]:
        return ()
    return keys


_MET: Final = [MetHosts(partial(_keys_of, path=path)) for path in range(_LONG_PATH + 1)]
"""By the path's length, the hosts that have been met in plain links."""


@lru_cache(maxsize=1 << 15)
def _host_keys(host: str) -> Sequence[int]:
    """The keys of a host and of all that it lies below."""
    return tuple(map(host_key, parents(host) or (host,)))


@compiled
def _spell_links(texts: Any, host_begins: Any, host_ends: Any, url_ends: Any, links: Any) -> None:
    """Write each plain link's host, a space and its URL one behind the other."""
    to = 0
    for index in range(host_begins.size):
        begin = host_begins[index]
        for at in range(begin, host_ends[index]):
            links[to] = texts[at]
            to += 1
        links[to] = 32
        to += 1
        for at in range(begin - (8 if texts[begin - 4] == 115 else 7), url_ends[index]):
            links[to] = texts[at]
            to += 1


def _ids(events: Calls | Messages) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The ids one behind the other, and where each ends."""
    buffer, begins, ends = events.records.buffer, events.ids.begins, events.ids.ends
    unread = np.flatnonzero(begins == NO_ID)
    if len(unread):
        spelt = [events.event(row).id.encode() for row in unread.tolist()]
        begins, ends = begins.copy(), ends.copy()
        ends[unread] = len(buffer) + np.cumsum([len(each) for each in spelt])
        begins[unread] = ends[unread] - [len(each) for each in spelt]
        buffer = np.concatenate((buffer, np.frombuffer(b"".join(spelt), dtype=np.uint8)))
    id_ends = np.cumsum(ends - begins)
    gathered = np.empty(int(id_ends[-1]) if len(id_ends) else 0, dtype=np.uint8)
    _gather(buffer, begins, ends, gathered)
    return gathered, id_ends


@compiled
def _gather(buffer: Any, begins: Any, ends: Any, gathered: Any) -> None:
    to = 0
    for index in range(begins.size):
        for at in range(begins[index], ends[index]):
            gathered[to] = buffer[at]
            to += 1
