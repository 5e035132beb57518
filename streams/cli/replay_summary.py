"""Replay summary: what ``forewarn replay`` says at its end, for a person or as JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from models.city.labels import Verdict
from models.comparison.difference import Counts
from models.detection.engine import Engine
from models.detection.ids import PUBLIC
from models.policy.policy import SEVERITIES
from streams.cli.ids import PUBLIC_SAID
from streams.cli.replay_against import Compared, sentences, share_right
from streams.replay.replay import Tally


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay has read and decided."""

    tally: Tally
    refused: int
    """Records that were left out, as dead letters would be."""
    engine: Engine
    past: dict[str, Any] = field(default_factory=dict)
    """What is said of a replay of topics or of a recording: where from, which times, what was known."""


def summarise(
    outcome: Outcome,
    seconds: float,
    judged: Verdict | None,
    as_json: bool,
    orders: Counts,
    against: Sequence[Compared],
) -> None:
    """Print the summary; ``judged`` is what officers found about those whom the alerts reached."""
    tally, engine = outcome.tally, outcome.engine
    events = tally.calls + tally.sms
    counted = {
        severity: {status: tally.alerts[severity, status] for status in ("raised", "withdrawn")}
        for severity in reversed(SEVERITIES)
    }
    if as_json:
        summary = {
            "events": {"calls": tally.calls, "sms": tally.sms},
            "refused": outcome.refused,
            "signals": dict(sorted(tally.signals.items())),
            "alerts": counted,
            "orders": orders,
            "policy": engine.policy.version,
            "model": engine.model.name,
            "ids": "public" if engine.ids == PUBLIC else "site",
            "seconds": round(seconds, 3),
            "events_per_second": round(events / seconds),
        }
        if judged is not None:
            summary["outcomes"] = judged._asdict()
        if against:
            summary["against"] = [_plain(each) for each in against]
        click.echo(msgspec.json.encode(summary | outcome.past))
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
    what = "records" if outcome.past else "lines"
    click.echo(
        f"{events:,} events in {seconds:.1f} s ({events / seconds:,.0f} a second), "
        f"{tally.signals.total():,} signals, {outcome.refused:,} {what} refused",
        err=True,
    )
    for note in outcome.past.get("notes", ()):
        click.echo(note, err=True)
    if judged is not None:
        click.echo(f"by the outcomes: {share_right(judged)}, {judged.missed:,} people missed", err=True)
    for each in against:
        for sentence in sentences(orders, each):
            click.echo(sentence, err=True)
        if each.outcomes is not None:
            click.echo(
                f"by the outcomes, with {each.name}: {share_right(each.outcomes)}, {each.outcomes.missed:,} missed",
                err=True,
            )


def _plain(compared: Compared) -> dict[str, Any]:
    """The fields for JSON; a verdict has names there as well."""
    fields = msgspec.structs.asdict(compared)
    if compared.outcomes is not None:
        fields["outcomes"] = compared.outcomes._asdict()
    return {name: value for name, value in fields.items() if value is not None}
