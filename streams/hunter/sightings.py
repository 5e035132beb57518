"""Sightings: who got an SMS with which domain, or from which number, out of new segments of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.base.durations import HOUR
from models.base.number_keys import number_of
from models.events.scanning import OUT
from models.lookback.campaigns import SpreadType
from models.lookback.contacts import CONTEXT, LINKED, SMS, host_key
from models.texts.domains import parents
from streams.ledger.segments import NoSegmentError, SegmentFile
from streams.ledger.storage import Segment, Storage

COLUMNS = ("key", "subscriber", "peer", "at", "what", "event", "links", "template")
_PIECE = 500_000
"""Rows that are looked at together."""
_GROUPS = 8
"""Row groups that are read at once."""
_MOST_KEYS = 1 << 17
_DOMAINS: dict[int, str] = {}
"""The domains of keys that have been met; empty for what nobody registered as such."""

_COUNTERS = 1 << 21
_HOURS = 6
"""Hours of event time whose counters are kept, those that were met last: records come late, and partitions apart."""
_LEAST_SHARE = 0.01
_SPREADING = np.int64(0x1E3779B97F4A7C15)
"""An odd factor that spreads neighbours among the counters (Knuth's multiplicative hashing)."""


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """The SMS that brought one domain to people, or came from one number, in event time."""

    type: SpreadType
    value: str
    subscribers: NDArray[np.int64]
    """Codes (`models.base.number_keys`), as are the senders."""
    senders: NDArray[np.int64]
    times: NDArray[np.int64]
    """Epoch milliseconds, ascending."""
    events: Sequence[str]
    templates: NDArray[np.int64]
    """Of each text (`models.texts.templates`); -1 where none is kept."""
    links: Callable[[], Sequence[str]] = list
    """The hosts and URLs of each SMS that brought a domain; read when they are asked for, which they rarely are."""

    @property
    def key(self) -> str:
        """``type:value``, as an indicator of it would have."""
        return f"{self.type}:{self.value}"

    def template(self, until: int) -> tuple[str, float]:
        """The most frequent template of the first ``until`` sightings, and its share; empty when none is kept."""
        known = self.templates[:until][self.templates[:until] >= 0]
        if not len(known):
            return "", 0.0
        values, counts = np.unique(known, return_counts=True)
        most = int(counts.argmax())
        return f"{int(values[most]):016x}", float(counts[most]) / len(known)

    def __len__(self) -> int:
        return len(self.times)


class Busy:
    """Which numbers have sent so many SMS in an hour that their recipients are worth counting.

    Nearly all numbers send a few: they share some counters, a number's own is never less than what it sent.
    """

    def __init__(self) -> None:
        self._hours: dict[int, NDArray[np.int32]] = {}

    def __call__(self, keys: NDArray[np.int64], times: NDArray[np.int64], least: int) -> NDArray[np.bool_]:
        """Count SMS by their senders' keys and times; a mask of those whose sender has sent ``least`` in that hour.

        ``least`` may differ from call to call. An hour in which hardly any of them lie is some wrong clock's, and does
        not drive out another.
        """
        busy = np.zeros(len(keys), dtype=np.bool_)
        storages = (keys * _SPREADING >> np.int64(20)) & (_COUNTERS - 1)
        hours = times // HOUR
        for hour, count in zip(*(each.tolist() for each in np.unique(hours, return_counts=True)), strict=True):
            if hour not in self._hours and count < _LEAST_SHARE * len(keys):
                continue
            now = hours == hour
            counters = self._hours[hour] = self._hours.pop(hour, np.zeros(_COUNTERS, dtype=np.int32))
            np.add.at(counters, storages[now], 1)
            busy[now] = counters[storages[now]] >= least
        for late in [*self._hours][:-_HOURS]:
            del self._hours[late]
        return busy


def sightings(storage: Storage, segments: Sequence[Segment], busy: Busy, least: int) -> Iterator[list[Sightings]]:
    """What the SMS to people in these segments brought, domain by domain and busy number by busy number.

    ``least``: how many SMS in an hour make a number busy.

    Piece by piece, so that memory does not grow with what there is to be read. A segment that is gone meanwhile, or
    cannot be read, is left out: look-ups see to it.
    """
    tables: list[pa.Table] = []
    for segment in segments:
        for table in _received(storage, segment):
            tables.append(table)
            if sum(map(len, tables)) >= _PIECE:
                yield _of(tables, busy, least)
                tables = []
    if tables:
        yield _of(tables, busy, least)


def _of(tables: Sequence[pa.Table], busy: Busy, least: int) -> list[Sightings]:
    table = pa.concat_tables(tables).combine_chunks()
    linked = (table.column("what").to_numpy() & LINKED) > 0
    plain = table.filter(pa.array(~linked))
    masses = busy(plain.column("key").to_numpy(), plain.column("at").to_numpy(), least)
    return [*_by_key(table.filter(pa.array(linked)), "domain"), *_by_key(plain.filter(pa.array(masses)), "number")]


def _received(storage: Storage, segment: Segment) -> Iterator[pa.Table]:
    """The rows of SMS to people in a segment, some row groups at a time."""
    try:
        with SegmentFile(storage.open(segment)) as file:
            for first in range(0, file.row_groups, _GROUPS):
                table = file.read(range(file.row_groups)[first : first + _GROUPS], COLUMNS)
                whats = table.column("what").to_numpy()
                yield table.filter(pa.array(((whats & (CONTEXT | OUT)) == 0) & ((whats & SMS) > 0)))
    except (FileNotFoundError, NoSegmentError):
        return


def _by_key(table: pa.Table, kind: SpreadType) -> Iterator[Sightings]:
    if not len(table):
        return
    keys, times = table.column("key").to_numpy(), table.column("at").to_numpy()
    order = np.lexsort((times, keys))
    edges = [0, *(np.flatnonzero(np.diff(keys[order])) + 1).tolist(), len(keys)]
    subscribers = table.column("subscriber").to_numpy()
    senders = pc.coalesce(table.column("peer"), table.column("key")).to_numpy()
    templates = pc.fill_null(table.column("template"), -1).to_numpy()
    for begin, end in pairwise(edges):
        rows = order[begin:end]
        key = int(keys[rows[0]])
        value = number_of(key) if kind == "number" else _domain(key, table.column("links")[int(rows[0])].as_py())
        if value:
            events = table.column("event").take(pa.array(rows)).to_pylist()
            links = partial(_taken, table.column("links"), rows)
            yield Sightings(kind, value, subscribers[rows], senders[rows], times[rows], events, templates[rows], links)


def _taken(column: pa.ChunkedArray, rows: NDArray[np.int64]) -> list[str]:
    texts: list[str] = pc.fill_null(column.take(pa.array(rows)), "").to_pylist()
    return texts


def _domain(key: int, links: str) -> str:
    """The domain that somebody registered, or the address, if that is what the key of a row is; else nothing."""
    known = _DOMAINS.get(key)
    if known is None:
        owned = [(parents(host) or (host,))[-1] for host in links.split(" ") if "://" not in host]
        known = next((each for each in owned if host_key(each) == key), "")
        if len(_DOMAINS) >= _MOST_KEYS:
            _DOMAINS.clear()
        _DOMAINS[key] = known
    return known


def parts_of(seen: Sightings, length: int) -> Iterator[tuple[int, slice]]:
    """The parts of event time, each ``length`` ms, with the sightings that lie in them."""
    parts: Any = seen.times // length
    begins = [0, *(np.flatnonzero(np.diff(parts)) + 1).tolist(), len(parts)]
    for begin, end in pairwise(begins):
        yield int(parts[begin]), slice(begin, end)
