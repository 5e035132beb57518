"""Searching: from indicators that became known, or no longer are, to the signals of the people they had reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from models.detection.signals import SignalRecord
from models.indicators.matching import Indicators
from models.lookback.contacts import own_key
from models.lookback.hunting import Contact, distinct, record_of, signal_of, withdrawal_of
from models.policy.policy import Windows
from streams.hunter.segment_index import SegmentIndex
from streams.ledger.lookup import Keys, find
from streams.ledger.people import Named, contacts_of, keys_of
from streams.ledger.storage import Segment, Storage

Hit = tuple[Contact, SignalRecord]
"""A contact, and what it says."""

Group = list[SignalRecord]
"""The records of one subscriber, contacts before what happened around them: they are decided about together."""


class Search:
    """Looks through segments for contacts and for what happened around them."""

    def __init__(self, storage: Storage, index: SegmentIndex, indicators: Indicators, windows: Windows) -> None:
        self._storage = storage
        self._index = index
        self._indicators = indicators
        self.windows = windows

    def contacts(self, keys: Iterable[str], segments: Sequence[Segment]) -> list[Hit]:
        """What the contacts with these indicators (``type:value``) say now, known or not; each once."""
        looked_for = frozenset(keys)
        ranges, named = keys_of(looked_for), Named(looked_for)
        hits: list[Hit] = []
        for contact in distinct(self.find(ranges, segments)):
            if not named(contact):
                continue  # another host with the same hash
            signal = signal_of(contact, self._indicators, self.windows)
            gone = not all(map(self._indicators.holds, named(contact)))
            if signal is None:
                if gone:
                    hits.append((contact, withdrawal_of(contact)))
            elif gone or signal.indicator in looked_for:  # what else is known of it takes the place of what is gone
                hits.append((contact, record_of(contact.subscriber, signal)))
        return hits

    def context(self, moments: dict[int, list[int]], segments: Sequence[Segment]) -> list[SignalRecord]:
        """What happened to these subscribers (codes) near their contacts (event times), each once."""
        before, after = self.windows.before_ms, self.windows.after_ms
        records = []
        for contact in distinct(self.find(Keys.of(map(own_key, moments)), segments)):
            if any(at - before <= contact.at <= at + after for at in moments[contact.subscriber]):
                signal = signal_of(contact, self._indicators, self.windows)
                if signal is not None:
                    records.append(record_of(contact.subscriber, signal))
        return records

    def find(self, keys: Keys, segments: Sequence[Segment]) -> Iterator[Contact]:
        """The contacts of these keys, in no certain order, perhaps some twice."""
        if not len(keys):
            return
        chosen = [segment for segment in segments if self._index.may_hold(segment, keys)]
        for table in find(self._storage, chosen, keys):
            yield from contacts_of(table)


def grouped(contacts: Sequence[SignalRecord], context: Sequence[SignalRecord]) -> Iterator[Group]:
    """The records by subscriber, in event time, contacts first: context alone would be forgotten at once."""
    groups: dict[str, Group] = defaultdict(list)
    for records in (contacts, context):
        for record in sorted(records, key=lambda each: (each.at, each.code, each.event)):
            groups[record.subscriber].append(record)
    yield from groups.values()
