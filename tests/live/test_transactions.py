"""Transactions, live: carriers that write in Kafka transactions, some of which are aborted and some never end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from streams.checkup import brokers, examining
from streams.local.worker import metric
from tests.site import Site, applied, call, indicator, until

AT = 1_773_625_200_000
PARTITION = 3


@pytest.fixture
def working(site: Site) -> tuple[Site, str]:
    """A site with one known number and a ready worker, and the address of the worker's metrics."""
    site.send("indicators", indicator())
    _, http = site.start_worker()
    return site, http


@asynccontextmanager
async def carrier(site: Site, name: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that writes in transactions."""
    producer = AIOKafkaProducer(**site.settings.aiokafka_options(), transactional_id=site.settings.topic(name))
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def write(producer: AIOKafkaProducer, site: Site, record: dict[str, Any], topic: str = "calls") -> None:
    """Send one record within the open transaction."""
    key, value = record["subscriber"].encode(), json.dumps(record).encode()
    await producer.send_and_wait(site.settings.topic(topic), key=key, value=value, partition=PARTITION)


def warned(site: Site) -> set[str]:
    """The subscribers with an alert."""
    return {alert["subscriber"] for alert in site.alerts()}


async def test_committed_records_are_scored_and_aborted_ones_were_never_said(working: tuple[Site, str]) -> None:
    """Markers alone follow the records, so the worker's position must move over offsets without any."""
    site, http = working
    async with carrier(site, "one") as one, carrier(site, "two") as two:
        for turn in range(5):
            await one.begin_transaction()
            await two.begin_transaction()
            await write(one, site, call(f"86100000010{turn}", AT + turn, id=f"kept{turn}"))
            await write(two, site, call(f"86100000020{turn}", AT + turn, id=f"dropped{turn}"))
            await two.abort_transaction()
            await one.commit_transaction()
            await asyncio.to_thread(applied, http, turn + 1)

    assert warned(site) == {f"86100000010{turn}" for turn in range(5)}
    assert metric(http, "forewarn_events_total") == 5


async def test_a_worker_starts_again_in_the_middle_of_transactions(working: tuple[Site, str]) -> None:
    site, http = working
    async with carrier(site, "one") as one:
        await one.begin_transaction()
        await write(one, site, call("8610000000101", AT, id="before"))
        await one.commit_transaction()
        await asyncio.to_thread(applied, http, 1)
        await asyncio.to_thread(site.workers[-1].stop)
        for commits in (False, True):
            await one.begin_transaction()
            await write(one, site, call("8610000000102" if commits else "8610000000103", AT, id=f"after{commits}"))
            await (one.commit_transaction() if commits else one.abort_transaction())
    _, http = await asyncio.to_thread(site.start_worker)
    await asyncio.to_thread(applied, http, 1)

    assert warned(site) == {"8610000000101", "8610000000102"}


async def test_an_open_transaction_holds_back_its_topic_alone_and_lag_and_doctor_say_so(
    working: tuple[Site, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site, http = working
    monkeypatch.setattr(brokers, "OPEN_TOO_LONG_S", 0)
    site.send("indicators", indicator("bad.example", "domain"))
    async with carrier(site, "hangs") as hangs, carrier(site, "good") as good:
        await hangs.begin_transaction()
        await write(hangs, site, call("8610000000101", AT, id="hangs"))
        await good.begin_transaction()
        await write(good, site, call("8610000000102", AT, id="behind"))
        sms = {"id": "m1", "subscriber": "8610000000103", "peer": "8610000000999", "at": AT, "direction": "in"}
        await write(good, site, sms | {"text": "see https://bad.example/x"}, "sms")
        await good.commit_transaction()

        await asyncio.to_thread(until, lambda: warned(site) == {"8610000000103"})
        await asyncio.to_thread(until, lambda: metric(http, "forewarn_unstable_records") == 3)
        assert metric(http, "forewarn_lag_records") == 3
        findings = await asyncio.to_thread(lambda: [*examining.examine(site.settings)])
        (said,) = [each for each in findings if each.part == "transactions"]
        assert said.state == "look"
        assert f"{site.settings.topic('calls')} partition {PARTITION} since offset 0" in said.says

        await hangs.abort_transaction()
        await asyncio.to_thread(until, lambda: warned(site) == {"8610000000102", "8610000000103"})
        await asyncio.to_thread(until, lambda: not metric(http, "forewarn_lag_records"))
