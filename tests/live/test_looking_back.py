"""Look-back, live: the ledger is complete, and people reached earlier are found as if the indicator had been known."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from bench.filling import fill
from bench.records import Made
from models.base.number_keys import number_of
from models.events.scanning import ENDED, OUT
from models.indicators.indicator import Indicator, parse
from models.lookback.contacts import CONTEXT, LINKED, SMS
from models.lookback.suspicion import is_suspicion
from streams.kafka.indicator_topic import publish
from streams.ledger.storage import Storage
from streams.settings import Settings
from tests.chaos.city import City, alerts_of
from tests.chaos.ground import PARTITIONS, Ground
from tests.chaos.trial import SAME_MEMBER, Trial
from tests.live.conftest import Servers
from tests.site import Site, last_words, until

EVENTS = 60_000

Happened = tuple[str, str, int]
"""The subscriber, the event's id, and the kind of event."""


def city() -> City:
    """A city with few strangers: most people of the day are being defrauded, or look like it."""
    return City(EVENTS, 6, numbers=500, domains=200)


@pytest.fixture(scope="module")
def ground(own_stack: Any, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """A short backlog on separate servers."""
    ground = Ground(own_stack, city(), tmp_path_factory.mktemp("looking-back"), prefix="back.")
    ground.prepare()
    return ground


def ledger(trial: Trial) -> Storage:
    """The ledger of a trial's workers."""
    return Storage(replace(trial.site.settings, ledger=trial.site.environ["FOREWARN_LEDGER"]))


def recorded(trial: Trial) -> Counter[Happened]:
    """How often the ledger has each event, with the kind of event."""
    storage = ledger(trial)
    found: Counter[Happened] = Counter()
    for segment in storage.segments():
        with storage.open(segment) as file:
            for row in pq.read_table(file, columns=["subscriber", "event", "what"]).to_pylist():
                if row["what"] < CONTEXT and not row["what"] & LINKED:
                    found[number_of(row["subscriber"]), row["event"], row["what"]] += 1
    return found


def reached(trial: Trial) -> dict[tuple[str, int], int]:
    """The offset up to which the ledger has each topic and partition."""
    found: dict[tuple[str, int], int] = {}
    for segment in ledger(trial).segments():
        for topic, upto in (("calls", segment.calls[1]), ("sms", segment.sms[1])):
            storage = trial.site.settings.topic(topic), segment.partition
            found[storage] = max(found.get(storage, 0), upto)
    return found


def happened(records: Iterator[Made]) -> Counter[Happened]:
    """How often the records themselves have each event."""
    found: Counter[Happened] = Counter()
    for record in records:
        try:
            event = json.loads(record.value)
        except ValueError:
            continue
        what = OUT if event["direction"] == "out" else 0
        what |= SMS if record.role == "sms" else ENDED if event["phase"] == "end" else 0
        found[event["subscriber"], event["id"], what] += 1
    return found


def test_after_crashes_every_contact_is_in_the_ledger_once(ground: Ground) -> None:
    with ground.trial("recorded") as trial, trial.slowed(0.01, 0.1) as slowed:
        slowed.add(trial.start(SAME_MEMBER, wait=True))
        for number in range(3):
            trial.reach(trial.events * (number + 1) // 5)
            trial.kill(next(iter(trial.kept)))
            slowed.add(trial.start(SAME_MEMBER, wait=True))
        slowed.clear()
        trial.finish()  # the next worker records what a killed worker had scored but not recorded
        until(lambda: reached(trial) == trial.ends)
        for worker in list(trial.kept):
            trial.let_go(worker)
            assert worker.stop() == 0
        there, expected = recorded(trial), happened(ground.city.records())
        assert expected.total() > EVENTS * 0.9
        assert (there - expected, expected - there) == (Counter(), Counter())
        assert set(trial.published()) == set(ground.expected)


def test_an_indicator_that_comes_in_the_middle_finds_the_same_people(own_stack: Servers, tmp_path: Path) -> None:
    chance = random.Random(1)
    settings = Settings(kafka=own_stack.kafka, redis=own_stack.redis, topic_prefix="gap.")
    site = Site(settings, tmp_path)
    site.apply_topics()
    known = [_or_url(each, at) for at, each in enumerate(city().indicators())]
    chance.shuffle(known)
    late = [known[at::4] for at in range(3)]
    asyncio.run(publish(settings, known[3::4]))
    records = list(city().records())
    cuts = sorted(chance.sample(range(1, len(records)), 5))
    try:
        site.start_worker()
        site.start_hunter()
        for number, (begin, end) in enumerate(zip([0, *cuts], [*cuts, len(records)], strict=True)):
            asyncio.run(_play(settings, records[begin:end], late[number] if number < 3 else []))
        until(lambda: _same(_standing(site), _expected(records, [*known, *_suspected(site)])))

        assert not {each.key for each in _suspected(site)} & {each.key for each in known}

        withdrawn = late[chance.randrange(3)]
        asyncio.run(publish(settings, [msgspec.structs.replace(each, revoked=True) for each in withdrawn]))
        names = {each.key for each in withdrawn}
        left = [each for each in known if each.key not in names]
        assert _expected(records, left) != _expected(records, known)
        until(lambda: _same(_standing(site), _expected(records, [*left, *_suspected(site)])))
    finally:
        site.stop()


def test_a_hunter_that_waits_for_kafka_stops_when_it_is_told_to(site: Site) -> None:
    hunter, _ = site.start_hunter(wait=False, FOREWARN_KAFKA="127.0.0.1:9")
    log = hunter.launch.log
    until(lambda: log.exists() and "waiting for Kafka" in log.read_text())
    assert hunter.stop() == 0
    assert "took too long" not in log.read_text()


def _or_url(indicator: Indicator, at: int) -> Indicator:
    """The indicator, or for every other domain its URL: the ledger has that under a key of the site only."""
    return msgspec.structs.replace(indicator, type="url") if indicator.type == "domain" and at % 2 else indicator


async def _play(settings: Settings, records: list[Made], indicators: list[Indicator]) -> None:
    """Publish records, and indicators at about the same time."""
    playing = asyncio.create_task(fill(settings, iter(records), PARTITIONS, lambda count: None))
    await asyncio.sleep(0.05)
    if indicators:
        await publish(settings, indicators)
    await playing


def _suspected(site: Site) -> list[Indicator]:
    """The suspicions in force that the hunter found by itself."""
    last = {record.key: parse(record.value) for record in site.read("indicators")}
    return [each for each in last.values() if is_suspicion(each)]


def _standing(site: Site) -> dict[str, Any]:
    """The alerts that are raised, by id, as the topic has them."""
    return {id: alert for id, alert in last_words(site.alerts()).items() if alert["status"] == "raised"}


def _same(standing: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Whether the alerts are the same apart from cells, which the ledger does not keep."""
    without = [{id: alert | {"cell": ""} for id, alert in alerts.items()} for alerts in (standing, expected)]
    return without[0] == without[1]


def _expected(records: list[Made], known: list[Indicator]) -> dict[str, Any]:
    """The raised alerts of a run that knew these indicators from the beginning."""
    words = last_words([json.loads(value) for value in alerts_of(lambda: iter(records), known)])
    return {id: alert for id, alert in words.items() if alert["status"] == "raised"}
