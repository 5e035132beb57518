"""Pivoting, live: a number that sends a known domain to enough people becomes known, until the domain is revoked."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from models.base.number_keys import key_of
from models.lookback.planner import Planner
from models.policy.policy import PivotRules
from streams.hunter.indicator_log import IndicatorLog
from streams.hunter.pivoting import Pivoting
from streams.hunter.sightings import Sightings
from streams.kafka.indicator_topic import TopicError
from streams.redis.client import Redis
from tests.site import SECRET, Record, Site, call, indicator, last_words, until
from tests.strategies import POLICY

CROOK, SERVICE, FRIEND = "99900000001", "106900000001", "99900777777"
ANN = "8610000000001"
AT = 1_773_626_400_000
EVIL = indicator("evil.top", "domain")


def texts(sender: str, begin: int, end: int, domain: str = "evil.top") -> list[Record]:
    """An SMS with a link to each of these people."""
    return [
        {
            "id": f"{sender}-{domain}-{each}",
            "subscriber": f"86100000010{each:02}",
            "peer": sender,
            "direction": "in",
            "at": AT + each * 1000,
            "text": f"您的包裹异常，请点 https://a.{domain}/{each} 处理",
        }
        for each in range(begin, end)
    ]


def last(site: Site, key: str) -> dict[str, Any]:
    """The last record of an indicator; empty if there is none."""
    records = [json.loads(each.value) for each in site.read("indicators") if each.key == key.encode()]
    return records[-1] if records else {}


def standing(site: Site) -> set[str]:
    """The subscribers with a raised alert that is urgent or high."""
    return {
        each["subscriber"]
        for each in last_words(site.alerts()).values()
        if each["status"] == "raised" and each["severity"] in ("urgent", "high")
    }


def test_the_sender_of_a_known_domain_is_hunted_for_until_the_domain_is_revoked(site: Site) -> None:
    site.start_worker()
    first, _ = site.start_hunter()
    site.send("calls", call(ANN, AT, CROOK), call(ANN, AT + 900_000, CROOK, "end", duration_s=890))
    site.send(
        "sms", *texts(CROOK, 0, 3), *texts(SERVICE, 0, 20), *texts(FRIEND, 0, 4), *texts(FRIEND, 0, 20, "fine.top")
    )
    until(lambda: (site.folder / "ledger").exists() and [*(site.folder / "ledger").rglob("*.parquet")])
    site.send("indicators", EVIL)
    until(lambda: {each.key for each in site.read("signals")})
    assert first.stop() == 0
    assert standing(site) == set()

    site.send("sms", *texts(CROOK, 3, 5))  # people from before and after add up, across hunters
    second, _ = site.start_hunter()
    until(lambda: standing(site) == {ANN})
    derived = last(site, f"number:{CROOK}")
    assert (derived["source"], derived["confidence"]) == ("pivot domain:evil.top", EVIL["confidence"] - 10)
    assert second.stop() == 0

    site.start_hunter()
    site.send("indicators", EVIL | {"revoked": True})
    until(lambda: last(site, f"number:{CROOK}").get("revoked"))
    until(lambda: standing(site) == set())
    numbers = {each.key for each in site.read("indicators") if each.key.startswith(b"number:")}
    assert numbers == {f"number:{CROOK}".encode()}


@pytest.fixture
async def known(site: Site) -> AsyncIterator[IndicatorLog]:
    """The indicators that the site knows: evil.top."""
    site.send("indicators", EVIL)
    async with IndicatorLog(dataclasses.replace(site.settings, secret=SECRET)) as log:
        await log.catch_up()
        yield log


@pytest.fixture
async def pivoting(site: Site, known: IndicatorLog) -> AsyncIterator[Pivoting]:
    """A separate pivot with the real Kafka and Redis; three people are enough."""
    client = Redis(site.settings)
    policy = replace(POLICY, pivots=PivotRules(recipients=3, confidence=10))
    yield Pivoting(site.settings, client, known, Planner(known.indicators, known.pivot, policy))
    await client.aclose()


def brought(begin: int, end: int, domain: str = "evil.top") -> Sightings:
    """An SMS with a domain from one number to each of these people."""
    people = np.arange(begin, end)
    senders, times = np.full(len(people), key_of(CROOK)), AT + people
    events = [f"m{each}" for each in people]
    links = [(f"a.{domain}", ())] * len(people)
    return Sightings("domain", domain, people, senders, times, events, people, lambda: links)


async def records(site: Site) -> int:
    """How many records about numbers there are."""
    found = await asyncio.to_thread(site.read, "indicators")
    return sum(each.key.startswith(b"number:") for each in found)


async def test_people_are_counted_once_however_often_they_are_seen(site: Site, pivoting: Pivoting) -> None:
    for _ in range(3):
        await pivoting.look_through([brought(0, 2), brought(0, 9, "fine.top")])
    assert await records(site) == 0

    for _ in range(3):
        await pivoting.look_through([brought(2, 3)])
    assert await records(site) == 1


async def test_what_was_counted_and_not_published_is_derived_when_it_is_done_again(
    site: Site, known: IndicatorLog, pivoting: Pivoting, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> int:
        raise TopicError("Kafka is away")

    with monkeypatch.context() as patched:
        patched.setattr("streams.hunter.pivoting.publish", refused)
        with pytest.raises(TopicError):
            await pivoting.look_through([brought(0, 5)])
    assert await records(site) == 0

    await pivoting.look_through([brought(0, 5)])
    assert await records(site) == 1

    await asyncio.to_thread(site.send, "indicators", EVIL | {"revoked": True})
    await known.catch_up()
    for _ in range(2):
        await pivoting.follow_origins()
    assert await records(site) == 2
    assert last(site, f"number:{CROOK}")["revoked"]
