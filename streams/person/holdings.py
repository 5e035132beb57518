"""Holdings: everything that the site holds of one person at a moment, as far as it can be searched."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from time import time
from typing import Any, Final

from models.base.number_keys import key_of
from models.casework.cases import Case, is_past
from models.casework.snapshots import decode
from models.detection.episodes import Subject
from models.indicators.indicator import IndicatorError, parse
from streams.hunter.memory_store import MemoryStore
from streams.kafka.contracts.model import Contracts
from streams.kafka.partitioning import partition_of
from streams.kafka.topic_logs import TopicLogs
from streams.ledger.erasure import Rows, Wanted, search
from streams.ledger.storage import LedgerError, Storage
from streams.person import topic_search
from streams.person.topic_search import Held, pattern, searched
from streams.redis.client import Redis
from streams.settings import Settings
from streams.worker.partition_state import Outbox, Stored
from streams.worker.stored_states import StoredStates

CASES: Final = "dispatch"
FACTS: Final = "subscribers"
INDICATORS: Final = "indicators"


@dataclass(frozen=True)
class Holdings:
    """What was found of a number. What is of ``before`` (event time, epoch ms) or later is not to be forgotten."""

    number: str
    before: int
    at: int
    """When it was looked for (epoch ms)."""
    subject: Subject | None
    """What the number's partition remembers, all of it."""
    outbox: Outbox
    """What the partition was about to publish to the number at its last checkpoint."""
    is_hunted: bool
    """Whether the hunter remembers that it has found the person lately."""
    cases: Mapping[str, Case]
    """All cases of the number that stand, also those with alerts of later than ``before``."""
    topics: Mapping[str, Held]
    rows: Rows
    with_others: int
    """How many signals that are remembered of other people have the number at the other end, such as long calls."""
    aside: Sequence[date]
    """The days of which there are segments of the ledger that cannot be read."""

    @property
    def signals(self) -> int:
        """How many signals and published alerts from before are remembered, or are about to be published."""
        subject = self.subject or Subject()
        times = [*(signal.at for signal in subject.signals), *(word.last.at for word in subject.published.values())]
        times += [alert.at for alert in self.outbox.alerts]
        times += [reminder.at for reminder in self.outbox.reminders]
        return sum(at < self.before for at in times)

    @property
    def past_cases(self) -> list[Case]:
        """The cases whose alerts are all from before."""
        return [case for case in self.cases.values() if is_past(case, self.before)]

    @property
    def mixed_cases(self) -> int:
        """How many cases of the person also have alerts from later."""
        return len(self.cases) - len(self.past_cases)

    @property
    def mentions(self) -> int:
        """In how many cases of other people the number is, for example in an officer's note."""
        return len(self.topics[CASES].standing) - len(self.cases)

    @property
    def facts(self) -> list[bytes]:
        """The keys of the facts about the person that stand, if they were sent before."""
        standing = self.topics[FACTS].standing
        key = self.number.encode()
        return [key] if key in standing and standing[key].timestamp < self.before else []

    @property
    def is_indicator(self) -> bool:
        """Whether the number itself is a known indicator that was not revoked."""
        record = self.topics[INDICATORS].standing.get(f"number:{self.number}".encode())
        try:
            return record is not None and not parse(record.value).revoked
        except IndicatorError:
            return False


class Places:
    """The places of a site where people are: Redis, the ledger and Kafka's topics. Close it in the end."""

    def __init__(self, settings: Settings, contracts: Contracts, logs: TopicLogs) -> None:
        self.settings = settings
        self.contracts = contracts
        self.logs = logs
        self.states = StoredStates(settings)
        self.storage = Storage(settings) if settings.ledger else None
        self._redis = Redis(settings)

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self.states.close()
        await self._redis.aclose()

    def partition(self, number: str) -> int:
        """The partition that has a number's records."""
        return partition_of(number.encode(), len(self.logs[self.settings.topic("signals")].ends))

    async def stored(self, number: str) -> Stored:
        """What Redis holds of a number's partition apart from its subjects."""
        stored, _ = await self.states.stored(self.partition(number)) or (Stored(), None)
        return stored

    async def look(self, number: str, before: int) -> Holdings:
        """Search all places.

        Raises KafkaError, `CheckpointError` for state that cannot be read, and `LedgerError` (see `check_ledger`).
        """
        partition, stored = self.partition(number), await self.stored(number)
        self.check_ledger(stored)
        outbox = Outbox(
            [alert for alert in stored.outbox.alerts if alert.subscriber == number],
            [each for each in stored.outbox.reminders if each.subscriber == number],
        )
        memory = await MemoryStore(self.settings, self._redis).peek()
        topics = await self._topics(number)
        rows = await asyncio.to_thread(self._rows, Wanted(number, before))
        return Holdings(
            number,
            before,
            int(time() * 1000),
            await self.states.subject(partition, number),
            outbox,
            key_of(number) in memory.found,
            {case.case: case for case in _cases(topics[CASES].standing.values(), number)},
            topics,
            rows,
            await self._with_others(number),
            self.storage.days_aside() if self.storage is not None else (),
        )

    async def _with_others(self, number: str) -> int:
        count = 0
        for partition in self.logs[self.settings.topic("signals")].ends:
            subjects = await self.states.subjects(partition)
            others = (subject for subscriber, subject in subjects.items() if subscriber != number)
            count += sum(signal.peer == number for subject in others for signal in subject.signals)
        return count

    def check_ledger(self, stored: Stored) -> None:
        """Raise `LedgerError` when the ledger here cannot be the one that the owner of this state has written."""
        has_segments = self.storage is not None and bool(self.storage.segments())
        if any(stored.progress.offsets.values()) and not has_segments:
            where = self.storage.shown if self.storage is not None else "no folder"
            raise LedgerError(
                f"The ledger at {where} has no segments, and the worker has written some: run this where the ledger "
                "is, or correct FOREWARN_LEDGER."
            )

    def _rows(self, wanted: Wanted) -> Rows:
        if self.storage is None:
            return Rows()
        storage = self.storage
        return sum((search(storage, segment, wanted) for segment in storage.segments()), Rows())

    async def standing_cases(self, number: str) -> list[Case]:
        """The cases of a number that stand now. Raises KafkaError."""
        held = await topic_search.search(self.settings, [CASES], pattern(number))
        return _cases(held[CASES].standing.values(), number)

    async def _topics(self, number: str) -> dict[str, Held]:
        first = await topic_search.search(self.settings, [CASES], pattern(number))
        names = {case.case for case in _cases(first[CASES].records, number)}
        return await topic_search.search(self.settings, searched(self.contracts), pattern(number, names))


def _cases(records: Iterable[Any], number: str) -> list[Case]:
    """The cases of a number among records of ``dispatch``; what cannot be read is left out."""
    found = []
    for record in records:
        try:
            case = decode(record.value or b"")
        except ValueError:
            continue
        if case.subscriber == number:
            found.append(case)
    return found
