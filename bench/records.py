"""The records that benchmarks read: made-up people, and real SMS texts where they are available.

70 % are call records (start and end) and 30 % are SMS, half of them with a host. One event in two hundred touches an
indicator. The same seed gives the same records.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from models.indicators.indicator import Indicator

ROOT = Path(__file__).parents[1]
REAL = ROOT.parent / "shared" / "data"
"""The folder of real texts and domains, beside the checkout; without it the examples' texts are used."""

SUBSCRIBERS = 200_000
SIGNALS = 0.005
NUMBER = "999"
DOMAIN = "pay-"
BEGIN = 1_773_600_000_000


class Made(NamedTuple):
    """One record to send: its topic's role, key, value and event time (epoch milliseconds)."""

    role: str
    key: str
    value: bytes
    at: int


def kind_of_texts() -> str:
    """Which texts the records have. Figures of one kind say nothing about the other: the examples are full of codes."""
    return "real" if (REAL / "sms-uci.tsv").is_file() else "the examples'"


def texts() -> tuple[list[str], list[str]]:
    """SMS texts as JSON strings: without a host, and with a harmless one."""
    plain: list[str] = []
    if (REAL / "sms-uci.tsv").is_file():
        lines = (REAL / "sms-uci.tsv").read_text(encoding="utf-8").splitlines()
        plain = [line.partition("\t")[2] for line in lines]
        hosts = (REAL / "benign-domains.txt").read_text().split()[:5000]
    else:
        lines = (ROOT / "examples" / "sms.jsonl").read_text().splitlines()
        plain = [json.loads(line)["text"] for line in lines]
        hosts = [f"shop{number}.example.com" for number in range(5000)]
    with_host = [f"{text} https://{hosts[index % len(hosts)]}/a?b={index}" for index, text in enumerate(plain)]
    return [json.dumps(each) for each in plain], [json.dumps(each) for each in with_host]


def fraud_numbers(count: int) -> list[str]:
    """Made-up numbers with an unassigned country code."""
    return [f"{NUMBER}{number:09}" for number in range(count)]


def fraud_domains(count: int) -> list[str]:
    """Made-up domains."""
    return [f"{DOMAIN}{number:07}.top" for number in range(count)]


def indicators_of(numbers: Iterable[str], domains: Iterable[str]) -> Iterator[Indicator]:
    """An indicator for each of these numbers and domains, valid at any time."""
    common = {"scam_type": "impersonated-service", "confidence": 90, "source": "made-up", "valid_from": 0}
    for number in numbers:
        yield Indicator(type="number", value=number, **common)  # type: ignore[arg-type]
    for domain in domains:
        yield Indicator(type="domain", value=domain, **common)  # type: ignore[arg-type]


def touches_indicator(record: Made) -> bool:
    """Whether a record contains a made-up fraud number or domain."""
    return f'"peer":"{NUMBER}'.encode() in record.value or f" {DOMAIN}".encode() in record.value


def subscriber(number: int) -> str:
    """A made-up subscriber."""
    return f"8610000{number:06}"


def made(
    count: int,
    numbers: list[str],
    domains: list[str],
    seed: int = 1,
    begin: int = BEGIN,
    rate: float = 100,
    talk_ms: int = 60_000,
    people: Sequence[str] = (),
) -> Iterator[Made]:
    """``count`` records in event time, ``rate`` a second, of ``people`` or of any made-up subscribers."""
    rng = random.Random(seed)
    plain, with_host = texts()
    pick, uniform = rng.randrange, rng.random
    people = people or [subscriber(number) for number in range(SUBSCRIBERS)]
    open_calls: deque[tuple[int, str, str, str]] = deque()
    for index in range(count):
        at = begin + int((index + 1) * 1000 / rate)
        signal = uniform() < SIGNALS
        if uniform() < 0.3:
            who, other = people[pick(len(people))], f"8610001{pick(1_000_000):06}"
            if signal:
                text = f'"your parcel waits: {domains[pick(len(domains))]}/x{index}"'
            else:
                text = (with_host if uniform() < 0.5 else plain)[pick(len(plain))]
            value = (
                f'{{"id":"m{seed}-{index}","subscriber":"{who}","peer":"{other}","direction":"in","at":{at},'
                f'"text":{text},"cell":"460-00-1-{index % 997}"}}'
            )
            yield Made("sms", who, value.encode(), at)
        elif open_calls and open_calls[0][0] <= at:
            began, call, who, other = open_calls.popleft()
            value = (
                f'{{"id":"{call}","subscriber":"{who}","peer":"{other}","direction":"in","phase":"end","at":{at},'
                f'"duration_s":{(at - began) // 1000},"cell":"460-00-1-{index % 997}"}}'
            )
            yield Made("calls", who, value.encode(), at)
        else:
            who, call = people[pick(len(people))], f"c{seed}-{index}"
            other = numbers[pick(len(numbers))] if signal else f"8610001{pick(1_000_000):06}"
            open_calls.append((at + talk_ms, call, who, other))
            value = (
                f'{{"id":"{call}","subscriber":"{who}","peer":"{other}","direction":"in","phase":"start","at":{at},'
                f'"cell":"460-00-1-{index % 997}"}}'
            )
            yield Made("calls", who, value.encode(), at)
