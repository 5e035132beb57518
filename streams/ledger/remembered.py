"""A ledger in memory, for a site that is played within one process: the same rows, found by the same keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from models.lookback.contacts import Rows
from models.lookback.hunting import Contact
from models.lookback.keys import Keys
from streams.ledger.people import contacts_of
from streams.ledger.segments import table_of

_MERGED: Final = 128
"""Tables of one size that become one: a look-up asks each."""


class Remembered:
    """Rows in tables that are sorted by key."""

    def __init__(self) -> None:
        self._levels: list[list[tuple[Any, pa.Table]]] = [[]]
        """Tables with their keys; those of a level are made of `_MERGED` of the one before."""

    def put(self, rows: Sequence[Rows]) -> None:
        """Take in rows."""
        self._put(0, table_of(rows))

    def _put(self, level: int, table: pa.Table) -> None:
        if level == len(self._levels):
            self._levels.append([])
        tables = self._levels[level]
        tables.append((table.column("key").to_numpy(), table))
        if len(tables) == _MERGED:
            merged = pa.concat_tables([each for _, each in tables])
            order = np.argsort(merged.column("key").to_numpy(), kind="stable")
            tables.clear()
            self._put(level + 1, merged.take(pa.array(order)).combine_chunks())

    def find(self, keys: Keys) -> Iterator[Contact]:
        """See `models.lookback.questions.Ledger`; each contact comes once."""
        if not len(keys):
            return
        for keyed, table in [each for tables in self._levels for each in tables]:
            begins = np.searchsorted(keyed, keys.lows)
            counts = np.searchsorted(keyed, keys.highs, side="right") - begins
            if counts.any():
                # The rows of each range, one range behind the other: 0, 1, 2, ... less where its range begins in that.
                rows = np.arange(counts.sum()) + np.repeat(begins - (np.cumsum(counts) - counts), counts)
                yield from contacts_of(table.take(pa.array(rows)))
