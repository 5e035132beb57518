"""Erasure: removes one person's rows from the segments of the ledger, and their number from the rows of others.

A segment is written again under its own name and then takes the place of the old file, so a look-up finds either all or
nothing of the change. A merge that has read the old file meanwhile is given up (`streams.ledger.compaction.merge`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.base.number_keys import NOBODY, key_of
from models.lookback.contacts import named_key
from streams.ledger.segments import ROW_GROUP, NoSegmentError, SegmentFile, writer
from streams.ledger.storage import Segment, Storage

_COLUMNS = ("key", "subscriber", "peer", "at")
"""The columns that say whether a row is to be changed."""

_Mask = NDArray[np.bool_]


class Rows(NamedTuple):
    """How many rows of the ledger are about somebody."""

    own: int = 0
    """Their own contacts."""
    others: int = 0
    """Contacts of others with them, and texts to others that name their number."""

    def __add__(self, other: object) -> Rows:
        """The rows of both."""
        if not isinstance(other, Rows):
            return NotImplemented
        return Rows(self.own + other.own, self.others + other.others)

    def __bool__(self) -> bool:
        return bool(self.own or self.others)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose rows are wanted: those about a number, of events before a time (epoch ms)."""

    number: str
    before: int

    def own(self, table: pa.Table) -> _Mask:
        """Which rows are the number's own contacts."""
        return self._in(table, "subscriber") & self._is_before(table)

    def others(self, table: pa.Table) -> _Mask:
        """Which rows of others have the number."""
        named = table.column("key").to_numpy() == named_key(self.number)
        has_it: _Mask = self._in(table, "key") | self._in(table, "peer") | named
        found: _Mask = has_it & ~self._in(table, "subscriber") & self._is_before(table)
        return found

    def cleared(self, table: pa.Table) -> tuple[pa.Table, pa.Table]:
        """The rows that stay where they are, and those whose key becomes that of nobody, all without the number.

        A contact of somebody else stays as one with nobody known. The row that a text is found by because it names the
        number goes; the text's contact has a row of its own.
        """
        others = self.others(table)
        named = others & (table.column("key").to_numpy() == named_key(self.number))
        moved = others & self._in(table, "key")
        peers = pc.if_else(pa.array(others & self._in(table, "peer")), NOBODY, table.column("peer"))
        table = table.set_column(table.column_names.index("peer"), table.schema.field("peer"), peers)
        return table.filter(pa.array(~(self.own(table) | named | moved))), _of_nobody(table.filter(pa.array(moved)))

    def _in(self, table: pa.Table, column: str) -> _Mask:
        found: _Mask = pc.fill_null(table.column(column), 0).to_numpy() == key_of(self.number)
        return found

    def _is_before(self, table: pa.Table) -> _Mask:
        found: _Mask = table.column("at").to_numpy() < self.before
        return found


def search(storage: Storage, segment: Segment, wanted: Wanted) -> Rows:
    """How many rows of a segment are about somebody; a file that cannot be read is set aside. Raises `LedgerError`."""
    found = Rows()
    for table in _tables(storage, segment, _COLUMNS):
        found += Rows(int(wanted.own(table).sum()), int(wanted.others(table).sum()))
    return found


def own_rows(storage: Storage, segment: Segment, wanted: Wanted) -> Iterator[pa.Table]:
    """The rows of a segment that are the person's own, piece by piece. Raises `LedgerError`."""
    for table in _tables(storage, segment, None):
        mask = wanted.own(table)
        if mask.any():
            yield table.filter(pa.array(mask))


def erase(storage: Storage, segment: Segment, wanted: Wanted, mark: str) -> Rows:
    """Write a segment again without the person, if they are in it; returns the rows that were removed or changed.

    The segment keeps its name even if no row is left, because the name says which records the ledger has. ``mark`` is
    the prefix of the file until it is complete. Raises `LedgerError` and OSError; the segment is then as before.
    """
    found = search(storage, segment, wanted)
    if not found:
        return found
    with tempfile.TemporaryFile(dir=storage.scratch) as to:
        try:
            with SegmentFile(storage.open(segment), storage.hashes) as file, writer(to, file.known) as parquet:
                for table in _in_order(file, wanted):
                    if len(table):
                        parquet.write_table(table, row_group_size=ROW_GROUP)
        except FileNotFoundError:  # it was merged meanwhile
            return Rows()
        to.seek(0)
        storage.enter(storage.put(segment, mark, to), segment)
    return found


def _in_order(file: SegmentFile, wanted: Wanted) -> Iterator[pa.Table]:
    """The rows of a segment without the number, in the order of their keys."""
    moved = [wanted.cleared(file.read([group]))[1] for group in range(file.row_groups)]
    waiting: pa.Table | None = pa.concat_tables(moved) if moved else None
    for group in range(file.row_groups):
        stay = wanted.cleared(file.read([group]))[0]
        if waiting is not None and len(stay) and stay.column("key")[-1].as_py() > NOBODY:
            first = int(np.searchsorted(stay.column("key").to_numpy(), NOBODY, side="right"))
            yield pa.concat_tables([stay.slice(0, first), waiting, stay.slice(first)])
            waiting = None
        else:
            yield stay
    if waiting is not None:
        yield waiting


def _of_nobody(table: pa.Table) -> pa.Table:
    """Rows whose key, and so their peer, is that of nobody."""
    keys: Any = pa.array(np.full(len(table), NOBODY, dtype=np.int64))
    return table.set_column(0, table.schema.field("key"), keys)


def _tables(storage: Storage, segment: Segment, columns: tuple[str, ...] | None) -> Iterator[pa.Table]:
    """A segment, a row group at a time; nothing if it is gone or cannot be read."""
    try:
        with SegmentFile(storage.open(segment), storage.hashes) as file:
            for group in range(file.row_groups):
                yield file.read([group], columns)
    except FileNotFoundError:
        return
    except NoSegmentError as error:
        storage.set_aside(segment, str(error))
