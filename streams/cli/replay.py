"""``forewarn replay``: run the live engine over files of records, without any server."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import IO, TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table

from models.city.labels import Verdict, verdict
from models.detection.alerts import Alert, encode
from models.detection.engine import Engine
from models.detection.ids import PUBLIC
from models.events.decoding import CallReader, MessageReader, RareReader
from models.indicators.indicator import Indicator
from models.indicators.matching import Indicators
from models.policy.policy import SEVERITIES, PolicyError
from streams.cli import CommandError, site_settings
from streams.cli.ids import PUBLIC_SAID, site_ids
from streams.cli.progress import byte_bar
from streams.files import model_file, policy_file
from streams.files.artifacts import ArtifactError
from streams.files.indicator_files import IndicatorFile
from streams.files.records import RecordFiles, RefusedLine
from streams.files.text_lines import FileError
from streams.kafka.contracts import ContractError, load
from streams.kafka.reference_data import SubscriberRecord, VulnerableSubscribers
from streams.replay.recorded import RecordedSignals, recorded
from streams.replay.replay import Replay, Tally
from streams.training.outcomes import NONE, OutcomeError, of_file

T = TypeVar("T")
FILES = click.Path(exists=True, dir_okay=False, path_type=Path)
SHOWN_REFUSALS = 20
FOR_OFFICERS = ("urgent", "high")
"""Severities of the alerts that send an officer at once."""


@click.command()
@click.option("--calls", "calls", type=FILES, multiple=True, help="File of call records, JSON Lines; may be repeated.")
@click.option("--sms", "sms", type=FILES, multiple=True, help="File of SMS records, JSON Lines; may be repeated.")
@click.option("--signals", "signals", type=FILES, multiple=True, help="File of a recorded topic signals (see below).")
@click.option("--indicators", "indicators", type=FILES, multiple=True, help="Indicators, as for indicators import.")
@click.option("--subscribers", type=FILES, multiple=True, help="File of subscriber records, JSON Lines.")
@click.option("--policy", type=FILES, help="Another policy file [default: FOREWARN_POLICY_FILE].")
@click.option("--model", help="Another risk model's file, or `points` [default: FOREWARN_MODEL].")
@click.option(
    "--outcomes", type=FILES, help="Outcomes, a file of dispatch-feedback records: report how many alerts were right."
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Output file for the alerts, JSON Lines; - is stdout."
)
@click.option("--json", "as_json", is_flag=True, help="Write the summary as one JSON object on stdout.")
def replay(
    calls: tuple[Path, ...],
    sms: tuple[Path, ...],
    signals: tuple[Path, ...],
    indicators: tuple[Path, ...],
    subscribers: tuple[Path, ...],
    policy: Path | None,
    model: str | None,
    outcomes: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    """Run the live engine over files and write exactly the alerts that the live run would publish.

    Files are plain, gzip or zstd; several files of one kind are read one after the other. An invalid line is reported
    and left out, as a dead letter would be.

    Lines that were recorded from Kafka may have `appended`, the broker's time of the record (epoch ms), and count as
    they did live; lines of --signals need it, and heartbeats among them their `partition` as well.

    The site secret (FOREWARN_SECRET_FILE) gives the alerts the ids that they had live. Without it they get public ids,
    and the summary says so.

    Example: forewarn replay --calls examples/calls.jsonl --sms examples/sms.jsonl
    --indicators examples/indicators.jsonl --out alerts.jsonl
    """
    if not calls and not sms:
        raise click.UsageError("give --calls or --sms, or both")
    if as_json and str(out) == "-":
        raise click.UsageError("--json and --out - would both write to stdout: name a file in --out")
    began = perf_counter()
    settings = site_settings()
    refusals = Refusals()
    sent: set[str] = set()
    try:
        found = NONE if outcomes is None else of_file(outcomes)
        contracts = load(settings.topics_file)
        partitions, sources = contracts["calls"].partitions, contracts.sources
        engine = Engine(
            Indicators(_indicators(indicators, refusals)),
            policy_file.load(policy or settings.policy_file),
            model_file.load(settings.model if model is None else model).model,
            _vulnerable(subscribers, refusals),
            ids=site_ids(settings),
            sources=sources,
        )
        with _written(out) as file, byte_bar("replaying", [*calls, *sms]) as read:

            def tell(alert: Alert) -> None:
                file.write(encode(alert) + b"\n")
                if alert.status == "raised" and alert.severity in FOR_OFFICERS:
                    sent.add(alert.episode)

            run = Replay(engine, partitions, tell)
            tolerance = engine.policy.clock.tolerance_ms
            told = RecordFiles(signals, RecordedSignals(partitions).signals, refusals)
            tally = run.run(
                RecordFiles(calls, recorded(CallReader(sources, keyed=False).read, tolerance), refusals, read).chunks(),
                RecordFiles(
                    sms, recorded(MessageReader(sources, keyed=False).read, tolerance), refusals, read
                ).chunks(),
                chain.from_iterable(told.chunks()),
            )
    except (FileError, ContractError, PolicyError, ArtifactError, OutcomeError) as error:
        raise CommandError(str(error)) from None
    refusals.conclude()
    judged = None if outcomes is None else verdict(sent, found.by_case)
    _summarise(tally, refusals.count, perf_counter() - began, engine, judged, as_json)


class Refusals:
    """Reports refused lines: the first ones one by one, the rest as a number."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, refused: RefusedLine | str) -> None:
        """Report a refused line."""
        self.count += 1
        if self.count <= SHOWN_REFUSALS:
            click.echo(str(refused), err=True)

    def conclude(self) -> None:
        """Report the number of refused lines that were not shown."""
        if self.count > SHOWN_REFUSALS:
            click.echo(f"and {self.count - SHOWN_REFUSALS:,} more lines refused", err=True)


