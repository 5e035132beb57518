"""Link rows: a row of the ledger for each host that an SMS links to, and for each domain that the host lies below.

A row has the hosts, and hashes by which a URL that is listed later finds it (`models.indicators.path_hashes`), but no
link. Each number that a text names has a row as well (`models.lookback.number_rows`).

Most links are plain, and compiled code finds them. The others are read in the same way as for scoring. Mass mailings
repeat their hosts and texts, so each is read once and then remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from hashlib import blake2b
from itertools import chain
from typing import Any, Final

import numpy as np

from models.detection.recognition import normal_hosts
from models.events.batches import NAMED, UNREAD, Messages
from models.events.event import Sms
from models.events.numbering import CHINA, Sources
from models.indicators.path_hashes import PUBLIC, PathHashes
from models.lookback.contacts import LINKED, SMS, Rows, gathered, host_key, ids_of
from models.lookback.host_key_cache import MetHosts
from models.lookback.number_rows import MetNumbers, rows_of_named_numbers
from models.texts.domains import parents
from models.texts.extraction import LONGEST, read, read_with_traits
from models.texts.hosts import find_hosts
from models.texts.names import ordinary
from models.texts.plain_links import CLOSELY, plain_links
from models.texts.prefilter import DISGUISE, DOT
from models.texts.templates import templates_of

_LONG_PATH: Final = 4
"""Characters of a path that is long enough to show that the text before it is a host, if it can be one."""
MOST_LINKED: Final = 64
"""Hosts of one SMS that have rows. Each row has all of them, so the rows of a text full of hosts would grow with the
square of its length."""
_MOST_READ: Final = 1 << 14
_LARGEST_READ: Final = 2048
"""The most bytes of hosts and hashes that are remembered of a text, so that chosen texts do not fill the memory."""
_MOST_HOSTS: Final = 1 << 15

Read = tuple[Sequence[int], bytes, bytes]
"""The ledger's keys of the links of an SMS, its hosts joined by spaces, and the hashes of its links (int64)."""


class MetLinks:
    """The recently read hosts, numbers and texts, with the ledger's keys of their links.

    For one thread. The thread that makes rows owns one and passes it to `rows_of_messages`. In a worker, this is the
    thread of `streams.ledger.gathering.RowMaker`. No text is kept, only its digest.
    """

    def __init__(self, sources: Sources = CHINA, hashes: PathHashes = PUBLIC) -> None:
        self.numbers = MetNumbers(sources)
        self.hashes = hashes
        self._host_keys = lru_cache(maxsize=_MOST_HOSTS)(_keys_of_host)
        self._read: OrderedDict[bytes, Read] = OrderedDict()
        self.plain = [MetHosts(partial(self.keys_of, path=path)) for path in range(_LONG_PATH + 1)]
        """The hosts met in plain links, by the length of the path."""

    def keys_of(self, host: str, path: int) -> Sequence[int]:
        """The keys of a host as spelt in a plain link whose path has ``path`` characters (`_LONG_PATH`: or more).

        There are no keys if the text is not certainly a host. After a scheme, the name alone decides that.
        """
        if ordinary(host, True) == host:  # nine in ten, and beyond doubt (`models.texts.only_link`)
            return self._host_keys(host)
        if 0 < path < _LONG_PATH:
            return ()
        found = find_hosts(f"https://{host}/abc")
        keys = self._host_keys(host) if [one.host for one in found] == [host] else ()
        if path == 0 and keys and [one.host for one in find_hosts(f"https://{host}")] != [host]:
            return ()
        return keys

    def read_whole(self, message: Sms, traits: int) -> Read:
        """What is kept of an SMS whose record names domains, or whose text the columns do not hold."""
        text = (message.text or "")[:LONGEST]
        hosts, urls, _ = read(text) if traits & UNREAD else read_with_traits(text, traits)
        return self._kept_of((*normal_hosts(message.domains or ()), *hosts), urls)

    def read_once(self, spelt: bytes, traits: int) -> Read:
        """What is kept of a text; only one of a mass mailing's many copies is read."""
        digest = blake2b(spelt, digest_size=16).digest()
        known = self._read.get(digest)
        if known is None:
            hosts, urls, _ = read_with_traits(spelt.decode("utf-8", "replace")[:LONGEST], traits)
            known = self._kept_of(hosts, urls)
            if len(known[1]) + len(known[2]) <= _LARGEST_READ:
                self._read[digest] = known
            if len(self._read) > _MOST_READ:
                self._read.popitem(last=False)
        return known

    def _kept_of(self, hosts: Sequence[str], urls: Sequence[str]) -> Read:
        hosts, urls = hosts[:MOST_LINKED], urls[:MOST_LINKED]
        keys = {key: None for host in hosts for key in self._host_keys(host)}
        return tuple(keys), " ".join(hosts).encode(), np.array(self.hashes.of_links(urls), dtype=np.int64).tobytes()


