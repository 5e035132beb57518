"""Look-up: finds the rows of some keys in all segments, for one number or a thousand in one pass.

Each row group of a segment states its smallest and greatest key. Only row groups that may hold a key are read: first
their keys, and the other columns only if a key is there. As many files are read at a time as the machine has cores,
four at most, newest first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.lookback.keys import Keys
from streams.ledger.segments import NoSegmentError, SegmentFile
from streams.ledger.storage import Segment, Storage

_GROUPS: Final = 8
"""Row groups that are read at once: it bounds memory when nearly all of a segment is wanted."""


def find(
    storage: Storage,
    segments: Sequence[Segment],
    keys: Keys,
    told: Callable[[Segment], object] = lambda segment: None,
    since: int = 0,
) -> Iterator[pa.Table]:
    """The rows of some keys in these segments whose event time is ``since`` (epoch ms) or later, piece by piece.

    A file that cannot be read is set aside, with an error in the log and a metric. If a segment was merged in the
    meantime, the merged segment is read instead. ``told`` is called with each segment that is done. Raises
    `LedgerError`, or the OSError of a file that cannot be opened, when the storage cannot be reached.

    Shared between threads: the pool uses ``storage`` and ``keys``, because it reads the segments. `Storage` may be used
    from several threads, and nothing changes the keys. All else belongs to the thread that iterates.
    """
    if not len(keys):
        return
    looked: set[Segment] = set()
    waiting = list(reversed(segments))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        while waiting:
            gone: list[Segment] = []
            order = iter(waiting)
            running = [(one, pool.submit(_read, storage, one, keys, since)) for one in islice(order, 4)]
            while running:
                segment, found = running.pop(0)
                tables = found.result()
                running += [(one, pool.submit(_read, storage, one, keys, since)) for one in islice(order, 1)]
                if tables is None:
                    gone.append(segment)
                else:
                    looked.add(segment)
                    yield from tables
                told(segment)
            # Other parts of the merged segment may have been read before the merge; only missing segments are wanted.
            waiting = _merged(storage, gone, looked) if gone else []


def _merged(storage: Storage, gone: Sequence[Segment], looked: set[Segment]) -> list[Segment]:
    """The segments, not read yet, into which those that are gone were merged."""
    return [
        segment
        for segment in storage.segments()
        if segment not in looked and any(segment.covers(each) for each in gone)
    ]


def _read(storage: Storage, segment: Segment, keys: Keys, since: int) -> list[pa.Table] | None:
    """The rows of one segment; None when it is gone. Runs in a thread of the pool."""
    found: list[pa.Table] = []
    try:
        with SegmentFile(storage.open(segment), storage.hashes) as file:
            groups = np.flatnonzero(keys.may_hold(file.lows, file.highs)).tolist()
            for start in range(0, len(groups), _GROUPS):
                some = groups[start : start + _GROUPS]
                held = [group for group in some if keys.hold(_keys_of(file.read([group], ["key"]))).any()]
                if held:
                    table = file.read(held)
                    kept = keys.hold(_keys_of(table)) & (table.column("at").to_numpy() >= since)
                    if kept.any():
                        found.append(table.filter(pa.array(kept)))
    except FileNotFoundError:
        return None
    except NoSegmentError as error:
        storage.set_aside(segment, str(error))
        return []
    return found


def _keys_of(table: pa.Table) -> NDArray[np.int64]:
    keys: NDArray[np.int64] = np.asarray(table.column("key").to_numpy())
    return keys
