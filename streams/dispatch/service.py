"""The dispatcher's service: reads alerts and feedback, watches deadlines and publishes snapshots of cases.

Each turn reads the waiting records, changes the board, and commits the changed cases together with the read offsets.
If Kafka fails during a turn, the board is rebuilt from the topic ``dispatch``, and no unconfirmed change survives.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from heapq import merge
from time import time
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalOperation,
    InvalidProducerEpoch,
    KafkaError,
    ProducerFenced,
)

from models.base.durations import DAY
from models.base.formats import NewerFormatError
from models.casework.board import Board
from models.casework.cases import Case
from models.casework.deadlines import Office
from models.casework.snapshots import decode
from models.events.event import RecordError, Refusal
from models.policy.policy import Policy
from streams import health, metrics
from streams.dispatch import stations_file
from streams.dispatch.casebook import Casebook
from streams.dispatch.inbox import ALERTS, FEEDBACK, take
from streams.dispatch.outbox import TOPIC, Outbox, group
from streams.dispatch.purges import Purges
from streams.dispatch.registry import Registry, follow
from streams.files import policy_file
from streams.kafka.clients import passes, reader
from streams.kafka.columns import Record
from streams.kafka.compacted import CompactedReader
from streams.kafka.letters import DeadLetters, Refused, refused
from streams.kafka.partition_watch import PartitionWatch
from streams.service import serve
from streams.settings import Settings

log = structlog.get_logger(__name__)

SIGNALS: Final = "signals"
"""Only the purges among them concern the dispatcher."""
QUICK: Final = {"fetch_max_wait_ms": 100}
"""Short fetches, because every other request to a broker waits for the fetch that is running."""
MOST_RECORDS = 2000
"""The most records in one transaction."""
LOOK_EVERY = 0.2
"""Seconds to wait for a record before deadlines are checked again."""
PAUSE = 1.0
"""Seconds before Kafka is tried again."""
FIRST_MS = DAY
"""How far back (ms) the first dispatcher of a site reads alerts and feedback."""


class DispatchError(Exception):
    """The dispatcher cannot continue; the message says in one sentence what is wrong and what to do."""


class Dispatcher:
    """Handles one city's cases from one load of the topic ``dispatch`` to the next."""

    def __init__(self, settings: Settings, board: Board, inbox: AIOKafkaConsumer, outbox: Outbox) -> None:
        self._settings = settings
        self._board = board
        self._inbox = inbox
        self._outbox = outbox
        self._names = {settings.topic(name): name for name in (ALERTS, FEEDBACK, SIGNALS)}
        self._dead_letters = DeadLetters(settings)
        self._casebook = Casebook()
        self._watch = PartitionWatch(inbox)
        self._heard: dict[TopicPartition, int] = {}
        """When the last record read had reached Kafka (epoch ms), by partition."""
        self._purges = Purges()

    async def load(self) -> None:
        """Load all cases and continue reading where the previous dispatcher ended. Raises `DispatchError`."""
        topic = await CompactedReader.open(self._settings, self._settings.topic(TOPIC), **QUICK)
        try:
            cases = await topic.contents()  # the newest of each key before any is decoded: a tombstone mends a bad one
        finally:
            await topic.close()
        for record in cases:
            self._remember(record)
        committed = {part: await self._inbox.committed(part) for part in self._inbox.assignment()}
        begins = await self._begins(committed)
        for part, offset in begins.items():
            self._inbox.seek(part, offset)
        if new := {part: begins[part] for part, read in committed.items() if read is None}:
            await self._outbox.commit({}, [], new)  # from now on, a partition without an offset is one that was added
        self._casebook.begin(self._board.cases)
        log.info("cases are in memory", cases=len(self._board.cases))

    async def _begins(self, committed: Mapping[TopicPartition, int | None]) -> dict[TopicPartition, int]:
        """The offsets to start from: where the previous dispatcher ended; a site's first dispatcher starts a day ago.

        A partition that was added since then is read from its beginning. Raises `DispatchError` when a topic was
        recreated.
        """
        ends = await self._inbox.end_offsets(committed)
        since = int(time() * 1000) - FIRST_MS
        recent = await self._inbox.offsets_for_times(dict.fromkeys(ends, since))
        known = {part.topic for part, read in committed.items() if read is not None}
        begins: dict[TopicPartition, int] = {}
        for part, end in ends.items():
            read = committed[part]
            if read is not None and read > end and self._names[part.topic] == SIGNALS:
                begins[part] = 0  # made anew (`forewarn state rewind`); purges may be applied again
                continue
            if read is not None and read > end:
                raise DispatchError(
                    f"{part.topic}, partition {part.partition}: {read} records were read and it holds {end}, so it was "
                    f"made anew: delete the consumer group {group(self._settings)}, and the last day is read again."
                )
            if read is None:
                first = end if recent[part] is None else int(recent[part].offset)
                read = 0 if part.topic in known else first
            begins[part] = read
        return begins

    def _remember(self, record: Any) -> None:
        try:
            self._board.put(decode(record.value))
        except NewerFormatError as error:
            raise DispatchError(
                f"{record.topic}, partition {record.partition}, offset {record.offset}: {error}"
            ) from None
        except ValueError as error:
            raise DispatchError(
                f"{record.topic}, partition {record.partition}, offset {record.offset} is not a case written by a "
                f"dispatcher ({error}): publish a tombstone for its key, and the case is forgotten."
            ) from None

    async def turn(self) -> int:
        """Read the waiting records, apply due deadlines and publish the changes; return the number of changed cases."""
        await self._watch.look()
        batches = await self._inbox.getmany(timeout_ms=self._patience(), max_records=MOST_RECORDS)
        changes: dict[str, Case | None] = {}
        wrong: list[Refused] = []
        read: dict[TopicPartition, int] = {}
        for topic in (ALERTS, FEEDBACK):
            of_topic = [records for part, records in batches.items() if self._names[part.topic] == topic]
            # A partition that was added later holds later records about the same people.
            for record in merge(*of_topic, key=lambda each: each.timestamp):
                self._take(topic, record, changes, wrong)
        for part, records in batches.items():
            read[part] = records[-1].offset + 1
            self._heard[part] = records[-1].timestamp
            if self._names[part.topic] == SIGNALS:
                self._purges.put(part, records)
        clock = await self._clock()
        changes.update(dict.fromkeys(self._purges.apply(self._board, clock, read)))
        changes.update(self._board.due(clock))
        if not changes and not read:
            return 0
        letters = await asyncio.to_thread(self._dead_letters.of, wrong) if wrong else []
        await self._outbox.commit(changes, letters, read)
        for each in wrong:
            metrics.DEAD_LETTERS.labels(each.record.topic, each.refusal.reason).inc()
        for name, case in changes.items():
            self._casebook.note(name, case)
        self._casebook.show()
        return len(changes)

    def _take(self, topic: str, record: Any, changes: dict[str, Case | None], wrong: list[Refused]) -> None:
        try:
            case = take(self._board, topic, record)
        except RecordError as error:
            wrong.append(refused(Record.of(record), Refusal(0, error.reason, str(error)), stays=True))
            return
        if case is not None:
            changes[case.case] = case

    def _patience(self) -> int:
        """Milliseconds to wait for a record, at most until the next deadline."""
        due = self._board.next_due
        wait = LOOK_EVERY * 1000 if due is None else min(LOOK_EVERY * 1000, due - time() * 1000)
        return max(0, int(wait))

    async def _clock(self) -> int:
        """The time (epoch ms) up to which deadlines may expire: all records from before that time have been read."""
        now = int(time() * 1000)
        for part in self._inbox.assignment():
            if self._names[part.topic] == SIGNALS:  # nothing there meets a deadline
                continue
            behind = self._inbox.highwater(part)
            if behind is None or await self._inbox.position(part) < behind:
                now = min(now, self._heard.get(part, 0))
        return now


