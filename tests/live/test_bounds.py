"""Bounds, live: records and record batches that are far too large end neither the worker nor the dispatcher."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from streams.kafka.letters import BEGINNING, Cut
from streams.local.worker import metric
from streams.settings import Settings
from tests.live.conftest import Servers
from tests.site import OpenedLetter, Site, call, indicator, until

AT = 1_773_625_200_000
LARGE = b"x" * 10_000_000
"""More than any topic takes, unless it is compressed."""
HUGE = bytes(48 << 20)
"""1.6 kB of zstd, and more than a batch may unpack to."""


@pytest.fixture
def site(stack: Servers, topic_prefix: str, tmp_path: Path) -> Iterator[Site]:
    """A site with its topics, for one test."""
    site = Site(Settings(kafka=stack.kafka, redis=stack.redis, topic_prefix=topic_prefix), tmp_path)
    site.apply_topics()
    yield site
    site.tell()
    site.stop()


def send(site: Site, topic: str, key: bytes | None, value: bytes | None, partition: int) -> None:
    """Send one record in a compressed batch of its own."""

    async def sent() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=site.settings.kafka, compression_type="zstd", acks="all")
        async with producer:
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
            await (await producer.send_batch(batch, site.settings.topic(topic), partition=partition))

    asyncio.run(sent())


def letters(site: Site, count: int) -> dict[str, OpenedLetter]:
    """The dead letters by reason, once there are so many."""
    found = until(lambda: read if len(read := site.letters()) >= count else [], 30)
    return {letter.said["reason"]: letter for letter in found}


def test_a_worker_goes_on_after_records_and_batches_that_are_far_too_large(site: Site) -> None:
    site.send("indicators", indicator())
    _, http = site.start_worker()
    for value in (LARGE, HUGE, json.dumps(call("8610000000202", AT)).encode()):
        send(site, "calls", b"8610000000202", value, 3)

    until(lambda: [each for each in site.alerts() if each["subscriber"] == "8610000000202"], 30)
    found = letters(site, 2)

    assert set(found) == {"too-large", "unreadable-batch"}
    letter = found["too-large"].record
    assert (letter.value, letter.key) == (LARGE[:BEGINNING], b"8610000000202")
    assert letter.cut == Cut(len(LARGE), sha256(LARGE).hexdigest())
    letter = found["unreadable-batch"].record
    assert len(letter.value or b"") < 5000
    assert letter.offset == 1
    assert metric(http, "forewarn_unreadable_batches_total") == 1


def test_a_dispatcher_goes_on_after_them_and_after_a_record_without_key_and_value(site: Site) -> None:
    _, http = site.start_dispatcher()
    for key, value in ((b"e1", LARGE), (b"e1", HUGE), (None, None), (b"e1", b"{}")):
        send(site, "dispatch-feedback", key, value, 1)

    found = letters(site, 4)

    assert set(found) == {"not-json", "unreadable-batch", "tombstone", "wrong-field"}
    assert metric(http, "forewarn_unreadable_batches_total") == 1
