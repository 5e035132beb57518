"""Sightings: reads from new segments who received an SMS with which domain, from which number, or naming which."""

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
from models.base.number_keys import key_of, number_of
from models.events.scanning import OUT
from models.lookback.campaigns import SpreadType
from models.lookback.contacts import CONTEXT, LINKED, NUMBER_LINK, SMS, host_key
from models.texts.domains import parents
from streams.ledger.segments import NoSegmentError, SegmentFile
from streams.ledger.storage import Segment, Storage

COLUMNS = ("key", "subscriber", "peer", "at", "what", "event", "links", "template", "paths")
_PIECE = 500_000
"""Rows that are processed together."""
_GROUPS = 8
"""Row groups that are read at once."""
_MOST_KEYS = 1 << 17
_DOMAINS: dict[int, str] = {}
"""The registered domains (or addresses) of keys seen so far; empty for a key of anything else."""

_COUNTERS = 1 << 21
_HOURS = 6
"""Hours of event time whose counters are kept (the last ones used): records come late, and partitions out of step."""
_LEAST_SHARE = 0.01
_SPREADING = np.int64(0x1E3779B97F4A7C15)
"""An odd factor that spreads neighbours among the counters (Knuth's multiplicative hashing)."""


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """The SMS to people that contained one domain, or that came from one number or named it, in order of event time."""

    type: SpreadType
    value: str
    subscribers: NDArray[np.int64]
    """Number keys (`models.base.number_keys`), as are the senders."""
    senders: NDArray[np.int64]
    times: NDArray[np.int64]
    """Epoch milliseconds, ascending."""
    events: Sequence[str]
    templates: NDArray[np.int64]
    """The template of each text (`models.texts.templates`); -1 where none is kept."""
    links: Callable[[], Sequence[tuple[str, Sequence[int]]]] = list
    """The hosts of each SMS that contained a domain, joined by spaces, and the hashes of its links.

    Read only on request, since they are rarely needed.
    """

    @property
    def key(self) -> str:
        """``type:value``, the same as the key of an indicator."""
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
    """Tells which numbers have sent, or were named in, so many SMS in an hour that their recipients are worth counting.

    Nearly all numbers send only a few SMS, so numbers share counters. A number's counter is never less than its SMS.
    """

    def __init__(self) -> None:
        self._hours: dict[int, NDArray[np.int32]] = {}

    def __call__(self, keys: NDArray[np.int64], times: NDArray[np.int64], least: int) -> NDArray[np.bool_]:
        """Count SMS by number key and hour; return a mask of the SMS whose number had ``least`` in that hour.

        ``least`` may differ from call to call. An hour that holds hardly any of the SMS comes from a wrong clock, and
        does not replace another hour.
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
    """The sightings in these segments' SMS to people, one for each domain and each busy number.

    ``least``: how many SMS in an hour, sent by a number or naming it, make it busy.

    They come in pieces, so memory does not grow with the amount to read. A segment that has been deleted in the
    meantime, or cannot be read, is left out: look-ups deal with it.
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
    named = pc.fill_null(pc.starts_with(table.column("links"), NUMBER_LINK), False).to_numpy()
    numbers = pa.concat_tables([table.filter(pa.array(~linked)), _by_number(table.filter(pa.array(named)))])
    masses = busy(numbers.column("key").to_numpy(), numbers.column("at").to_numpy(), least)
    return [
        *_by_key(table.filter(pa.array(linked & ~named)), "domain"),
        *_by_key(numbers.filter(pa.array(masses)), "number"),
    ]


def _by_number(named: pa.Table) -> pa.Table:
    """The rows of numbers that texts name, each with the number's own key, so that it counts with what it has sent."""
    links = named.column("links").combine_chunks().dictionary_encode()
    keys = np.array([key_of(each.removeprefix(NUMBER_LINK)) for each in links.dictionary.to_pylist()], dtype=np.int64)
    column = pa.array(keys[links.indices.to_numpy()] if len(named) else keys, pa.int64())
    return named.set_column(named.schema.get_field_index("key"), named.schema.field("key"), column)


def _received(storage: Storage, segment: Segment) -> Iterator[pa.Table]:
    """The rows of SMS to people in a segment, a few row groups at a time."""
    try:
        with SegmentFile(storage.open(segment), storage.hashes) as file:
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
            links = partial(_taken, table, rows)
            yield Sightings(kind, value, subscribers[rows], senders[rows], times[rows], events, templates[rows], links)


def _taken(table: pa.Table, rows: NDArray[np.int64]) -> list[tuple[str, Sequence[int]]]:
    taken = table.select(["links", "paths"]).take(pa.array(rows))
    links, paths = (taken.column(name).to_pylist() for name in ("links", "paths"))
    return [(link or "", some or ()) for link, some in zip(links, paths, strict=True)]


def _domain(key: int, links: str) -> str:
    """The registered domain (or IP address) among the hosts that has this key; empty when none has it."""
    known = _DOMAINS.get(key)
    if known is None:
        owned = [(parents(host) or (host,))[-1] for host in links.split(" ")]
        known = next((each for each in owned if host_key(each) == key), "")
        if len(_DOMAINS) >= _MOST_KEYS:
            _DOMAINS.clear()
        _DOMAINS[key] = known
    return known


def parts_of(seen: Sightings, length: int) -> Iterator[tuple[int, slice]]:
    """Split the sightings by event time into parts of ``length`` ms; yields each part's number and its sightings."""
    parts: Any = seen.times // length
    begins = [0, *(np.flatnonzero(np.diff(parts)) + 1).tolist(), len(parts)]
    for begin, end in pairwise(begins):
        yield int(parts[begin]), slice(begin, end)