async def run(settings: Settings) -> None:
    """Run the dispatcher until SIGTERM or SIGINT. Raises the error that ended it otherwise."""
    settings.letters_key()  # without one it refuses before it connects
    policy = policy_file.load(settings.policy_file)
    stations = stations_file.load(settings.stations_file)
    for part in ("kafka", "cases"):
        metrics.READY.labels(part).set(0)
    progress = health.Progress(settings.stall_seconds)
    desk = _Desk(settings, policy, Office(policy.dispatch, stations), progress)
    await serve(settings.dispatcher_http, "FOREWARN_DISPATCHER_HTTP", progress, desk.work)


class _Desk:
    """Starts a dispatcher, and another one after each failure of Kafka, until told to stop."""

    def __init__(self, settings: Settings, policy: Policy, office: Office, progress: health.Progress) -> None:
        self._settings = settings
        self._policy = policy
        self._office = office
        self._progress = progress
        self._board: Board | None = None

    async def work(self, stop: asyncio.Event) -> None:
        """Dispatch until ``stop``, checked between two turns; whatever Kafka has not confirmed is repeated."""
        watching = asyncio.create_task(policy_file.watch(self._settings.policy_file, self._policy, self._follow))
        try:
            while not stop.is_set():
                try:
                    await self._dispatch(stop)
                except (ProducerFenced, InvalidProducerEpoch):
                    raise DispatchError(
                        "Another dispatcher has taken over this site. There can be only one, so this one ends."
                    ) from None
                except (KafkaError, IllegalOperation) as error:
                    # The second is raised where the producer learns of an error between two records of a transaction;
                    # a new one starts anew, or is told what is wrong.
                    if not (isinstance(error, CommitFailedError | IllegalOperation) or passes(error)):
                        raise
                    metrics.READY.labels("kafka").set(0)
                    metrics.RETRIES.labels("kafka", type(error).__name__).inc()
                    log.warning("waiting for Kafka", kafka=self._settings.kafka, error=type(error).__name__)
                    await asyncio.sleep(PAUSE)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _dispatch(self, stop: asyncio.Event) -> None:
        settings, registry = self._settings, Registry()
        people = await CompactedReader.open(settings, settings.topic("subscribers"))
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(people.close)
            ends = await people.ends()
            while not await people.has_reached(ends):
                for record in await people.some(200):
                    registry.take(record.key, record.value)
            outbox = await stack.enter_async_context(Outbox(settings))
            inbox, _ = await reader(
                settings, *map(settings.topic, (ALERTS, FEEDBACK, SIGNALS)), group_id=group(settings), **QUICK
            )
            stack.push_async_callback(inbox.stop)
            board = self._board = Board(self._office, registry.about)
            dispatcher = Dispatcher(settings, board, inbox, outbox)
            await dispatcher.load()
            metrics.READY.labels("cases").set(1)
            following = asyncio.create_task(follow(registry, people))
            try:
                while not stop.is_set():
                    await dispatcher.turn()
                    self._progress.tell({}, 0)
                    if following.done():
                        following.result()  # raises: without the registry no home station is known
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)

    def _follow(self, policy: Policy) -> None:
        self._office = Office(policy.dispatch, self._office.stations)
        if self._board is not None:
            self._board.office = self._office
