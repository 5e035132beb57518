"""Gathering: collects the rows of a partition until they become a segment, with what was known when they were scored.

A thread of its own makes the rows, so that scoring need not wait. Most of that work is compiled code that does not hold
Python's global lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from models.detection.signals import Signal
from models.events.batches import Calls, Messages
from models.events.numbering import CHINA, Sources
from models.indicators.path_hashes import PUBLIC, PathHashes
from models.lookback.contacts import Rows, rows_of_calls, rows_of_context
from models.lookback.link_rows import MetLinks, rows_of_messages
from streams.ledger.segments import Knowledge, least

AT_ONCE: Final = 2048
"""Events from which on rows are made: a small batch takes nearly as long as a large one."""

_ALONE: Final = 512
"""SMS from which on a batch is not joined with others first, because joining copies its records."""


class RowMaker:
    """The thread that makes the rows of all partitions of a worker, one batch after the other.

    Shared between threads: the event loop calls `make`, which only puts work into the executor's queue, because that
    queue is safe to use from any thread. The batches in it are read only. The links met lately (`MetLinks`) belong to
    this object's single thread; no other thread may use them.
    """

    def __init__(self, sources: Sources = CHINA, hashes: PathHashes = PUBLIC) -> None:
        self._thread = ThreadPoolExecutor(1, "ledger-rows")
        self._met = MetLinks(sources, hashes)

    def make(self, calls: Sequence[Calls], messages: Sequence[Messages]) -> Future[list[Rows]]:
        """Make the rows of these batches in the thread; batches that are passed later wait for them."""
        return self._thread.submit(_rows, calls, messages, self._met)


class Gathering:
    """The waiting rows of calls, SMS and context signals; ``maker`` makes them, one batch after the other.

    Shared between threads: the event loop fills it until `close`; then the thread that writes the segment reads `rows`
    and ``known``. The two never overlap, because nothing changes it after `close`, so it needs no lock.
    """

    def __init__(self, maker: RowMaker) -> None:
        self.known = Knowledge()
        """What was known at least when these events were scored."""
        self._maker = maker
        self._made: list[Rows] = []
        self._making: list[Future[list[Rows]]] = []
        self._calls: list[Calls] = []
        self._messages: list[Messages] = []
        self._count = 0

    def __len__(self) -> int:
        """The number of rows, without those of links, which are found only when rows are made."""
        return self._count

    def add(self, events: Calls | Messages, known: Knowledge) -> None:
        """Add events; ``known`` is what was known when they were scored."""
        self._note(known, len(events))
        if isinstance(events, Calls):
            self._calls.append(events)
        else:
            self._messages.append(events)
        if sum(map(len, self._calls)) >= AT_ONCE or sum(map(len, self._messages)) >= AT_ONCE:
            self._make_rows()

    def add_context(self, signals: Sequence[tuple[str, Signal]], known: Knowledge) -> None:
        """Add context signals; ``known`` is what was known when their events were scored."""
        rows = rows_of_context(signals)
        if rows is not None:
            self._note(known, len(rows))
            self._made.append(rows)

    def close(self) -> None:
        """Start to make the last rows; nothing may be added afterwards."""
        self._make_rows()

    def rows(self) -> list[Rows]:
        """All rows, after `close`; blocks until they are made, and raises the error if that has failed."""
        return [*self._made, *(rows for making in self._making for rows in making.result())]

    def _note(self, known: Knowledge, count: int) -> None:
        if not self._count:
            self.known = known
        elif known is not self.known:
            self.known = least((self.known, known))
        self._count += count

    def _make_rows(self) -> None:
        if self._calls or self._messages:
            self._making.append(self._maker.make(self._calls, self._messages))
            self._calls, self._messages = [], []


def _rows(calls: Sequence[Calls], messages: Sequence[Messages], met: MetLinks) -> list[Rows]:
    made = [rows_of_calls(calls)] if calls else []
    for some in _joined(messages):
        made += rows_of_messages(some, met)
    return made


def _joined(messages: Sequence[Messages]) -> Iterator[Messages]:
    """The large batches unchanged, and the small ones joined into one."""
    yield from (some for some in messages if len(some) >= _ALONE)
    small = [some for some in messages if len(some) < _ALONE]
    if small:
        yield Messages.joined(small)
