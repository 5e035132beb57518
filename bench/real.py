"""Real records through a real worker: ``python -m bench.real`` writes docs/measurements.md.

The records are 28 days of calls and SMS among some 600 people (Copenhagen Networks Study) with real SMS texts (UCI).
The indicators are all published fraud domains of a police hotline. Only counts are printed and kept.
"""

from __future__ import annotations

import asyncio
import csv
import json
import logging
import random
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.records import REAL, ROOT
from models.detection.alerts import Alert
from models.indicators.indicator import Indicator, IndicatorError, check
from models.texts.domains import is_address, is_top_level
from streams.demo.playing import PlayedRecord, play
from streams.kafka.contracts import apply, load, open_admin
from streams.kafka.indicator_topic import publish
from streams.local.ports import any_free_port
from streams.local.stack import LocalStack
from streams.local.worker import metric, service
from streams.sealing import new_keys
from streams.settings import Settings

FOLDER = Path(".forewarn/real")
PAGE = ROOT / "docs" / "measurements.md"
BEGIN = 1_773_590_400_000
VICTIMS = 50
DISGUISES = (
    "Your parcel waits: https://{}/a1",
    "visit {} now.",
    "【中奖】点击{}领取",
    "HTTP://{}",
    "hxxp://{}/x",
    "登录 {}，逾期作废",
    "see www.{}/login?id=7)",
    "go to ({}).",
)


@dataclass
class Row:
    """The counts of one run."""

    name: str
    events: int
    signals: int
    alerts: int
    injected: int
    found: int
    false: int


def subscriber(user: str) -> str:
    """A made-up number for a person of the study."""
    return f"8610000{int(user):06}"


def ordinary() -> Iterator[tuple[str, dict[str, object]]]:
    """The study's calls and SMS as records of both sides, with real texts; none of them touches an indicator."""
    rng = random.Random(7)
    lines = (REAL / "sms-uci.tsv").read_text(encoding="utf-8").splitlines()
    texts = [line.partition("\t")[2] for line in lines]
    with (REAL / "copenhagen" / "calls.csv").open() as file:
        for number, row in enumerate(csv.DictReader(file)):
            at, talk = BEGIN + int(row["timestamp"]) * 1000, max(int(row["duration"]), 0)
            caller, callee = subscriber(row["caller"]), subscriber(row["callee"])
            for who, other, direction in ((caller, callee, "out"), (callee, caller, "in")):
                yield from call(f"c{number}-{direction}", who, other, direction, at, talk)
    with (REAL / "copenhagen" / "sms.csv").open() as file:
        for number, row in enumerate(csv.DictReader(file)):
            at, text = BEGIN + int(row["timestamp"]) * 1000, rng.choice(texts)
            sender, recipient = subscriber(row["sender"]), subscriber(row["recipient"])
            for who, other, direction in ((sender, recipient, "out"), (recipient, sender, "in")):
                yield "sms", sms(f"m{number}-{direction}", who, other, direction, at, text)


def call(
    name: str, who: str, other: str, direction: str, at: int, talk: int
) -> Iterator[tuple[str, dict[str, object]]]:
    """The start and the end record of a call; ``at`` in epoch milliseconds, ``talk`` in seconds."""
    record: dict[str, object] = {"id": name, "subscriber": who, "peer": other, "direction": direction}
    yield "calls", record | {"phase": "start", "at": at}
    yield "calls", record | {"phase": "end", "at": at + talk * 1000, "duration_s": talk}


def sms(name: str, who: str, other: str, direction: str, at: int, text: str) -> dict[str, object]:
    """One SMS record."""
    return {"id": name, "subscriber": who, "peer": other, "direction": direction, "at": at, "text": text}


