"""Finding: goes through the ledger for numbers that act like a gang's, and through the cases for accounts.

The ledger's rows are looked at in slices of keys. All contacts of a number are in one slice, so its people are counted
exactly, and only a slice is in memory. It reads files and blocks; run it in a thread or a command.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
from aiokafka.errors import KafkaError
from msgspec.structs import replace

from models.base.number_keys import LENGTH_STEP, LONGEST_NUMBER, key_of, number_of
from models.casework.cases import Case
from models.casework.snapshots import decode
from models.lookback.call_patterns import CODE_ROW
from models.lookback.campaigns import LEAST_DIGITS, is_ordinary
from models.lookback.contacts import CONTEXT, LINKED, own_key
from models.lookback.hunting import Contact, distinct
from models.lookback.keys import Keys
from models.lookback.suspicion import leadable
from models.policy.policy import Policy
from models.risks.numbers import LISTED, NumberEvidence, Surroundings, evidence, scored, strangers
from streams.kafka.compacted import CompactedReader
from streams.ledger.lookup import find
from streams.ledger.people import contacts_of
from streams.ledger.segments import NoSegmentError, SegmentFile
from streams.ledger.storage import LedgerError, Segment, Storage
from streams.risks.risk_topic import RiskTopicError
from streams.settings import Settings

CASES: Final = "dispatch"
SLICE: Final = 500_000
"""Rows of a slice, about; with the contacts of its strangers it takes some hundred megabytes."""
_SAMPLED: Final = 1024
"""Rows of which one is looked at for cutting slices."""
_FIRST: Final = LEAST_DIGITS * LENGTH_STEP
_LAST: Final = (LONGEST_NUMBER + 1) * LENGTH_STEP - 1
"""The keys of numbers that can be a subscriber's."""

Told = Callable[[int], object]


async def all_cases(settings: Settings) -> list[Case]:
    """The cases of the topic ``dispatch``. Waits until Kafka answers; raises `RiskTopicError`."""
    try:
        topic = await CompactedReader.open(settings, settings.topic(CASES))
        try:
            return [decode(record.value) for record in await topic.contents()]
        finally:
            await topic.close()
    except KafkaError as error:
        raise RiskTopicError(str(error)) from None
    except ValueError as error:
        raise RiskTopicError(f"The topic {CASES} has a record that is no case of this version: {error}") from None


