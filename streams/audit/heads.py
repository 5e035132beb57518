"""Heads: the hash of the log's last line goes to a topic, where who owns the file cannot change it.

The console publishes the head of its machine's log while it runs, and a command does so when it ends. If Kafka does not
answer, nothing waits for it: the line is written, and a later head covers it as well, because each line holds the hash
of the one before.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from models.access.audit_chain import Head
from streams import metrics
from streams.audit.reading import AuditError, head_of
from streams.kafka.clients import started
from streams.kafka.login import LoginRefusedError
from streams.kafka.publishing import producer
from streams.kafka.recent_records import RecentRecordsError, recent_records
from streams.settings import Settings

log = structlog.get_logger(__name__)

TOPIC: Final = "audit-heads"
EVERY_S: Final = 10.0
"""Seconds between two looks at the log. A line that is younger can be cut off without a trace."""
PATIENCE_S: Final = 5.0
"""Seconds that a command waits for Kafka."""


class HeadError(Exception):
    """The heads cannot be published or read; one sentence says why."""


class PublishedHead(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the topic."""

    log: str
    number: int
    hash: str
    machine: str
    file: str
    """The absolute path of the log on that machine."""
    at: int
    """Epoch ms, by the clock of that machine."""


_decoder: Final = msgspec.json.Decoder(PublishedHead)


async def publish(settings: Settings) -> None:
    """Publish the present head, if there is one. Raises `HeadError` when Kafka does not confirm it in some seconds."""
    head = head_of(settings.audit_log)
    if head is None:
        return
    client = producer(settings)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await client.start()
            known = await client.client.fetch_all_metadata()  # a request for one topic alone could create it
            if not known.partitions_for_topic(settings.topic(TOPIC)):
                raise HeadError(f"the topic {settings.topic(TOPIC)} does not exist: run forewarn topics apply")
            await _send(client, settings, head)
    except (KafkaError, TimeoutError):
        raise HeadError(f"Kafka does not answer at {settings.kafka}") from None
    except LoginRefusedError as error:
        raise HeadError(str(error)) from None
    finally:
        await client.stop()


async def follow(settings: Settings, every: float = EVERY_S) -> None:
    """Publish each new head until cancelled; while Kafka does not confirm one, try again with the then present one."""
    client = await started(lambda: producer(settings), settings)
    try:
        published: Head | None = None
        while True:
            published = await _published(client, settings, published)
            await asyncio.sleep(every)
    finally:
        await client.stop()


async def _published(client: AIOKafkaProducer, settings: Settings, last: Head | None) -> Head | None:
    """Publish the head if it is not the last one any more, and return the newest that Kafka has confirmed."""
    try:
        head = await asyncio.to_thread(head_of, settings.audit_log)
        if head is not None and head != last:
            metrics.AUDIT_UNPUBLISHED.set(head.number - (0 if last is None else last.number))
            await _send(client, settings, head)
            last = head
        metrics.AUDIT_UNPUBLISHED.set(0)
    except (KafkaError, AuditError) as error:
        log.warning("the head of the audit log is not published yet", error=str(error) or type(error).__name__)
    return last


async def _send(client: AIOKafkaProducer, settings: Settings, head: Head) -> None:
    record = PublishedHead(
        **head._asdict(),
        machine=socket.gethostname(),
        file=str(settings.audit_log.absolute()),
        at=int(time.time() * 1000),
    )
    await client.send_and_wait(settings.topic(TOPIC), key=head.log.encode(), value=msgspec.json.encode(record))


async def published_heads(settings: Settings) -> list[PublishedHead]:
    """All heads on the topic, of every log; other records are ignored. Raises `HeadError`."""
    found: list[PublishedHead] = []
    try:
        async for fetched in recent_records(settings, TOPIC, since=0):
            for place in range(len(fetched.offsets)):
                with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
                    found.append(_decoder.decode(fetched.records.value(place) or b""))
    except (RecentRecordsError, LoginRefusedError) as error:
        raise HeadError(str(error)) from None
    return found


def hashes(heads: Iterable[PublishedHead], name: str) -> dict[int, frozenset[str]]:
    """The published hashes of one log, by the number of the line."""
    found: dict[int, set[str]] = {}
    for head in heads:
        if head.log == name:
            found.setdefault(head.number, set()).add(head.hash)
    return {number: frozenset(each) for number, each in found.items()}


def others(heads: Iterable[PublishedHead], name: str, path: Path) -> Sequence[PublishedHead]:
    """The last heads of other logs that were at the same place of this machine: moved away, or replaced."""
    here = socket.gethostname(), str(path.absolute())
    last = {head.log: head for head in heads if (head.machine, head.file) == here and head.log != name}
    return [*last.values()]
