"""Suspecting: looks through new segments for calls by which numbers lead people on, and at whom those deal with.

All that a suspicion rests on is in the ledger. What is remembered here is what calls of the last hours may follow, and
who was led on in the last days: what lies on either side of a restart is not brought together, and the next person's
is.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import structlog

from models.base.number_keys import key_of, number_of
from models.detection.episodes import HOUR
from models.detection.signals import CODE
from models.events.scanning import ENDED, OUT
from models.indicators.indicator import Indicator
from models.lookback.call_patterns import Company, Leading, Talks, Traces
from models.lookback.contacts import CONTEXT, CONTEXT_CODES, LINKED, SMS, own_key
from models.lookback.hunting import Contact, distinct
from models.lookback.suspicion import leadable, reach, suspicion
from models.policy.policy import Policy
from streams import metrics
from streams.hunter.indicator_log import IndicatorLog
from streams.hunter.search import Search
from streams.kafka.indicator_topic import publish
from streams.ledger.lookup import Keys
from streams.ledger.segments import NoSegmentError, SegmentFile
from streams.ledger.storage import Segment, Storage
from streams.settings import Settings

log = structlog.get_logger(__name__)

_COLUMNS: Final = ("key", "subscriber", "at", "what", "duration_s")
_CODE: Final = CONTEXT + CONTEXT_CODES.index(CODE)
"""What a code's row is."""


class Suspecting:
    """Suspects numbers. What it publishes is confirmed, and known to the log, when `look_through` returns."""

    def __init__(
        self, settings: Settings, storage: Storage, search: Search, known: IndicatorLog, policy: Policy
    ) -> None:
        self._settings = settings
        self._storage = storage
        self._search = search
        self._known = known
        self.policy = policy
        self._leading: dict[int, Leading] = {}
        """By partition."""
        self._company = Company()

    async def look_through(self, recorded: Sequence[Segment], segments: Sequence[Segment]) -> None:
        """Suspect the numbers for which new segments give cause, by what all segments have of them.

        Raises `TopicError` when Kafka refuses; done again, it publishes what is still due.
        """
        calls = await asyncio.to_thread(self._calls, recorded)
        asked = {number: at for number, at in calls.items() if self._may_be(number_of(number), at)}
        if not asked:
            return
        found = await asyncio.to_thread(lambda: [*self._suspected(asked, segments)])
        await self._known.catch_up()  # what became known of a number meanwhile is not to be written over
        suspected = [each for each in found if self._may_be(each.value, asked[key_of(each.value)])]
        if suspected:
            await publish(self._settings, suspected)
            await self._known.catch_up()
            metrics.SUSPICIONS.inc(len(suspected))
            log.info("suspected", numbers=len(suspected))

    def _may_be(self, number: str, at: int) -> bool:
        return self._known.pivot.may_be_suspected(number, at, self.policy.suspicions, self.policy.campaigns)

    def _calls(self, recorded: Sequence[Segment]) -> dict[int, int]:
        """The numbers that lead people on, each with the end of the last call by which it did."""
        windows, found = self.policy.windows, dict[int, int]()
        for segment in recorded:
            if segment.partition not in self._leading:
                self._leading[segment.partition] = Leading(int(windows.longest_call_hours * HOUR))
            tables = [*_tables(self._storage, segment)]
            if tables:
                columns = _columns(pa.concat_tables(tables))
                for led in self._leading[segment.partition].take(*columns, self.policy.suspicions):
                    if self._company.gives_cause(led):
                        found[led.number] = led.end
        return found

    def _suspected(self, asked: Mapping[int, int], segments: Sequence[Segment]) -> Iterator[Indicator]:
        rules = self.policy.suspicions
        contacts: dict[int, list[Contact]] = defaultdict(list)
        for contact in distinct(self._search.find(Keys.of(asked), segments)):
            contacts[contact.key].append(contact)
        reaches = {number: reach(some) for number, some in contacts.items()}
        for number, found in reaches.items():
            if found.is_turned_to(rules):
                self._company.trust(number)
        strangers = [number for number, found in reaches.items() if found.is_of_strangers(rules)]
        people = set().union(*(leadable(contacts[number], rules) for number in strangers))
        codes: dict[int, list[int]] = defaultdict(list)
        for contact in self._search.find(Keys.of(map(own_key, people)), segments):
            if contact.what == _CODE:
                codes[contact.subscriber].append(contact.at)
        for number in strangers:
            suspected = suspicion(number_of(number), contacts[number], codes, asked[number], rules)
            if suspected is not None:
                yield suspected


def _tables(storage: Storage, segment: Segment) -> Iterator[pa.Table]:
    """A segment's rows of ended calls, of codes, and of SMS from its people; none if it is gone, or cannot be read.

    Look-ups see to that.
    """
    try:
        with SegmentFile(storage.open(segment)) as file:
            for group in range(file.row_groups):
                table = file.read([group], _COLUMNS)
                whats = table.column("what").to_numpy()
                yield table.filter(pa.array(_is_ended(whats) | (whats == _CODE) | _is_sent(whats)))
    except (FileNotFoundError, NoSegmentError):
        return


def _is_ended(whats: Any) -> Any:
    return ((whats & (CONTEXT | SMS)) == 0) & ((whats & ENDED) > 0)


def _is_sent(whats: Any) -> Any:
    return (whats < CONTEXT) & ((whats & (SMS | OUT | LINKED)) == SMS | OUT)


def _columns(table: pa.Table) -> tuple[Talks, Traces, Traces]:
    keys, subscribers, times, whats = (table.column(name).to_numpy() for name in _COLUMNS[:4])
    durations: Any = table.column("duration_s").fill_null(-1.0).to_numpy()
    came, sent = whats == _CODE, _is_sent(whats)
    ended = _is_ended(whats) & np.isfinite(durations)
    talks = Talks(keys[ended], subscribers[ended], times[ended], durations[ended], (whats[ended] & OUT) > 0)
    codes = Traces.of_codes(subscribers[came], times[came])
    return talks, codes, Traces.of_pairs(subscribers[sent], keys[sent], times[sent])
