"""The records of the scenarios: mixes copies of the example day, with its victims, into a city's harmless records."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from operator import attrgetter

from bench.records import Made, fraud_domains, fraud_numbers, indicators_of, made
from models.detection.alerts import encode
from models.detection.engine import Engine
from models.detection.risk import Model
from models.events.batches import Calls, Messages
from models.events.decoding import CallReader, MessageReader
from models.indicators.indicator import Indicator
from models.indicators.matching import Indicators
from streams.demo.playing import records as played
from streams.files import model_file, policy_file
from streams.files.indicator_files import IndicatorFile
from streams.replay.recorded import recorded
from streams.replay.replay import Replay
from tests.site import IDS, ROOT
from tests.strategies import packed

EXAMPLES = ROOT / "examples"
CHUNK = 20_000
DAY_S = 24 * 3600
BROKEN = b'{"broken":'
BROKEN_EVERY = 1000


@cache
def example_indicators() -> tuple[Indicator, ...]:
    """The indicators of the examples."""
    with (EXAMPLES / "indicators.jsonl").open("rb") as raw:
        return tuple(item for item in IndicatorFile(raw) if isinstance(item, Indicator))


@dataclass(frozen=True)
class City:
    """A day of ``events`` records, including the example day of ``copies`` times 1,000 people; some are broken."""

    events: int
    copies: int
    seed: int = 1
    numbers: int = 8000
    domains: int = 2000

    def indicators(self) -> list[Indicator]:
        """All indicators of this city."""
        made_up = indicators_of(fraud_numbers(self.numbers), fraud_domains(self.domains))
        return [*example_indicators(), *made_up]

    def records(self) -> Iterator[Made]:
        """The records in event time; each call gives the same ones."""
        day = example_day()
        others = self.events - self.copies * len(day)
        if others <= 0:
            raise ValueError(f"{self.copies} copies of the day are more than {self.events} records.")
        begin = day[0].at
        noise = made(others, fraud_numbers(self.numbers), fraud_domains(self.domains), self.seed, begin, others / DAY_S)
        people = (for_others(record, 2 + copy) for record in day for copy in range(self.copies))
        return heapq.merge(_with_broken(noise), people, key=attrgetter("at"))

    def broken(self) -> Iterator[bytes]:
        """The values of the broken records."""
        return (record.value for record in self.records() if record.value.startswith(BROKEN))

    def alerts(self) -> list[bytes]:
        """The alerts of an undisturbed run: those of a replay of these records, in its order."""
        return alerts_of(self.records, self.indicators())


def alerts_of(records: Callable[[], Iterator[Made]], indicators: Iterable[Indicator]) -> list[bytes]:
    """The alerts of a replay; each call of ``records`` must give the same records again.

    A record may say when the broker wrote it (`streams.replay.recorded`).
    """
    alerts: list[bytes] = []
    ours = engine(indicators)
    calls, sms = (
        recorded(each(keyed=False).read, ours.policy.clock.tolerance_ms) for each in (CallReader, MessageReader)
    )

    def of_calls() -> Iterator[Calls]:
        for values in _chunks(each.value for each in records() if each.role == "calls"):
            yield calls(packed(values)).events

    def of_sms() -> Iterator[Messages]:
        for values in _chunks(each.value for each in records() if each.role == "sms"):
            yield sms(packed(values)).events

    Replay(ours, 8, lambda alert: alerts.append(encode(alert))).run(of_calls(), of_sms())
    return alerts


def engine(indicators: Iterable[Indicator]) -> Engine:
    """An engine like that of a worker that knows only these indicators."""
    return Engine(Indicators(indicators), policy_file.load(ROOT / "policy.yaml"), _model(), ids=IDS)


@cache
def _model() -> Model:
    return model_file.load("").model


def _with_broken(records: Iterator[Made]) -> Iterator[Made]:
    """The records, with every thousandth of them cut off in the middle."""
    for index, record in enumerate(records):
        yield record._replace(value=BROKEN + record.value[:40]) if index % BROKEN_EVERY == 0 else record


def _chunks(values: Iterator[bytes]) -> Iterator[list[bytes]]:
    while chunk := list(islice(values, CHUNK)):
        yield chunk


@cache
def example_day() -> list[Made]:
    """The records of the example day in event time."""
    lines = played([EXAMPLES / "calls.jsonl"], [EXAMPLES / "sms.jsonl"])
    return [Made(line.role, (line.key or b"").decode(), line.value, line.at) for line in lines]


def for_others(record: Made, copy: int) -> Made:
    """A record of the example day, moved to other people."""
    others = f"86100{copy:02}"
    value = record.value.replace(b"8610000", others.encode())
    return Made(record.role, record.key.replace("8610000", others), value, record.at)
