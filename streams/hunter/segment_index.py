"""The segment index: what every segment of the ledger knew, and the bounds of its row groups, kept in memory.

A few bytes for each 65,536 contacts, so that a look back opens only the files that may hold somebody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from models.lookback.keys import Keys
from streams.ledger.segments import Knowledge, NoSegmentError, SegmentFile
from streams.ledger.storage import Segment, Storage


class Entry(NamedTuple):
    """What is remembered of a segment."""

    known: Knowledge
    bounds: Keys
    """From the least to the greatest key of each row group."""


class Frontier(msgspec.Struct, frozen=True):
    """How far the hunter has got: what came before ``indicators`` was looked for in all that lies before ``ledger``."""

    indicators: dict[int, int] = {}
    """By partition of the indicators, the next offset."""
    ledger: dict[int, tuple[int, int]] = {}
    """By partition, the next offset of calls and of SMS."""

    def has(self, segment: Segment) -> bool:
        """Whether a segment lies before it."""
        calls, sms = self.ledger.get(segment.partition, (0, 0))
        return segment.calls[1] <= calls and segment.sms[1] <= sms

    def beyond(self, segments: Iterable[Segment], indicators: Mapping[int, int]) -> Frontier:
        """The frontier once these segments, too, have been looked through for all before ``indicators``."""
        ledger = dict(self.ledger)
        for segment in segments:
            calls, sms = ledger.get(segment.partition, (0, 0))
            ledger[segment.partition] = max(calls, segment.calls[1]), max(sms, segment.sms[1])
        return Frontier(dict(indicators), ledger)


class SegmentIndex:
    """The entries of all segments; what is new is read when it is first seen."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._entries: dict[Segment, Entry] = {}

    def refresh(self) -> list[Segment]:
        """All segments there are now, oldest first; raises `LedgerError` when the place cannot be reached."""
        segments = []
        for segment in self._storage.segments():
            if segment in self._entries or self._read(segment):
                segments.append(segment)
        self._entries = {segment: self._entries[segment] for segment in segments}
        return segments

    def _read(self, segment: Segment) -> bool:
        try:
            with SegmentFile(self._storage.open(segment)) as file:
                self._entries[segment] = Entry(file.known, Keys(file.lows, file.highs))
        except FileNotFoundError:
            return False
        except NoSegmentError as error:
            self._storage.set_aside(segment, str(error))
            return False
        return True

    def known(self, segment: Segment) -> Knowledge:
        """What was known when the segment was scored."""
        return self._entries[segment].known

    def may_hold(self, segment: Segment, keys: Keys) -> bool:
        """Whether a segment may have rows of some of these keys."""
        bounds = self._entries[segment].bounds
        return bool(keys.may_hold(bounds.lows, bounds.highs).any())


def plan(
    segments: Sequence[Segment],
    known: Callable[[Segment], Knowledge],
    frontier: Frontier,
    missed: Callable[[Mapping[int, int]], frozenset[str]],
) -> dict[frozenset[str], list[Segment]]:
    """What to look for in which segments: those with the same indicators (``type:value``) together.

    In what is new, everything that it ``missed``; in what lies before the frontier, what has come since, too.
    """
    found: dict[frozenset[str], list[Segment]] = {}
    memory: dict[tuple[tuple[int, int], ...], frozenset[str]] = {}
    for segment in segments:
        said = dict(known(segment).indicators)
        if frontier.has(segment):
            for partition, offset in frontier.indicators.items():
                said[partition] = max(said.get(partition, 0), offset)
        storage = tuple(sorted(said.items()))
        if storage not in memory:
            memory[storage] = missed(said)
        if memory[storage]:
            found.setdefault(memory[storage], []).append(segment)
    return found
