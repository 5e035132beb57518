"""Gathering: the rows of a partition that wait to become a segment, and what was known when they were scored.

A thread of its own makes the rows: scoring has better things to do, and most of it is machine code without a lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from models.detection.signals import Signal
from models.events.batches import Calls, Messages
from models.lookback.contacts import Rows, rows_of_calls, rows_of_context
from models.lookback.link_rows import MetLinks, rows_of_messages
from streams.ledger.segments import Knowledge, least

AT_ONCE: Final = 2048
"""Events of which rows are made at once: for a small batch it takes nearly as long as for a large one."""

_ALONE: Final = 512
"""SMS of a batch that is not joined with others first: that copies its records."""


class RowMaker:
    """The thread that makes the rows of all partitions of a worker, one batch after the other.

    It owns the links that it has met lately (`MetLinks`); no other thread may use them.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "ledger-rows")
        self._met = MetLinks()

    def make(self, calls: Sequence[Calls], messages: Sequence[Messages]) -> Future[list[Rows]]:
        """Have the rows of these batches made; batches that are handed over later wait for them."""
        return self._thread.submit(_rows, calls, messages, self._met)


class Gathering:
    """Rows that wait, of calls, SMS and context signals; ``maker`` makes them, one batch after the other."""

    def __init__(self, maker: RowMaker) -> None:
        self.known = Knowledge()
        """What was known, at least, when they were scored."""
        self._maker = maker
        self._made: list[Rows] = []
        self._making: list[Future[list[Rows]]] = []
        self._calls: list[Calls] = []
        self._messages: list[Messages] = []
        self._count = 0

    def __len__(self) -> int:
        """How many there are, those of links apart, which are found when rows are made."""
        return self._count

    def add(self, events: Calls | Messages, known: Knowledge) -> None:
        """Gather events that were scored when this was known."""
        self._note(known, len(events))
        if isinstance(events, Calls):
            self._calls.append(events)
        else:
            self._messages.append(events)
        if sum(map(len, self._calls)) >= AT_ONCE or sum(map(len, self._messages)) >= AT_ONCE:
            self._make_rows()

    def add_context(self, signals: Sequence[tuple[str, Signal]], known: Knowledge) -> None:
        """Gather context signals of such events."""
        rows = rows_of_context(signals)
        if rows is not None:
            self._note(known, len(rows))
            self._made.append(rows)

    def close(self) -> None:
        """Have the last rows made: nothing is gathered here any more."""
        self._make_rows()

    def rows(self) -> list[Rows]:
        """All rows, once it is closed; waits for those that are being made, and raises what went wrong with them."""
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
    """The large batches as they are, and the small ones as one."""
    yield from (some for some in messages if len(some) >= _ALONE)
    small = [some for some in messages if len(some) < _ALONE]
    if small:
        yield Messages.joined(small)
