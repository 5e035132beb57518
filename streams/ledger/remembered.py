"""Remembered: a ledger in memory, for a site that runs within one process: the same rows, found by the same keys."""

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
"""Number of tables of one level that are merged into one, because a look-up searches every table."""


class Remembered:
    """Rows in tables that are sorted by key."""

    def __init__(self) -> None:
        self._levels: list[list[tuple[Any, pa.Table]]] = [[]]
        """Tables with their keys; a table of a level is made of `_MERGED` tables of the level before."""

    def put(self, rows: Sequence[Rows]) -> None:
        """Add rows."""
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
        """See `models.lookback.questions.Ledger`; each contact is returned once."""
        if not len(keys):
            return
        for keyed, table in [each for tables in self._levels for each in tables]:
            begins = np.searchsorted(keyed, keys.lows)
            counts = np.searchsorted(keyed, keys.highs, side="right") - begins
            if counts.any():
                # The row numbers of all ranges, one range after the other: within each range they count up from where
                # it begins.
                rows = np.arange(counts.sum()) + np.repeat(begins - (np.cumsum(counts) - counts), counts)
                yield from contacts_of(table.take(pa.array(rows)))
