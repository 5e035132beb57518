"""Purging: has everything forgotten that happened to a person before a time, and looks what is left.

Each owner forgets its own: a record on ``signals`` tells worker and dispatcher, a tombstone the readers of
``subscribers``; the ledger's segments are written again here. Every step can be repeated, so a purge that was
interrupted, or that found a program stopped, is simply run again.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from aiokafka import AIOKafkaProducer

from models.casework.cases import OVER, is_past
from models.detection.signals import Purge
from streams.kafka.clients import started
from streams.kafka.publishing import PURGE, producer
from streams.kafka.topic_logs import TopicLogs, topic_logs
from streams.ledger.erasure import Wanted, erase
from streams.ledger.storage import Segment, Storage, merge_mark
from streams.person.holdings import FACTS, Holdings, Places

MOST_PASSES: Final = 10
"""How often the ledger is gone through at most: a merged segment may have what was just erased from its parts."""

_LOOK_EVERY: Final = 0.2

Said = Callable[[str], object]
"""Receives a sentence about what is being done."""


class PurgeError(Exception):
    """A purge is not possible; the message says why and what to do. Nothing was changed."""


def check(holdings: Holdings, open_too: bool) -> None:
    """Raise `PurgeError` when somebody must act first."""
    if holdings.is_indicator:
        raise PurgeError(
            "The number is a known indicator, so contacts of others with it must stay findable: revoke it first "
            "(forewarn indicators revoke)."
        )
    waiting = [case.case for case in holdings.past_cases if case.status not in OVER]
    if waiting and not open_too:
        raise PurgeError(
            f"Case {waiting[0]} is not over, and somebody may be on the way to the person: have the station close it, "
            "or say --open-too, and the order disappears from its list."
        )


class Purging:
    """One purge, step by step. It waits ``wait`` seconds for each program, and tells ``said`` for which one."""

    def __init__(self, places: Places, holdings: Holdings, open_too: bool, wait: float, said: Said) -> None:
        self._places = places
        self._first = holdings
        self._purge = Purge(secrets.token_hex(8), holdings.number, holdings.before, open_too)
        self._wait = wait
        self._said = said
        self.problems: list[str] = []
        """What was not reached, each in a sentence that says what to do."""

    async def carry_out(self) -> Holdings:
        """Have it forgotten and return what is left.

        Raises KafkaError, `BrokerError`, `LedgerError`, OSError and `CheckpointError`; run it again then.
        """
        number, settings = self._first.number, self._places.settings
        sender = await started(lambda: producer(settings), settings)
        try:
            if self._first.facts:
                await self._forget_facts(sender)
            told = await self._tell(sender)
            self._said("Waiting for the worker")
            is_applied = await self._until(lambda: self._is_applied(told))
            await self._tell(sender)  # for the dispatcher: it comes after every alert about what is forgotten
        finally:
            await sender.stop()
        if is_applied:
            await self._wait_for_ledger(await asyncio.to_thread(topic_logs, settings, [*self._places.logs]))
        else:
            self.problems.append("No worker has applied the purge yet: start it, and repeat the purge.")
        await self._erase(Wanted(number, self._first.before))
        self._said("Waiting for the dispatcher")
        if not await self._until(self._is_dispatched):
            self.problems.append("No dispatcher has applied the purge yet: start it, and repeat the purge.")
        return await self._places.look(number, self._first.before)

    async def _is_dispatched(self) -> bool:
        """Whether no case is left that the dispatcher forgets."""
        cases = await self._places.standing_cases(self._first.number)
        past = [case for case in cases if is_past(case, self._first.before)]
        return not any(self._purge.open_too or case.status in OVER for case in past)

    async def _tell(self, sender: AIOKafkaProducer) -> int:
        """Publish the purge; returns its offset."""
        topic, partition = self._places.settings.topic("signals"), self._places.partition(self._first.number)
        value = msgspec.json.encode(self._purge)
        sent = await sender.send_and_wait(topic, key=PURGE, value=value, partition=partition)
        return int(sent.offset)

    async def _forget_facts(self, sender: AIOKafkaProducer) -> None:
        """Publish tombstones, one in each partition: if partitions were added, an earlier word is in another one."""
        topic = self._places.settings.topic(FACTS)
        for key in self._first.facts:
            for partition in sorted(await sender.partitions_for(topic)):
                await sender.send_and_wait(topic, key=key, value=None, partition=partition)

    async def _is_applied(self, offset: int) -> bool:
        stored = await self._places.stored(self._first.number)
        return stored.offsets.get(self._places.settings.topic("signals"), 0) > offset

    async def _wait_for_ledger(self, logs: TopicLogs) -> None:
        """Wait until the rows of all records that Kafka has by now are in the ledger, so that they can be erased."""
        if self._places.storage is None:
            return
        self._said("Waiting for the ledger")
        if not await self._until(lambda: self._is_recorded(logs)):
            self.problems.append("The ledger did not get all rows in time, so more may follow: repeat the purge.")

    async def _is_recorded(self, logs: TopicLogs) -> bool:
        progress = (await self._places.stored(self._first.number)).progress
        number = self._places.partition(self._first.number)
        return not progress.pending and all(
            progress.offsets.get(topic, logs[topic].firsts[number]) >= logs[topic].ends[number]
            for topic in map(self._places.settings.topic, ("calls", "sms"))
        )

    async def _erase(self, wanted: Wanted) -> None:
        """Go through the ledger until nothing is found any more."""
        storage = self._places.storage
        if storage is None:
            return
        clean: Mapping[Segment, str] = {}
        for _ in range(MOST_PASSES):
            self._said("Going through the ledger")
            clean, found = await asyncio.to_thread(_pass, storage, wanted, clean)
            if not found:
                return
        self.problems.append("The ledger is being merged all the time: repeat the purge.")

    async def _until(self, reached: Callable[[], Awaitable[bool]]) -> bool:
        """Whether something is reached within the time to wait."""
        deadline = time.monotonic() + self._wait
        while not await reached():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_LOOK_EVERY)
        return True


def _pass(storage: Storage, wanted: Wanted, clean: Mapping[Segment, str]) -> tuple[dict[Segment, str], bool]:
    """Erase in all segments that changed since they were ``clean``; those that are now, and whether any was not."""
    now: dict[Segment, str] = {}
    found = False
    for segment in storage.segments():
        stamp = storage.stamp(segment)
        if clean.get(segment) != stamp and erase(storage, segment, wanted, merge_mark(int(time.time()))):
            found = True
        else:
            now[segment] = stamp
    return now, found