def _keys_of_host(host: str) -> Sequence[int]:
    """The keys of a host and of all domains that it lies below."""
    return tuple(map(host_key, parents(host) or (host,)))


def rows_of_messages(messages: Messages, met: MetLinks) -> Iterator[Rows]:
    """A row for each SMS, keyed by its peer, and one for each host and number in its text, keyed by that.

    ``met`` belongs to the calling thread.
    """
    none = np.full(len(messages), -1.0)
    yield Rows(
        *(messages.peers, messages.subscribers, messages.peers, messages.times, messages.kinds | np.uint8(SMS), none),
        *ids_of(messages),
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
            yield from _plainly_linked(messages, plain[some], *spans, path, closely, met)
    yield from _closely_linked(messages, np.flatnonzero(closely), met)
    named = rows_of_named_numbers(messages, met.numbers)
    if named is not None:
        yield named


def _plainly_linked(
    messages: Messages,
    rows: Any,
    host_begins: Any,
    host_ends: Any,
    url_ends: Any,
    path: int,
    closely: Any,
    met: MetLinks,
) -> Iterator[Rows]:
    """The rows of plain links whose path has ``path`` characters.

    Links that may have no host are marked in ``closely``, to be read closely.
    Whether a text is a host depends only on whether it has a path, and on the number of characters of a short path.
    """
    keys, counts = met.plain[path].keys(messages.texts, host_begins, host_ends)
    closely[rows[counts == 0]] = True
    if len(keys):
        each = np.repeat(np.arange(len(counts)), counts)
        hosts = gathered(messages.texts, host_begins[each], host_ends[each])
        hashes, hash_ends = met.hashes.of_plain(messages.texts, host_begins, host_ends, url_ends)
        hash_begins = np.concatenate(([0], hash_ends[:-1]))
        paths = gathered(hashes, hash_begins[each], hash_ends[each])
        templates = templates_of(messages.texts, messages.text_begins[rows], messages.text_ends[rows])
        yield _linked(messages[rows[each]], keys, hosts, paths, templates[each])


def _closely_linked(messages: Messages, rows: Any, met: MetLinks) -> Iterator[Rows]:
    """The rows of all other links, read in the same way as for scoring."""
    found: list[int] = []
    kept: list[Read] = []
    texts = messages.texts.tobytes() if len(rows) else b""
    spans = messages.traits[rows], messages.text_begins[rows], messages.text_ends[rows]
    for row, traits, begin, end in zip(rows.tolist(), *(each.tolist() for each in spans), strict=True):
        if traits & (NAMED | UNREAD):
            read = met.read_whole(messages.event(row), traits)
        else:
            read = met.read_once(texts[begin:end], traits)
        if read[0]:
            found.append(row)
            kept.append(read)
    if found:
        keys, hosts, hashes = zip(*kept, strict=True)
        each = np.repeat(np.arange(len(found)), [len(some) for some in keys])
        linked = messages[np.array(found, dtype=np.int64)]
        templates = templates_of(linked.texts, linked.text_begins, linked.text_ends)
        keyed = np.array([*chain.from_iterable(keys)], dtype=np.int64)
        yield _linked(
            linked[each], keyed, _taken(hosts, np.uint8, each), _taken(hashes, np.int64, each), templates[each]
        )


def _taken(pieces: Sequence[bytes], kind: type[np.integer[Any]], each: Any) -> tuple[Any, Any]:
    """The values of the pieces with these numbers, one after the other, and where those of each end."""
    values = np.frombuffer(b"".join(pieces), dtype=kind)
    ends = np.cumsum([len(piece) for piece in pieces]) // values.itemsize
    return gathered(values, np.concatenate(([0], ends[:-1]))[each], ends[each])


def _linked(linked: Messages, keys: Any, hosts: tuple[Any, Any], paths: tuple[Any, Any], templates: Any) -> Rows:
    return Rows(
        *(keys, linked.subscribers, linked.peers, linked.times, linked.kinds | np.uint8(SMS | LINKED)),
        np.full(len(keys), -1.0),
        *ids_of(linked),
        *(*hosts, templates, *paths),
    )
