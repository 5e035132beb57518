"""``python -m bench.wave``: fresh domains reach tens of thousands of people within an hour, among ordinary SMS.

The SMS are played at full speed into a worker and a hunter. The benchmark measures how many people each domain had
reached, and how much event time had passed, when it was suspected. It also lists everything else that was suspected.
Once the domains are confirmed, it counts the reminders.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import logging
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
from rich.console import Console

from bench.filling import fill
from bench.records import BEGIN, Made, subscriber, texts
from models.base.durations import DAY, HOUR
from models.detection.reminders import Reminder
from models.indicators.indicator import Indicator
from models.lookback.campaigns import Campaign
from streams.hunter.campaign_topic import CampaignTopic
from streams.kafka.indicator_topic import publish
from streams.local.stack import LocalStack
from streams.settings import Settings
from tests.site import Site

FOLDER = Path(".forewarn/wave")
PARTITIONS = 8
PATIENCE_S = 300.0

BANK, PARCELS, SHOP = "icbc.com.cn", "sf-express.com", "spring-sale.example.com"
"""Ordinary mass mailings: of two organisations, and of a shop whose domain was seen three days before."""


@dataclass(frozen=True)
class Wave:
    """An hour of SMS: ``recipients`` people get one with a fresh domain (of ``domains``), others get ordinary SMS."""

    recipients: int
    domains: int
    ordinary: int
    mailing: int
    """The number of people that each ordinary mass mailing reaches."""
    seed: int = 1

    @property
    def fresh(self) -> list[str]:
        """The fresh domains; every fourth borrows a bank's name."""
        return [f"{'icbc-' if number % 4 == 0 else 'yz'}{number:04}.top" for number in range(self.domains)]

    def reached(self) -> dict[str, list[str]]:
        """The people that each domain reaches; nobody is reached twice."""
        fresh = self.fresh
        return {
            name: [person(at) for at in range(number, self.recipients, len(fresh))] for number, name in enumerate(fresh)
        }

    def records(self) -> Iterator[Made]:
        """The SMS in event time; the first ones make the shop's domain an old one."""
        yield from (self._sms("old", at, subscriber(at), f"sale {SHOP}/{at}", BEGIN - 3 * DAY + at) for at in range(10))
        mailings = ((BANK, "95588"), (PARCELS, "95338"), (SHOP, "106900001234"))
        parts = [self._fraud(), self._plain(), *(self._mailing(*each) for each in mailings)]
        yield from heapq.merge(*parts, key=attrgetter("at"))

    def _fraud(self) -> Iterator[Made]:
        fresh, chance = self.fresh, random.Random(self.seed)
        for at in range(self.recipients):
            text = f"您的社保卡已停用，请点击 https://{fresh[at % len(fresh)]}/{chance.randrange(1 << 40):x} 认证"
            yield self._sms("wave", at, person(at), text, BEGIN + at * HOUR // self.recipients, f"9990077{at % 400:04}")

    def _plain(self) -> Iterator[Made]:
        plain, linked = texts()
        chance = random.Random(self.seed + 1)
        for at in range(self.ordinary):
            text = json.loads((linked if chance.random() < 0.2 else plain)[chance.randrange(len(plain))])
            who, peer = subscriber(chance.randrange(200_000)), f"8610001{chance.randrange(1_000_000):06}"
            yield self._sms("plain", at, who, text, BEGIN + at * HOUR // self.ordinary, peer)

    def _mailing(self, domain: str, sender: str) -> Iterator[Made]:
        for at in range(self.mailing):
            text = f"Your statement is ready: https://{domain}/s/{at}"
            yield self._sms(domain, at, subscriber(at), text, BEGIN + at * HOUR // self.mailing, sender)

    @staticmethod
    def _sms(kind: str, number: int, who: str, text: str, at: int, peer: str = "8610001000000") -> Made:
        value = {"id": f"{kind}-{number}", "subscriber": who, "peer": peer, "direction": "in", "at": at, "text": text}
        return Made("sms", who, json.dumps(value, ensure_ascii=False).encode(), at)


def person(number: int) -> str:
    """A made-up subscriber that only the wave reaches."""
    return f"8610002{number:06}"


class Seen(NamedTuple):
    """How one fresh domain came to be suspected."""

    people: int
    """How many people it had reached when it was suspected."""
    seconds: float
    """Event time from its first SMS until it was suspected."""


@dataclass(frozen=True)
class Outcome:
    """The result of a wave."""

    suspected: dict[str, Seen]
    others: list[str]
    """Domains and numbers that were suspected besides the fresh domains."""
    reminded: Counter[str]
    """How many reminders each person got."""
    severities: Counter[str]
    """How many alerts there were of each severity."""
    suspecting_s: float
    """Seconds from the last record's arrival to the last suspicion."""
    reminding_s: float
    """Seconds from the confirmation to the last reminder."""


def play(wave: Wave, site: Site, say: Callable[[str], object] = lambda text: None) -> Outcome:
    """Play a wave into a site with a worker and a hunter, confirm the fresh domains, and return the result."""
    say(f"playing {wave.recipients:,} SMS of {wave.domains} fresh domains among {wave.ordinary:,} others")
    asyncio.run(fill(site.settings, wave.records(), PARTITIONS, lambda count: None))
    began = time.monotonic()
    fresh = set(wave.fresh)
    first: dict[str, Campaign] = {}
    _wait(lambda: fresh <= first.keys(), lambda: first.update(first_words(site)))
    suspecting = time.monotonic() - began
    _settle(site)
    first = first_words(site)
    say("confirming them, as an analyst would")
    began = time.monotonic()
    asyncio.run(_confirm(site.settings, [first[name] for name in wave.fresh]))
    _wait(lambda: site.count("reminders") >= wave.recipients, lambda: None)
    reminding = time.monotonic() - began
    _settle(site)
    reminders = (msgspec.json.decode(record.value, type=Reminder) for record in site.read("reminders"))
    alerts = [json.loads(record.value) for record in site.read("alerts")]
    return Outcome(
        {name: Seen(first[name].subscribers, (first[name].at - first[name].first_seen) / 1000) for name in wave.fresh},
        sorted(first.keys() - fresh),
        Counter(each.subscriber for each in reminders),
        Counter(alert["severity"] for alert in alerts),
        suspecting,
        reminding,
    )


def first_words(site: Site) -> dict[str, Campaign]:
    """The first record of each campaign, by domain or number."""
    words: dict[str, Campaign] = {}
    for record in site.read("campaigns"):
        campaign = msgspec.json.decode(record.value, type=Campaign)
        words.setdefault(campaign.value, campaign)
    return words


async def _confirm(settings: Settings, campaigns: Sequence[Campaign]) -> None:
    indicators = [
        Indicator(
            type=each.type, value=each.value, scam_type="insurance-sms", confidence=90, source="campaign", valid_from=0
        )
        for each in campaigns
    ]
    await publish(settings, indicators)
    async with CampaignTopic(settings) as topic:
        await topic.publish([msgspec.structs.replace(each, status="confirmed") for each in campaigns])


def _wait(done: Callable[[], bool], look: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"The wave did not come to its end within {PATIENCE_S:.0f} s.")
        time.sleep(0.2)
        look()


def _settle(site: Site, seconds: float = 8.0) -> None:
    """Wait until no topic has grown for ``seconds``, which is longer than a segment of the ledger waits."""
    topics = ("campaigns", "signals", "alerts", "reminders")
    before: list[int] = []
    since = time.monotonic()
    while time.monotonic() - since < seconds:
        if (now := [site.count(topic) for topic in topics]) != before:
            before, since = now, time.monotonic()
        time.sleep(0.3)


@click.command()
@click.option("--recipients", default=90_000, show_default=True)
@click.option("--domains", default=20, show_default=True)
@click.option("--ordinary", default=1_000_000, show_default=True)
@click.option("--mailing", default=20_000, show_default=True)
def main(recipients: int, domains: int, ordinary: int, mailing: int) -> None:
    """Play a wave and show its result.

    Example: python -m bench.wave --recipients 9000 --ordinary 100000
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    shutil.rmtree(FOLDER, ignore_errors=True)
    told = Console(stderr=True)
    with LocalStack(FOLDER / "stack", 0, 0, notify=told.print) as stack:
        site = Site(Settings(kafka=stack.kafka, redis=stack.redis), FOLDER, watch=stack.watch)
        site.apply_topics()
        try:
            site.start_worker()
            site.start_hunter()
            outcome = play(Wave(recipients, domains, ordinary, mailing), site, told.print)
        finally:
            site.stop()
    shutil.rmtree(FOLDER, ignore_errors=True)
    for line in lines(outcome, recipients):
        click.echo(line)


def lines(outcome: Outcome, recipients: int) -> Iterator[str]:
    """The result of a wave in words, a line for each figure."""
    people = sorted(seen.people for seen in outcome.suspected.values())
    seconds = sorted(seen.seconds for seen in outcome.suspected.values())
    for name, values in (("people reached", people), ("seconds of event time", seconds)):
        yield f"suspected after {name}: least {values[0]:g}, median {values[len(values) // 2]:g}, most {values[-1]:g}"
    yield f"suspected beside the fresh domains: {len(outcome.others)}"
    times: Mapping[int, int] = Counter(outcome.reminded.values())
    yield f"reminded: {len(outcome.reminded):,} of {recipients:,} people, times: {dict(sorted(times.items()))}"
    yield f"alerts: {dict(outcome.severities)}"
    yield f"last suspicion after {outcome.suspecting_s:.1f} s, last reminder after {outcome.reminding_s:.1f} s"


if __name__ == "__main__":
    main()
