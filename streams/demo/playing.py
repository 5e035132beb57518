"""Playing: sends records from files to the topics, in event time and at a chosen speed."""

from __future__ import annotations

import asyncio
import heapq
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter, time
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from models.events.event import MAX_BYTES
from streams.files.byte_streams import unpacked
from streams.files.text_lines import FileError
from streams.settings import Settings


class PlayError(Exception):
    """Kafka does not accept the records; the message says in one sentence what to do."""


class PlayedRecord(NamedTuple):
    """One line of a file on its way to a topic.

    ``at`` is its event time, and ``id`` is the id of its event, empty if it has none.
    """

    at: int
    role: str
    key: bytes | None
    value: bytes
    id: str


class _Outline(msgspec.Struct):
    subscriber: str
    at: int = 0
    id: str = ""


_outline = msgspec.json.Decoder(_Outline)
_AT = re.compile(rb'("at"\s*:\s*)(\d+)')
"""The time of a record; within a text the quotes would be escaped."""


def records(calls: Sequence[Path], sms: Sequence[Path]) -> Iterator[PlayedRecord]:
    """The lines of all files, merged by event time; a line that is not a record is kept as it is, without a key."""
    lines = [_lines("calls", path) for path in calls] + [_lines("sms", path) for path in sms]
    return heapq.merge(*lines, key=lambda record: record.at)


def span(calls: Sequence[Path], sms: Sequence[Path]) -> tuple[int, int]:
    """The event times (epoch ms) of the first and last record of all files; it reads the files to their ends.

    Raises `PlayError` when there is no record.
    """
    first = last = 0
    for record in records(calls, sms):
        if record.key is not None:
            first, last = first or record.at, record.at
    if not last:
        raise PlayError("The files have no records whose times could be moved: give others, or leave out --now.")
    return first, last


def shifted(played: Iterator[PlayedRecord], by: int) -> Iterator[PlayedRecord]:
    """The records with their event times moved by so many milliseconds; a line that is no record stays as it is.

    >>> record = PlayedRecord(1000, "sms", b"86", b'{"id": "m", "at": 1000}', "m")
    >>> next(shifted(iter([record]), 500)).value
    b'{"id": "m", "at": 1500}'
    """
    for record in played:
        if record.key is None:
            yield record
            continue
        value = _AT.sub(lambda found: found[1] + str(int(found[2]) + by).encode(), record.value, count=1)
        yield record._replace(at=record.at + by, value=value)


def _lines(role: str, path: Path) -> Iterator[PlayedRecord]:
    at = 0
    try:
        with path.open("rb") as packed:
            for line in unpacked(packed):
                value = line.strip()
                if not value:
                    continue
                try:
                    outline = _outline.decode(value)
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    yield PlayedRecord(at, role, None, value, "")
                else:
                    at = max(at, outline.at)
                    yield PlayedRecord(at, role, outline.subscriber.encode(), value, outline.id)
    except (OSError, EOFError) as error:
        raise FileError(f"{path} cannot be read to its end: {getattr(error, 'strerror', None) or error}") from None


Schedule = Callable[[int, int], float]
"""Returns when the record with this index and event time is due, in seconds from the start."""


def by_rate(per_second: float) -> Schedule:
    """A schedule with a fixed number of records a second."""
    return lambda index, at: index / per_second


def by_speed(factor: float) -> Schedule:
    """A schedule that is ``factor`` times as fast as the event times."""
    first: list[int] = []

    def due(index: int, at: int) -> float:
        if not first:
            first.append(at)
        return (at - first[0]) / 1000.0 / factor

    return due


async def play(
    settings: Settings,
    played: Iterator[PlayedRecord],
    schedule: Schedule | None = None,
    sent: Callable[[PlayedRecord, float], object] = lambda record, at: None,
) -> int:
    """Send all records and wait until Kafka has confirmed them; returns their number.

    ``sent`` gets each record with the wall-clock time (s) at which it was handed to the producer. Raises `PlayError`
    when Kafka does not answer or refuses a record.
    """
    producer = AIOKafkaProducer(
        **settings.aiokafka_options(), enable_idempotence=True, max_request_size=2 * MAX_BYTES, linger_ms=0
    )
    failures: list[BaseException] = []

    def settle(future: asyncio.Future[object]) -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            failures.append(error)

    try:
        await asyncio.wait_for(producer.start(), 8)
        began = perf_counter()
        count = 0
        for record in played:
            if schedule is not None:
                wait = schedule(count, record.at) - (perf_counter() - began)
                if wait > 0.001:
                    await asyncio.sleep(wait)
            at = time()
            future = await producer.send(settings.topic(record.role), value=record.value, key=record.key)
            future.add_done_callback(settle)
            sent(record, at)
            count += 1
            if failures:
                break
        await producer.flush()
    except (KafkaError, TimeoutError, OSError) as error:
        failures.append(error)
    finally:
        await producer.stop()
    if failures:
        raise PlayError(
            f"Kafka at {settings.kafka} does not accept the records ({failures[0] or type(failures[0]).__name__}): is "
            "it running (`forewarn up`), and are its topics there (`forewarn topics apply`)?"
        )
    return count
