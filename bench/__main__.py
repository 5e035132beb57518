"""``python -m bench``: the pipeline, a bare loop and a stock agent in turns over the same records, then latency."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bench import filling, records
from bench.latency import latencies
from bench.pipeline import Run, ends, peak_megabytes
from bench.worst_texts import SIZE, worst
from streams.cli.demo import percentile
from streams.kafka.contracts import apply, load, open_admin
from streams.kafka.indicator_topic import publish
from streams.local.stack import LocalStack
from streams.settings import Settings

FOLDER = Path(".forewarn/bench")
OUT = Path(".forewarn/bench.json")
PARTITIONS = 8


@click.command()
@click.option("--events", default=3_000_000, show_default=True)
@click.option("--indicators", default=1_000_000, show_default=True)
@click.option("--turns", default=5, show_default=True)
@click.option("--stock-events", default=150_000, show_default=True, help="Events that the stock agent reads a turn.")
@click.option("--rate", default=20_000, show_default=True, help="Events a second while latency is measured.")
@click.option("--latency-seconds", default=20, show_default=True)
def main(events: int, indicators: int, turns: int, stock_events: int, rate: int, latency_seconds: int) -> None:
    """Measure throughput in turns and latency at a steady pace; write ratios to .forewarn/bench.json.

    Example: python -m bench --turns 2 --events 500000
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    shutil.rmtree(FOLDER, ignore_errors=True)
    numbers = records.fraud_numbers(indicators * 8 // 10)
    domains = records.fraud_domains(indicators - len(numbers))
    with LocalStack(FOLDER, 0, 0, notify=say) as stack:
        settings = Settings(kafka=stack.kafka, redis=stack.redis)
        with open_admin(settings) as admin:
            apply(load(settings.topics_file), admin, settings)
        say(f"filling the topics: {indicators:,} indicators, {events:,} events with {records.kind_of_texts()} texts")
        asyncio.run(publish(settings, records.indicators_of(numbers, domains)))
        asyncio.run(filling.fill(settings, records.made(events, numbers, domains), PARTITIONS, lambda count: None))
        filled = ends(settings)
        speeds: dict[str, list[float]] = {"pipeline": [], "bare": [], "stock": []}
        recorded: dict[str, list[float]] = {"with a ledger": [], "without": []}
        peak = 0.0
        for turn in range(turns):
            run = Run(replace(settings, group=f"bench-{turn}"), FOLDER, stack.watch)
            try:
                seconds = run.seconds(filled)
                speeds["pipeline"].append(events / seconds)
                peak = max(peak, peak_megabytes(run.worker.process.pid))
                if turn == turns - 1:
                    begin = records.BEGIN + events * 10 + 1000
                    made = (rate * latency_seconds, numbers, domains)
                    more = records.made(*made, seed=2, begin=begin, rate=rate, talk_ms=5_000)
                    delays = asyncio.run(latencies(settings, more, rate, PARTITIONS))
                    peak = max(peak, peak_megabytes(run.worker.process.pid))
            finally:
                run.worker.stop()
            for name in recorded:
                recorded[name].append(events / _until_stopped(settings, f"{name}-{turn}", stack, filled))
            bare = _child("bench.bare", settings.kafka, "", str(events))
            speeds["bare"].append(events / bare)
            stock = _child("bench.stock", settings.kafka, "", f"stock-{turn}", str(stock_events))
            speeds["stock"].append(stock_events / stock)
            told = (speeds | recorded).items()
            say(f"turn {turn + 1}: " + ", ".join(f"{name} {rates[-1]:,.0f}/s" for name, rates in told))
    shutil.rmtree(FOLDER, ignore_errors=True)
    result: dict[str, Any] = {
        "ratios": {f"pipeline/{other}": _spread(speeds["pipeline"], speeds[other]) for other in ("bare", "stock")}
        | {"with/without ledger": _spread(recorded["with a ledger"], recorded["without"])},
        "events_per_second": {name: round(statistics.median(rates)) for name, rates in (speeds | recorded).items()},
        "p50_ms": round(percentile(delays, 50) * 1000, 1),
        "p99_ms": round(percentile(delays, 99) * 1000, 1),
        "latency_alerts": len(delays),
        "rss_mb": round(peak, 1),
        "events": events,
        "indicators": indicators,
        "turns": turns,
        "worst_texts": worst(),
    }
    _write(result)
    for name, spread in result["ratios"].items():
        click.echo(f"{name:20} min {spread['min']:.2f}  median {spread['median']:.2f}  max {spread['max']:.2f}")
    click.echo(f"from producing to alert at {rate:,}/s: p50 {result['p50_ms']} ms, p99 {result['p99_ms']} ms")
    for name, times in result["worst_texts"].items():
        click.echo(
            f"slowest text, {name}: {times['ms']} ms for {SIZE:,} bytes, {times['ms_twice']} ms for twice as many"
        )
    click.echo(f"worker's peak memory: {result['rss_mb']} MB; written to {OUT}")


def _until_stopped(settings: Settings, name: str, stack: LocalStack, filled: Mapping[tuple[str, int], int]) -> float:
    """The seconds that a worker takes for the filled topics until it has stopped and so recorded everything."""
    group = name.replace(" ", "-")
    run = Run(replace(settings, group=group), FOLDER, stack.watch, ledger=name.startswith("with a"))
    try:
        seconds = run.seconds(filled)
        began = time.perf_counter()
    finally:
        run.worker.stop()
    return seconds + time.perf_counter() - began


def say(words: str) -> None:
    """Print a message for a person on stderr."""
    click.echo(words, err=True)


def _child(module: str, *arguments: str) -> float:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode:
        raise click.ClickException(f"{module} ended with {done.returncode}: {done.stderr[-500:]}")
    return float(done.stdout.split()[-1])


def _spread(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """Minimum, median and maximum of the ratios of each turn."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {
        "min": round(min(ratios), 3),
        "median": round(statistics.median(ratios), 3),
        "max": round(max(ratios), 3),
    }


def _write(result: dict[str, Any]) -> None:
    """Write the figures into the file, and keep those of other benchmarks."""
    known = json.loads(OUT.read_text()) if OUT.is_file() else {}
    ratios = known.get("ratios", {}) | result["ratios"]
    beside = OUT.with_suffix(".new")
    beside.write_text(json.dumps(known | result | {"ratios": ratios}, indent=2) + "\n")
    beside.replace(OUT)


if __name__ == "__main__":
    main()
