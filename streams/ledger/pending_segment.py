"""Pending segment: a segment on its way into the ledger, the states it goes through, and the making of its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from streams import metrics
from streams.ledger.gathering import Gathering
from streams.ledger.progress import LedgerProgress
from streams.ledger.segments import table_of, written
from streams.ledger.storage import Segment, Storage

Ack = Callable[[], object]


class SegmentState(Enum):
    """How far a segment has got on its way into the ledger."""

    WRITING = auto()
    """A thread is writing its file beside the ledger; it is repeated while there is no space."""
    WRITTEN = auto()
    """Its file is complete; the next checkpoint is to name it."""
    NAMED = auto()
    """A checkpoint that names it is being written."""
    COMMITTING = auto()
    """The checkpoint is written, and the file is being moved into the ledger; the state stays if that fails."""
    COMMITTED = auto()
    """It is part of the ledger, and its records are acknowledged."""


@dataclass(slots=True)
class PendingSegment:
    """A segment on its way into the ledger: its rows, the offsets they cover, and the acks that wait for it.

    Shared between threads: `make_file` reads it and sets ``rows`` in another thread; the event loop changes all else.
    It needs no lock, because the event loop changes nothing while the file is made and reads only ``rows``, one int,
    for a gauge.
    """

    gathering: Gathering
    progress: LedgerProgress
    segment: Segment
    acks: dict[str, Ack]
    rows: int
    """The number of its rows; until its file is made, without those of links."""
    state: SegmentState = SegmentState.WRITING
    file: str = ""
    """The name of its file beside the ledger; empty before it is written, and for a segment without rows."""
    since: float | None = None
    """Monotonic time (s) since which its oldest row has been in memory; None: it has no rows."""


def make_file(storage: Storage, pending: PendingSegment, mark: str) -> str:
    """Sort the rows and write them beside the ledger; returns the file's name there.

    Runs in another thread than the event loop. Raises `LedgerError` and OSError.
    """
    rows = pending.gathering.rows()
    with metrics.LEDGER_SECONDS.time():
        table = table_of(rows)
        pending.rows = len(table)
        content = written(table, pending.gathering.known)
        try:
            name = storage.put(pending.segment, mark, content)
        finally:
            free, disk = storage.room
            metrics.LEDGER_FREE.set(free)
            metrics.LEDGER_DISK.set(disk)
        metrics.LEDGER_BYTES.inc(len(content))
        return name
