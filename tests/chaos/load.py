"""Scenarios: a long backlog in one partition with live records in the others, and a start with much state in Redis."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

from bench.filling import fill
from bench.latency import latencies
from bench.pipeline import ends, peak_megabytes
from bench.records import SUBSCRIBERS, Made, fraud_domains, fraud_numbers, indicators_of, made, subscriber
from streams.cli.demo import percentile
from streams.kafka.indicator_topic import publish
from streams.kafka.partitioning import partition_of
from tests.chaos.city import alerts_of
from tests.chaos.ground import PARTITIONS, Ground
from tests.chaos.trial import SAME_MEMBER, Finding

LIVE_RATE = 2000
LIVE_FROM = 1_773_700_000_000
MOST_MEGABYTES = 1000
RECOVERS_WITHIN_S = 10.0
"""Seconds of processor time until the first alert. A busy machine takes longer, but no more of these."""

PATIENCE_S = 120.0


def backlog(ground: Ground, events: int, indicators: int = 1_000_000) -> Finding:
    """One partition catches up with ``events`` records while the others get live ones; measures memory and latency."""
    numbers, domains = fraud_numbers(indicators * 8 // 10), fraud_domains(indicators // 5)
    known = list(indicators_of(numbers, domains))
    here = ground.beside("load.")
    people = [subscriber(number) for number in range(SUBSCRIBERS)]
    late = [who for who in people if not partition_of(who.encode(), PARTITIONS)]
    others = [who for who in people if partition_of(who.encode(), PARTITIONS)]
    live_s = max(events // 500_000, 2)

    def old() -> Iterator[Made]:
        return made(events, numbers, domains, 3, rate=events / 80_000, people=late)

    def live() -> Iterator[Made]:
        return made(LIVE_RATE * live_s, numbers, domains, 4, LIVE_FROM, LIVE_RATE, people=others)

    asyncio.run(publish(here.settings, iter(known)))
    asyncio.run(fill(here.settings, old(), PARTITIONS, lambda count: None))
    here.ends = ends(here.settings)
    here.expected = frozenset(alerts_of(old, known) + alerts_of(live, known))
    with here.trial("load") as trial:
        worker = trial.start(wait=True)
        delays = asyncio.run(latencies(trial.site.settings, live(), LIVE_RATE, PARTITIONS))
        covered = trial.progress()
        trial.ends = ends(trial.site.settings)
        trial.finish()
        peak = peak_megabytes(worker.process.pid)
        assert peak < MOST_MEGABYTES, f"the worker needed {peak:.0f} MB"
        p50, p99 = (1000 * percentile(delays, of) for of in (50, 99))
        return trial.finding(
            "backlog of one partition",
            1,
            f"{indicators:,} indicators; the worker's peak memory {peak:.0f} MB",
            f"meanwhile {LIVE_RATE:,} events/s in the other partitions: from producing to alert p50 {p50:.0f} ms, p99 "
            f"{p99:.0f} ms, while {covered:,} records were read",
        )


def recovery(ground: Ground, episodes: int, times: int = 3) -> Finding:
    """Kill a worker with ``episodes`` open episodes in Redis; measures the time from its restart to the next alert."""
    numbers = fraud_numbers(1000)
    known = list(indicators_of(numbers, []))
    here = ground.beside("recovery.")

    def one(index: int) -> Made:
        who, at = f"86100{index:08}", LIVE_FROM + 10 * index
        value = (
            f'{{"id":"c{index}","subscriber":"{who}","peer":"{numbers[index % 1000]}","direction":"in",'
            f'"phase":"start","at":{at}}}'
        )
        return Made("calls", who, value.encode(), at)

    asyncio.run(publish(here.settings, iter(known)))
    asyncio.run(fill(here.settings, map(one, range(episodes)), PARTITIONS, lambda count: None))
    here.ends = ends(here.settings)
    here.expected = frozenset(alerts_of(lambda: map(one, range(episodes + times)), known))
    with here.trial("recovery") as trial:
        most = 0.0
        worker = trial.start(SAME_MEMBER)
        for new in range(episodes, episodes + times):
            trial.finish()
            trial.kill(worker)
            asyncio.run(fill(here.settings, [one(new)], PARTITIONS, lambda count: None))
            trial.ends = ends(here.settings)
            before = trial.site.count("alerts")
            began = time.monotonic()
            worker = trial.start(SAME_MEMBER)
            while trial.site.count("alerts") == before:
                assert time.monotonic() - began < PATIENCE_S, "no alert"
                time.sleep(0.02)
            trial.recovered.append(time.monotonic() - began)
            most = max(most, processor_seconds(worker.process.pid))
        assert most < RECOVERS_WITHIN_S, f"the worker needed {most:.1f} s of the processor for its first alert"
        return trial.finding(
            "worker killed with open episodes",
            times,
            f"{episodes:,} open episodes in Redis",
            f"until its first alert a worker used {most:.1f} s of the processor at most",
        )


def processor_seconds(pid: int) -> float:
    """The processor time that a process has used, by all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