class Search:
    """A search through the contacts that the ledger has since a time.

    Raises `LedgerError` when the ledger has none or cannot be reached, and the OSError of a file that cannot be opened.
    """

    def __init__(self, settings: Settings, policy: Policy, since: datetime, victims: Collection[str]) -> None:
        if not settings.ledger:
            raise LedgerError("There is no ledger: FOREWARN_LEDGER is empty")
        self._storage, self._policy = Storage(settings), policy
        self._since = int(since.timestamp() * 1000)
        self._segments = self._storage.segments(since.astimezone(UTC).date() - timedelta(days=1))
        if not self._segments:
            raise LedgerError(
                f"The ledger at {self._storage.shown} has nothing from that time: does the worker have the same "
                "FOREWARN_LEDGER?"
            )
        self._days: set[date] = {segment.day for segment in self._segments}
        self._victims = {key_of(each) for each in victims}
        self._subscribers: Any = np.empty(0, dtype=np.int64)
        """Those of the slices that were searched."""

    def slices(self) -> list[tuple[int, int]]:
        """Ranges of keys that together hold all numbers, each with about `SLICE` rows; reads every segment's keys."""
        samples = sorted(each for segment in self._segments for each in self._samples(segment))
        cuts, rows = [_FIRST], 0
        for key, count in samples:
            if rows >= SLICE and key > cuts[-1]:
                cuts.append(key)
                rows = 0
            rows += count
        return [*zip(cuts, [*(cut - 1 for cut in cuts[1:]), _LAST], strict=True)]

    def _samples(self, segment: Segment) -> Iterator[tuple[int, int]]:
        """Keys of numbers in a segment, a few of each part, and for how many rows each of them stands."""
        try:
            with SegmentFile(self._storage.open(segment), self._storage.hashes) as file:
                for group in range(file.row_groups):
                    keys = file.read([group], ["key"]).column("key").to_numpy()
                    keys = keys[(keys >= _FIRST) & (keys <= _LAST)]
                    yield from ((int(key), min(len(keys), _SAMPLED)) for key in keys[::_SAMPLED])
        except (FileNotFoundError, NoSegmentError):
            return  # it was merged, or the search sets it aside

    def numbers(
        self, slices: Sequence[tuple[int, int]], told: Told = lambda done: None, least: float = LISTED
    ) -> list[NumberEvidence]:
        """The numbers of these slices that are a gang's with at least this probability, the likeliest first.

        ``told`` is called with 1 after each slice. Numbers of services and those that the policy calls well known are
        left out.
        """
        found: list[NumberEvidence] = []
        for each in slices:
            found += self._strangers(each)
            told(1)
        around = self.surroundings
        likely = [risk for risk in (scored(each, around) for each in found) if risk.probability >= least]
        own = {number_of(key) for key in np.intersect1d(self._subscribers, [key_of(each.number) for each in likely])}
        marked = [replace(each, is_subscriber=each.number in own) for each in likely]
        return sorted(marked, key=lambda each: (-each.probability, each.number))

    @property
    def surroundings(self) -> Surroundings:
        """What the numbers of the slices that were searched are weighed against."""
        return Surroundings(
            prevalence=self._policy.prevalence,
            people=len(self._subscribers),
            victims=int(np.isin(self._subscribers, [*self._victims]).sum()),
            covered_days=(max(self._days) - min(self._days)).days + 1,
        )

    def _strangers(self, keys: tuple[int, int]) -> Iterator[NumberEvidence]:
        """The evidence about each number of a slice that calls strangers."""
        tables = [
            table.filter(pa.array(_is_contact(table.column("what").to_numpy())))
            for table in find(self._storage, self._segments, Keys.of(ranges=[keys]), since=self._since)
        ]
        if not tables:
            return
        table = pa.concat_tables(tables)
        numbers, people, times, whats = (table.column(name).to_numpy() for name in ("key", "subscriber", "at", "what"))
        self._subscribers = np.union1d(self._subscribers, people)
        asked = [
            each
            for each in strangers(numbers, people, times, whats, self._policy.suspicions)
            if not is_ordinary("number", number_of(each), self._policy.campaigns)
        ]
        contacts: dict[int, list[Contact]] = defaultdict(list)
        for contact in distinct(contacts_of(table.filter(pa.array(np.isin(numbers, asked))))):
            contacts[contact.key].append(contact)
        codes = self._codes(contacts)
        for number, some in contacts.items():
            yield evidence(number, some, codes, self._victims, self._policy.suspicions)

    def _codes(self, contacts: Mapping[int, Sequence[Contact]]) -> Mapping[int, Sequence[int]]:
        """When the people that the numbers may have led on got verification codes."""
        people: set[int] = set().union(*(leadable(some, self._policy.suspicions) for some in contacts.values()))
        codes: dict[int, list[int]] = defaultdict(list)
        for table in find(self._storage, self._segments, Keys.of(map(own_key, people)), since=self._since):
            is_code = table.column("what").to_numpy() == CODE_ROW
            came = table.filter(pa.array(is_code))
            for person, at in zip(came.column("subscriber").to_pylist(), came.column("at").to_pylist(), strict=True):
                codes[person].append(at)
        return codes


def _is_contact(whats: Any) -> Any:
    """Which rows are calls and SMS by their peer: neither what happened around them, nor found by a link."""
    return (whats < CONTEXT) & (whats & LINKED == 0)
