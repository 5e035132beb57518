"""Newest words: which record of a compacted topic is the newest of its key, across the topic's partitions.

A record of a compacted topic is the whole word about its key. While a topic keeps its number of partitions, the words
of a key are in one partition, in order. Once somebody has added partitions, a key's later words are in another one, and
its earlier word stays where it was for ever. Every reader of a compacted topic therefore asks here, so all of them
agree (docs/decisions/0014-newest-word-of-a-key.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

import numpy as np

_APPENDED: Final = 1
"""Kafka's timestamp type of a record that carries the broker's append time."""
_PARTITION_BITS: Final = 16
_TIME_BITS: Final = 44
"""Bits for milliseconds since 1970, until the year 2527."""
_LEAST_SETTLED: Final = 10_000
"""Words since the last merge that are kept apart at least; a merge waits for a quarter of all, so that it is rare."""


class Word(Protocol):
    """The fields that place a record among the words of its key, as aiokafka names them."""

    @property
    def key(self) -> bytes | None:
        """The record's key."""

    @property
    def partition(self) -> int:
        """Its partition."""

    @property
    def timestamp(self) -> int:
        """When it was appended or, by its type, made (epoch ms)."""

    @property
    def timestamp_type(self) -> int:
        """0: the producer's time; 1: the broker's append time."""


W = TypeVar("W", bound=Word)


class NewestWords:
    """Remembers the newest word of every key of one topic that was read; 16 bytes a key once they have settled.

    Within a partition the later record is the newer. Between partitions it is the one that the broker appended later. A
    record with its producer's time was written before the topic had append times, so it is older than any record with
    one. Of two records of the same millisecond the one in the higher partition counts, as partitions are added at the
    end.

    Each partition must be given in the order of its offsets. Keys are remembered by 64-bit hashes, which tell ten
    million keys apart with a chance of three in a million that any two are taken for one.
    """

    def __init__(self) -> None:
        self._hashes = np.empty(0, np.int64)
        """The settled keys' hashes, in order."""
        self._places = np.empty(0, np.int64)
        """The place of each settled key's newest word, see `_place`."""
        self._fresh: dict[int, int] = {}
        """The same of keys whose word came after the last merge; it holds instead of a settled one."""

    def among(self, records: Sequence[W]) -> list[W]:
        """Those of these records that are the newest words of their keys so far, in the same order."""
        hashes = [hash(record.key or b"") for record in records]
        settled = self._settled(hashes)
        newest = []
        for record, name, before in zip(records, hashes, settled, strict=True):
            before = self._fresh.get(name, before)
            place = _place(record)
            if before >= 0 and before & (1 << _PARTITION_BITS) - 1 == record.partition:
                place = max(place, before)  # the clock of a producer or broker was set back meanwhile
            elif before > place:
                continue
            self._fresh[name] = place
            newest.append(record)
        if len(self._fresh) > max(_LEAST_SETTLED, len(self._hashes) // 4):
            self._settle()
        return newest

    def _settled(self, hashes: Sequence[int]) -> list[int]:
        """The settled place of each key; -1 where there is none."""
        if not len(self._hashes):
            return [-1] * len(hashes)
        asked = np.array(hashes, np.int64)
        at = np.minimum(np.searchsorted(self._hashes, asked), len(self._hashes) - 1)
        places: list[int] = np.where(self._hashes[at] == asked, self._places[at], -1).tolist()
        return places

    def _settle(self) -> None:
        """Merge the fresh words with the settled ones."""
        fresh = np.fromiter(self._fresh, np.int64, len(self._fresh))
        places = np.fromiter(self._fresh.values(), np.int64, len(self._fresh))
        kept = ~np.isin(self._hashes, fresh)
        hashes = np.concatenate([self._hashes[kept], fresh])
        order = np.argsort(hashes)
        self._hashes = hashes[order]
        self._places = np.concatenate([self._places[kept], places])[order]
        self._fresh = {}


def _place(word: Word) -> int:
    """A record's place in the order of words: append time before the producer's, then the time, then the partition."""
    appended = word.timestamp_type == _APPENDED
    time = min(max(word.timestamp, 0), (1 << _TIME_BITS) - 1)
    return (appended << _TIME_BITS | time) << _PARTITION_BITS | word.partition
