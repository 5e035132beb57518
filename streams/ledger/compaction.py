"""Compaction: merges the many small segments of a day into few large ones, so that a look-up opens few files.

It merges neighbours of one partition, log and day in key order, one row group of each at a time, so memory does not
grow with the day. The merged file becomes part of the ledger before the small ones are removed. Until then, and after
an interruption, its name says that they lie within it.

What it writes is in the present format. So it also writes alone segments of format 1 again, which have whole links.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import IO, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from streams.ledger.segments import FORMAT, ROW_GROUP, SCHEMA, NoSegmentError, SegmentFile, least, writer
from streams.ledger.storage import Segment, Storage

FEWEST: Final = 8
"""Number of neighbours of about one size that are worth a merge."""

_CLASS: Final = 8
"""Factor within which sizes count as about the same."""


class Merge(NamedTuple):
    """Neighbouring segments, and the segment that they become; one alone becomes itself in the present format."""

    parts: Sequence[Segment]
    whole: Segment


def due(segments: Sequence[Segment], sizes: Mapping[Segment, int], today: date) -> Iterator[Merge]:
    """The merges worth making: enough neighbours of about one size, and all neighbours of a day that is over."""
    by_place = sorted(segments, key=lambda each: (each.series, each.day, each.calls, each.sms))
    for (_, day), group in groupby(by_place, key=lambda each: (each.series, each.day)):
        for run in _adjoining([*group]):
            if day < today:
                if len(run) > 1:
                    yield _merge(run)
                continue
            yield from map(_merge, _of_one_size(run, sizes))


def _adjoining(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Runs of segments in which each one begins where the one before it ends."""
    run: list[Segment] = []
    for segment in segments:
        if run and (run[-1].calls[1], run[-1].sms[1]) != (segment.calls[0], segment.sms[0]):
            yield run
            run = []
        run.append(segment)
    if run:
        yield run


def _of_one_size(run: Sequence[Segment], sizes: Mapping[Segment, int]) -> Iterator[list[Segment]]:
    """Runs of at least `FEWEST` neighbours below one limit of size: the smallest limit that has any."""
    greatest = max(sizes[segment] for segment in run)
    limit = 1 << 14
    while True:
        small: list[list[Segment]] = [[]]
        for segment in run:
            if sizes[segment] <= limit:
                small[-1].append(segment)
            elif small[-1]:
                small.append([])
        worth = [some for some in small if len(some) >= FEWEST]
        if worth or limit > greatest:
            yield from worth
            return
        limit *= _CLASS


def _merge(parts: Sequence[Segment]) -> Merge:
    first, last = parts[0], parts[-1]
    return Merge(parts, first._replace(calls=(first.calls[0], last.calls[1]), sms=(first.sms[0], last.sms[1])))


def outdated(storage: Storage, segments: Sequence[Segment], newest: set[Segment]) -> Iterator[Merge]:
    """The segments of an earlier format, each to be written again; none on an object store.

    There a file cannot be replaced while others read it, so such a segment stays until it is merged or expires. To tell
    the format, each file is opened once: ``newest`` remembers those of the present one. Raises `LedgerError`.
    """
    if not storage.is_local:
        return
    newest.intersection_update(segments)
    for segment in segments:
        if segment in newest:
            continue
        try:
            with SegmentFile(storage.open(segment)) as file:
                if file.format < FORMAT:
                    yield Merge([segment], segment)
                else:
                    newest.add(segment)
        except (NoSegmentError, FileNotFoundError):  # a look-up deals with it
            continue


def merge(storage: Storage, todo: Merge, mark: str, told: Callable[[int], object] = lambda rows: None) -> int:
    """Make one merge; returns its number of rows, 0 if it was left for the next time.

    ``told`` is called with the number of rows written so far. If a part cannot be read, it is set aside and the merge
    is left for the next time. The merge is also left if a part has disappeared in the meantime, or was written again
    because somebody was erased. Raises `LedgerError` and OSError; a look-up then finds the same rows as before.
    """
    stamps = [storage.stamp(part) for part in todo.parts]
    with tempfile.TemporaryFile(dir=storage.scratch) as whole:
        try:
            count = _write(storage, todo.parts, whole, told)
        except _PartError as error:
            storage.set_aside(error.part, str(error))
            return 0
        except FileNotFoundError:  # another compactor was faster
            return 0
        if stamps != [storage.stamp(part) for part in todo.parts]:
            return 0
        whole.seek(0)
        name = storage.put(todo.whole, mark, whole)
    if not storage.enter(name, todo.whole):
        return 0  # without the whole the parts must stay
    for part in todo.parts:
        if part != todo.whole:
            storage.remove(part)
    return count


class _PartError(Exception):
    def __init__(self, part: Segment, reason: str) -> None:
        super().__init__(reason)
        self.part = part


class _Cursor:
    """Reads one part of a merge, a row group at a time."""

    def __init__(self, storage: Storage, part: Segment) -> None:
        self.part = part
        try:
            self.file = SegmentFile(storage.open(part), storage.hashes)
        except NoSegmentError as error:
            raise _PartError(part, str(error)) from None
        self._next = 0
        self.table = SCHEMA.empty_table()

    def fill(self) -> bool:
        """Read the next row group if the last one is used up; False when there is none left."""
        while not len(self.table):
            if self._next == self.file.row_groups:
                return False
            try:
                self.table = self.file.read([self._next])
            except NoSegmentError as error:
                raise _PartError(self.part, str(error)) from None
            self._next += 1
        return True

    @property
    def keys(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """The keys of the rows in memory."""
        keys: np.ndarray[tuple[int], np.dtype[np.int64]] = self.table.column("key").to_numpy()
        return keys

    def take(self, until: int) -> pa.Table:
        """Take the rows in memory up to and including a key."""
        count = int(np.searchsorted(self.keys, until, side="right"))
        taken, self.table = self.table.slice(0, count), self.table.slice(count)
        return taken


def _write(storage: Storage, parts: Sequence[Segment], to: IO[bytes], told: Callable[[int], object]) -> int:
    cursors: list[_Cursor] = []
    try:
        for part in parts:
            cursors.append(_Cursor(storage, part))
        known = least([cursor.file.known for cursor in cursors])
        written = 0
        waiting: list[pa.Table] = []
        with writer(to, known) as parquet:
            while ready := [cursor for cursor in cursors if cursor.fill()]:
                # Only up to the smallest of the last keys in memory is every row known: a part may have later rows that
                # are not read yet.
                until = min(int(cursor.keys[-1]) for cursor in ready)
                taken = pa.concat_tables([cursor.take(until) for cursor in ready])
                waiting.append(taken.take(pa.array(np.argsort(taken.column("key").to_numpy()))))
                if sum(map(len, waiting)) >= ROW_GROUP:
                    written += _put(parquet, waiting)
                    told(written)
            if waiting:
                written += _put(parquet, waiting)
        told(written)
        return written
    finally:
        for cursor in cursors:
            cursor.file.__exit__()


def _put(parquet: pq.ParquetWriter, waiting: list[pa.Table]) -> int:
    table = pa.concat_tables(waiting)
    parquet.write_table(table, row_group_size=ROW_GROUP)
    waiting.clear()
    return len(table)


def expired(days: Sequence[date], keep: int, today: date) -> list[date]:
    """The days that are older than ``keep`` days."""
    return [day for day in days if day < today - timedelta(days=keep)]
