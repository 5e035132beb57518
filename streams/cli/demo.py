"""``forewarn demo``: run real servers, a real worker and a day of records, and show every alert."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.text import Text

from models.base.durations import MINUTE
from models.detection.alerts import Alert
from models.detection.wording import scam_name
from models.policy.policy import FOR_OFFICERS, SEVERITIES
from streams.cli import CommandError
from streams.cli.extras import require
from streams.cli.local import USUAL_CONSOLE_PORT, delete_data, one_sentence, say
from streams.console.masking import masked
from streams.console.times import local
from streams.demo.demonstration import (
    Label,
    Report,
    Result,
    demonstrate,
    import_lists,
    look_back,
    play_earlier,
    shift_to_now,
)
from streams.demo.order import handled
from streams.demo.playing import PlayError
from streams.dispatch import stations_file
from streams.kafka.contracts import ContractError, apply, load, open_admin
from streams.kafka.indicator_topic import TopicError
from streams.local import samples
from streams.local.ports import LOOPBACK, choose_port
from streams.local.process import COMPILES_WITHIN_S
from streams.local.stack import DEFAULT_FOLDER, LocalStack
from streams.local.worker import HEALTH, service
from streams.setting_values import Address, beside
from streams.settings import Settings
from streams.simulation import small_city

STYLES = {"urgent": "bold white on red", "high": "bold red", "medium": "yellow", "low": "dim"}
CITY_RATE = 20_000.0
"""Records a second of the simulated city."""


@click.command()
@click.option(
    "--rate", type=click.FloatRange(min=10, max=5000), default=400, show_default=True, help="Records a second."
)
@one_sentence
def demo(rate: float) -> None:
    """Start a real Kafka, Valkey and worker, play a day of records and print the alerts as they come back.

    It takes about a minute, needs neither Docker nor root, and leaves nothing running.

    Example: forewarn demo --rate 1000
    """
    require("local")
    examples = beside("examples/calls.jsonl").parent
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    folder = DEFAULT_FOLDER / "demo"
    delete_data(folder)  # a failed demo leaves its data for inspection
    try:
        _run(folder, examples, rate)
    except (TopicError, PlayError, ContractError) as error:
        raise CommandError(str(error)) from None
    except KeyboardInterrupt:
        say("Stopped")
        raise SystemExit(130) from None
    shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, examples: Path, rate: float) -> None:
    console = Console(highlight=False)
    say("Starting Kafka and Valkey")
    with LocalStack(folder, notify=say) as stack:
        report = _day(stack, folder, examples, rate, console)
        console.print(
            f"{report.people} people found; the first alert came {report.first_s:.1f} s after the report, the last "
            f"after {report.last_s:.1f} s",
            soft_wrap=True,
        )
        _city(stack, folder, console)


def _day(stack: LocalStack, folder: Path, examples: Path, rate: float, console: Console) -> Report:
    """Play a day of the examples, handle one of its orders, and then report the number that a victim names."""
    settings = _site(stack)
    say(f"Kafka {stack.kafka}, Valkey {stack.redis}, metrics http://{settings.http}/metrics")
    count = asyncio.run(import_lists(settings, examples))
    say(f"{count:,} indicators; starting {', '.join(HEALTH)}")
    pages = f"{LOOPBACK}:{choose_port(None, USUAL_CONSOLE_PORT)}"
    environ = _environ(settings, folder) | {
        "FOREWARN_LEDGER": str(folder.absolute() / "ledger"),
        "FOREWARN_CONSOLE_HTTP": pages,
    }
    at = {name: f"{LOOPBACK}:{choose_port(None, port)}" for name, (_, port) in HEALTH.items() if name != "worker"}
    at["worker"] = str(settings.http)
    processes = {name: service(name, folder / f"{name}.log", at[name], environ, stack.watch) for name in HEALTH}
    try:
        for each in processes.values():
            each.start()
        for each in processes.values():
            each.wait(COMPILES_WITHIN_S)
        shift = shift_to_now(examples)
        before = asyncio.run(play_earlier(settings, examples, rate, shift))
        say(f"Playing {examples} as if of today, {rate:,.0f} records a second. The alerts from the topic:\n")
        result = asyncio.run(
            demonstrate(
                *(settings, examples, processes["worker"], rate),
                lambda alert: console.print(_written(alert), soft_wrap=True),
                *(before, shift),
            )
        )
        console.print(_summary(result, examples, shift), soft_wrap=True)
        say("\nThe most urgent order of the day, handled by its station through the API:\n")
        for line in handled(pages, folder.absolute(), stations_file.load(settings.stations_file)):
            console.print(line, soft_wrap=True)
        say("\nA victim reports an unknown number. The people whom it had reached two days ago:\n")
        return asyncio.run(
            look_back(settings, examples, lambda alert: console.print(_written(alert, day=True), soft_wrap=True))
        )
    finally:
        for each in processes.values():
            each.ask_to_stop()
        for each in processes.values():
            each.stop()


def _city(stack: LocalStack, folder: Path, console: Console) -> None:
    """Play a simulated city on its own topics, and show what became of its victims."""
    say(f"\nA simulated city of {small_city.PEOPLE:,} people over {small_city.DAYS} days, with known victims:\n")
    truths = small_city.make(folder / "city")
    settings = _site(stack, topic_prefix="city.", group="city")
    asyncio.run(import_lists(settings, folder / "city"))
    environ = _environ(settings, folder) | {"FOREWARN_LEDGER": str(folder.absolute() / "city-ledger")}
    process = service("worker", folder / "city.log", str(settings.http), environ, stack.watch)
    try:
        process.start()
        process.wait()
        result = asyncio.run(
            demonstrate(settings, folder / "city", process, CITY_RATE, lambda alert: _print_urgent(alert, console))
        )
    finally:
        process.stop()
    found = small_city.compared(truths, result.alerts)
    console.print(
        f"{result.events:,} events in {result.seconds:.1f} s ({result.events / result.seconds:,.0f} a second), "
        f"{len({alert.subscriber for alert in result.alerts}):,} people touched by something known\n"
        f"{found.paid} people paid. Something known had touched {found.knowable} of them before, and an officer would "
        f"have been sent to {found.warned} of them, {found.lead_minutes:.0f} min before they paid (median)\n"
        f"{found.others} people would have been called for nothing",
        soft_wrap=True,
    )


def _site(stack: LocalStack, **fields: str) -> Settings:
    """Create the topics of a site on the stack and return its settings."""
    http = Address(LOOPBACK, choose_port(None, HEALTH["worker"][1]))
    settings = Settings(kafka=stack.kafka, redis=stack.redis, http=http, **fields)  # type: ignore[arg-type]
    with open_admin(settings) as admin:
        apply(load(settings.topics_file), admin, settings)
    return settings


def _environ(settings: Settings, folder: Path) -> dict[str, str]:
    return samples.kept(folder.absolute()) | {
        "FOREWARN_KAFKA": settings.kafka,
        "FOREWARN_REDIS": settings.redis,
        "FOREWARN_TOPIC_PREFIX": settings.topic_prefix,
        "FOREWARN_GROUP": settings.group,
    }


def _print_urgent(alert: Alert, console: Console) -> None:
    if alert.severity in FOR_OFFICERS:
        console.print(_written(alert, day=True), soft_wrap=True)


def _written(alert: Alert, *, day: bool = False) -> Text:
    """An alert as text for an operator, with the day of the week if ``day``; numbers are masked."""
    at = local(alert.at)
    zh, en = scam_name(alert.scam_type)
    text = Text(f"{at:%a %H:%M:%S}  " if day else f"{at:%H:%M:%S}  ")
    word = alert.severity if alert.status == "raised" else f"{alert.severity} withdrawn"
    text.append(f" {word} ", style=STYLES[alert.severity])
    text.append(f"  {masked(alert.subscriber)}  {alert.stage}  risk {alert.risk:.2f}  {zh} {en}\n")
    for reason in alert.reasons:
        text.append(f"{'':10}{reason.zh}  ")
        text.append(f"{reason.en}\n", style="dim")
    return text


def _summary(result: Result, examples: Path, shift: int) -> Text:
    counts = result.by_severity
    withdrawn = sum(alert.status == "withdrawn" for alert in result.alerts)
    lines = [
        f"{result.events:,} events in {result.seconds:.1f} s ({result.events / result.seconds:,.0f} a second), "
        f"{result.signals:,} signals, {result.dead_letters:,} dead letters",
        "alerts: " + ", ".join(f"{counts[name]} {name}" for name in reversed(SEVERITIES)) + f"; {withdrawn} withdrawn",
        f"from producing an event to reading its alert: p50 {percentile(result.latencies, 50) * 1000:.0f} ms, "
        f"p99 {percentile(result.latencies, 99) * 1000:.0f} ms ({len(result.latencies)} alerts)",
        *_compared(result, examples, shift),
    ]
    return Text("\n".join(lines))


def _compared(result: Result, examples: Path, shift: int) -> list[str]:
    """Compare the result with what the examples' script expects; ``shift``: by how much the times were moved (ms)."""
    labels = [msgspec.json.decode(line, type=Label) for line in (examples / "labels.jsonl").read_bytes().splitlines()]
    victims = {label.subscriber: label for label in labels if label.role == "victim"}
    first: dict[str, int] = {}
    for alert in result.alerts:
        if alert.status == "raised" and alert.severity in FOR_OFFICERS:
            first.setdefault(alert.subscriber, alert.at)
    alarmed = {alert.subscriber for alert in result.alerts}
    leads = [
        (label.money_at + shift - first[number]) / MINUTE
        for number, label in victims.items()
        if label.money_at is not None and number in first
    ]
    lines = [
        f"people: {len(alarmed & victims.keys())} of {len(victims)} scripted victims recognised, "
        f"{len(alarmed - victims.keys())} other people alerted"
    ]
    if leads:
        lines.append(f"the first high or urgent alert came {min(leads):.0f} to {max(leads):.0f} min before money left")
    return lines


def percentile(values: Sequence[float], per_cent: float) -> float:
    """The value that ``per_cent`` of all values do not exceed (nearest rank); NaN when there are none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(per_cent) // 100) - 1)]