def victims(domains: list[str]) -> Iterator[tuple[str, dict[str, object]]]:
    """Fifty people who get a call from a known number, or an SMS with a known domain."""
    rng = random.Random(11)
    for number in range(VICTIMS):
        who, at = f"8610009{number:06}", BEGIN + rng.randrange(28 * 86_400) * 1000
        if number % 2:
            yield from call(f"v{number}", who, f"999{number:09}", "in", at, 300)
        else:
            text = DISGUISES[number // 2 % len(DISGUISES)].format(rng.choice(domains))
            yield "sms", sms(f"v{number}", who, "99900999999", "in", at, text)


def reachable(domain: str) -> bool:
    """Whether a name can be resolved at all: some names of the list do not end in a top-level domain."""
    return is_address(domain) or is_top_level(domain.rpartition(".")[2])


def every_domain(domains: list[str]) -> Iterator[tuple[str, dict[str, object]]]:
    """Each domain once, to a person of its own, in the eight disguises in turn."""
    for number, domain in enumerate(domains):
        disguise = DISGUISES[number % len(DISGUISES)]
        text = disguise.replace("www.", "http://" if is_address(domain) else "www.").format(domain)
        yield "sms", sms(f"d{number}", f"8610008{number:06}", "99900999999", "in", BEGIN + number * 100_000, text)


def indicators() -> tuple[list[Indicator], int]:
    """All published domains and the made-up numbers that an import accepts, and how many it refuses."""
    common = {"scam_type": "other", "confidence": 80, "source": "hotline 165", "valid_from": 0}
    good: list[Indicator] = []
    refused = 0
    for line in (REAL / "fraud-domains.tsv").read_text().splitlines()[1:]:
        try:
            good.append(check(Indicator(type="domain", value=line.split("\t")[1], **common)))  # type: ignore[arg-type]
        except IndicatorError:
            refused += 1
    good += [Indicator(type="number", value=f"999{n:09}", **common) for n in range(VICTIMS)]  # type: ignore[arg-type]
    return good, refused


async def alerts_of(settings: Settings) -> list[Alert]:
    """All alerts on the site's topic."""
    topic = settings.topic("alerts")
    consumer = AIOKafkaConsumer(**settings.aiokafka_options(), auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(8)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        found: list[Alert] = []
        for place in places:
            while await consumer.position(place) < ends[place]:
                for records in (await consumer.getmany(place, timeout_ms=500)).values():
                    found += [msgspec.json.decode(record.value, type=Alert) for record in records]
        return found
    finally:
        await consumer.stop()


def run(
    name: str,
    stack: LocalStack,
    settings: Settings,
    known: list[Indicator],
    records: list[tuple[str, dict[str, object]]],
) -> tuple[Row, list[Alert]]:
    """One run through topics and a worker of its own: its counts, and its alerts."""
    records.sort(key=lambda pair: int(str(pair[1]["at"])))
    played = [
        PlayedRecord(int(str(record["at"])), role, str(record["subscriber"]).encode(), json.dumps(record).encode(), "")
        for role, record in records
    ]
    with open_admin(settings) as admin:
        apply(load(settings.topics_file), admin, settings)
    asyncio.run(publish(settings, known))
    http = f"127.0.0.1:{any_free_port()}"
    environ = {
        "FOREWARN_KAFKA": settings.kafka,
        "FOREWARN_REDIS": settings.redis,
        "FOREWARN_SECRET": secrets.token_hex(32),
        "FOREWARN_LETTERS_RECIPIENT": new_keys().recipient,
        "FOREWARN_TOPIC_PREFIX": settings.topic_prefix,
        "FOREWARN_LEDGER": str(FOLDER / "ledger"),
    }
    process = service("worker", FOLDER / f"{settings.topic_prefix}log", http, environ, stack.watch)
    try:
        process.start()
        process.wait()
        asyncio.run(play(settings, iter(played)))
        deadline = time.monotonic() + 120
        while metric(http, "forewarn_events_total") < len(played) or metric(http, "forewarn_lag_records"):
            if time.monotonic() > deadline or not process.runs:
                raise click.ClickException(f"The worker did not finish: look into {process.launch.log}")
            time.sleep(0.2)
        time.sleep(1.5)
        signals = {code: int(metric(http, "forewarn_signals_total", code=code)) for code in ("fraud-domain-sms",)}
        total = int(metric(http, "forewarn_signals_total"))
        if metric(http, "forewarn_dead_letters_total"):
            raise click.ClickException("Records were refused: these should all be good.")
    finally:
        process.stop()
    found = asyncio.run(alerts_of(settings))
    return Row(name, len(played), total, len(found), 0, signals["fraud-domain-sms"], 0), found


@click.command()
def main() -> None:
    """Make all three runs and write docs/measurements.md."""
    if not REAL.is_dir():
        raise click.ClickException("The real data is not beside this checkout (../shared/data): nothing to measure.")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    shutil.rmtree(FOLDER, ignore_errors=True)
    known, refused = indicators()
    listed = [indicator.value for indicator in known if indicator.type == "domain"]
    domains = [domain for domain in listed if reachable(domain)]
    rows = []
    with LocalStack(FOLDER, 0, 0) as stack:
        site = Settings(kafka=stack.kafka, redis=stack.redis)
        row, alerts = run("nothing injected", stack, replace(site, topic_prefix="none."), known, list(ordinary()))
        row.found, row.false = 0, len(alerts)
        rows.append(row)
        mixed = [*ordinary(), *victims(domains)]
        row, alerts = run("50 victims injected", stack, replace(site, topic_prefix="victims."), known, mixed)
        alarmed = {alert.subscriber for alert in alerts}
        row.injected, row.found = VICTIMS, sum(who.startswith("8610009") for who in alarmed)
        row.false = len(alarmed) - row.found
        rows.append(row)
        mixed = [*ordinary(), *every_domain(domains)]
        row, alerts = run("every domain once", stack, replace(site, topic_prefix="domains."), known, mixed)
        alarmed = {alert.subscriber for alert in alerts}
        row.injected, row.found = len(domains), sum(who.startswith("8610008") for who in alarmed)
        row.false = len(alarmed) - row.found
        rows.append(row)
    shutil.rmtree(FOLDER, ignore_errors=True)
    PAGE.write_text(page(rows, len(listed), refused, len(listed) - len(domains)))
    click.echo(PAGE.read_text())


def page(rows: list[Row], domains: int, refused: int, unreachable: int) -> str:
    """The text of docs/measurements.md."""
    table = "\n".join(
        f"| {row.name} | {row.events:,} | {row.signals:,} | {row.alerts:,} | "
        f"{row.found:,} of {row.injected:,} | {row.false:,} |"
        for row in rows
    )
    return f"""\
<!-- `python -m bench.real` writes this page; it needs the data below beside the checkout. -->
# Measurements on real records

Real records went through a real Kafka, a real Valkey and a worker:

- **Records**: 28 days of calls and SMS among some 600 people (Copenhagen Networks Study, figshare 7267433). Each SMS
  got a text of the UCI SMS Spam Collection (CC BY 4.0). Each call gives four records (start and end, on either side),
  each SMS two.
- **Indicators**: all fraud domains that the Taiwan police hotline 165 published from 2022-12 to 2024-12 (collected by
  houboyjacky, MIT). That is {domains:,} domains. The import refused another {refused} as public suffixes or hosts that
  strangers share.

| run | events | signals | alerts | injected people alerted | others alerted |
|---|---|---|---|---|---|
{table}

- **Nothing injected:** no record of the study touches an indicator, so every alert would be a false alarm. The signals
  are codes, notices and long calls without a contact, which mean nothing by themselves.
- **50 victims:** 25 get a five-minute call from a known number, and 25 get an SMS with a published domain, in eight
  spellings (with and without scheme, glued to Chinese text, upper case, `hxxp`, in brackets, with a path).
- **Every domain once:** each domain goes in an SMS to a person of its own, in the same spellings in turn. The run
  leaves out {unreachable} domains that end in no existing top-level domain, which nobody can visit.
"""


if __name__ == "__main__":
    main()
