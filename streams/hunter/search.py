"""Search: answers questions from a set of segments (`models.lookback.questions.Ledger`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.lookback.hunting import Contact
from models.lookback.keys import Keys
from streams.hunter.segment_index import SegmentIndex
from streams.ledger.lookup import find
from streams.ledger.people import contacts_of
from streams.ledger.storage import Segment, Storage


class SegmentLedger:
    """A ledger of the given segments only; it opens only those that may hold a key according to the index."""

    def __init__(self, storage: Storage, index: SegmentIndex, segments: Sequence[Segment]) -> None:
        self._storage = storage
        self._index = index
        self._segments = segments

    def find(self, keys: Keys) -> Iterator[Contact]:
        """See `Ledger`; a contact comes twice when segments are merged during the search.

        Raises `streams.ledger.storage.LedgerError` when the storage cannot be reached.
        """
        if not len(keys):
            return
        chosen = [segment for segment in self._segments if self._index.may_hold(segment, keys)]
        for table in find(self._storage, chosen, keys):
            yield from contacts_of(table)
