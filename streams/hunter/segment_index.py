"""The segment index: keeps in memory what was known to each segment of the ledger, and the bounds of its row groups.

It costs a few bytes for each 65,536 contacts and lets a look-back open only the files that may hold a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from models.lookback.keys import Keys
from streams.ledger.segments import Knowledge, NoSegmentError, SegmentFile
from streams.ledger.storage import Segment, Storage


class Entry(NamedTuple):
    """The index entry of one segment."""

    known: Knowledge
    bounds: Keys
    """The range from the least to the greatest key of each row group."""


class Frontier(msgspec.Struct, frozen=True):
    """The hunter's progress: the indicators before ``indicators`` were looked for in all segments before ``ledger``."""

    indicators: dict[int, int] = {}
    """The next offset, by partition of the indicators."""
    ledger: dict[str, tuple[int, int]] = {}
    """The next offsets of calls and of SMS, by `Segment.series`: the partition and the logs of the offsets."""

    def has(self, segment: Segment) -> bool:
        """Whether a segment lies before the frontier."""
        calls, sms = self.ledger.get(segment.series, (0, 0))
        return segment.calls[1] <= calls and segment.sms[1] <= sms

    def beyond(self, segments: Iterable[Segment], indicators: Mapping[int, int]) -> Frontier:
        """The frontier after these segments have also been searched for all indicators before ``indicators``."""
        ledger = dict(self.ledger)
        for segment in segments:
            calls, sms = ledger.get(segment.series, (0, 0))
            ledger[segment.series] = max(calls, segment.calls[1]), max(sms, segment.sms[1])
        return Frontier(dict(indicators), ledger)


class SegmentIndex:
    """The entries of all segments; a new segment is read when it is first seen."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._entries: dict[Segment, Entry] = {}

    def refresh(self) -> list[Segment]:
        """All current segments, oldest first. Raises `LedgerError` when the storage cannot be reached."""
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
        """Whether a segment may have rows with any of these keys."""
        bounds = self._entries[segment].bounds
        return bool(keys.may_hold(bounds.lows, bounds.highs).any())


def plan(
    segments: Sequence[Segment],
    known: Callable[[Segment], Knowledge],
    frontier: Frontier,
    missed: Callable[[Mapping[int, int]], frozenset[str]],
) -> dict[frozenset[str], list[Segment]]:
    """The indicators (``type:value``) to look for, each set with the segments to search for it.

    A new segment is searched for every indicator that it ``missed``. A segment before the frontier is searched only for
    missed indicators that have also become known since the frontier.
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