def _indicators(paths: Iterable[Path], refused: Callable[[str], None]) -> Iterator[Indicator]:
    for path in paths:
        with path.open("rb") as raw:
            try:
                for item in IndicatorFile(raw):
                    if isinstance(item, Indicator):
                        yield item
                    else:
                        refused(f"{path}:{item.line}: wrong-indicator: {item.reason}")
            except FileError as error:
                raise FileError(f"{path}: {error}") from None


def _vulnerable(paths: tuple[Path, ...], refused: Callable[[RefusedLine], None]) -> dict[str, int]:
    known = VulnerableSubscribers()
    for chunk in RecordFiles(paths, RareReader(SubscriberRecord, keyed=False).read, refused).chunks():
        for record in chunk:
            known.put(record)
    return known.flags


@contextmanager
def _written(out: Path) -> Iterator[IO[bytes]]:
    """A file to write, which gets its final name only when it is complete; ``-`` is stdout."""
    if str(out) == "-":
        yield click.get_binary_stream("stdout")
        return
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    except OSError as error:
        raise CommandError(f"{out} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _summarise(
    tally: Tally, refused: int, seconds: float, engine: Engine, judged: Verdict | None, as_json: bool
) -> None:
    events = tally.calls + tally.sms
    counted = {
        severity: {status: tally.alerts[severity, status] for status in ("raised", "withdrawn")}
        for severity in reversed(SEVERITIES)
    }
    if as_json:
        summary = {
            "events": {"calls": tally.calls, "sms": tally.sms},
            "refused": refused,
            "signals": dict(sorted(tally.signals.items())),
            "alerts": counted,
            "policy": engine.policy.version,
            "model": engine.model.name,
            "ids": "public" if engine.ids == PUBLIC else "site",
            "seconds": round(seconds, 3),
            "events_per_second": round(events / seconds),
        }
        if judged is not None:
            summary["outcomes"] = judged._asdict()
        click.echo(msgspec.json.encode(summary))
        return
    if engine.ids == PUBLIC:
        click.echo(PUBLIC_SAID, err=True)
    if sys.stderr.isatty():
        table = Table("alerts", "raised", "withdrawn", box=None)
        for severity, by_status in counted.items():
            table.add_row(severity, *[f"{count:,}" for count in by_status.values()])
        Console(stderr=True).print(table)
    else:
        said = ", ".join(f"{severity} {by['raised']:,}" for severity, by in counted.items())
        click.echo(f"alerts raised: {said}; withdrawn: {sum(by['withdrawn'] for by in counted.values()):,}", err=True)
    click.echo(
        f"{events:,} events in {seconds:.1f} s ({events / seconds:,.0f} a second), "
        f"{tally.signals.total():,} signals, {refused:,} lines refused",
        err=True,
    )
    if judged is not None:
        click.echo(
            f"by the outcomes: {judged.right:,} people rightly alerted (urgent or high), "
            f"{judged.wrong:,} wrongly alerted, {judged.missed:,} missed",
            err=True,
        )
