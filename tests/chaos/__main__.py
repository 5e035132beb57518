"""``python -m tests.chaos``: runs all faults at full length and writes the findings to ``docs/evidence/faults.md``."""

from __future__ import annotations

import logging
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from streams.local.stack import LocalStack
from tests.chaos import (
    changes,
    cuts,
    dispatching,
    drifting,
    failing_over,
    growing,
    load,
    page,
    poison,
    publishing,
    servers,
    stored_state,
    transactions,
    workers,
)
from tests.chaos.city import City
from tests.chaos.ground import Ground
from tests.chaos.trial import Finding
from tests.site import ROOT

FOLDER = Path(".forewarn/chaos")
EVENTS = 2_000_000
COPIES = 60
TESTED = ("models", "streams")

SCENARIOS: dict[str, Callable[[Ground], Finding]] = {
    "kills": lambda ground: workers.kills(ground, 20),
    "rebalances": lambda ground: workers.rebalances(ground, 6, rest=2 * workers.REST_S),
    "zombies": lambda ground: workers.zombies(ground, 5),
    "stops": lambda ground: workers.orderly_stops(ground, 5),
    "cuts": cuts.cuts,
    "valkey-kills": lambda ground: servers.valkey_kills(ground, 5),
    "valkey-kills-in-a-row": lambda ground: servers.valkey_kills_in_a_row(ground, 200),
    "valkey-pauses": lambda ground: servers.valkey_pauses(ground, 5),
    "valkey-emptied": servers.valkey_emptied,
    "failovers": lambda ground: failing_over.failovers(ground, 3),
    "half-restored": stored_state.half_restored,
    "made-anew": lambda ground: stored_state.made_anew(ground, 600_000),
    "broker-kills": lambda ground: servers.broker_kills(ground, 3),
    "broker-pauses": lambda ground: servers.broker_pauses(ground, 3),
    "alerts-refused": lambda ground: publishing.refused(ground, 3),
    "topic-gone": lambda ground: publishing.topic_gone(ground, 3),
    "changes": lambda ground: changes.changing_indicators(ground, 3),
    "poison": lambda ground: poison.poison(ground, 1_000_000),
    "drifting-switch": lambda ground: drifting.drifting_switch(ground, 40, 2_500),
    "transactions": lambda ground: transactions.carriers(ground, 1_000_000),
    "backlog": lambda ground: load.backlog(ground, 10_000_000),
    "dispatcher-kills": lambda ground: dispatching.dispatcher_kills(ground, 21, 20_000),
    "topics-grown": lambda ground: growing.topics_grown(ground, 3, 2_000),
    "console-kills": lambda ground: dispatching.console_kills(ground, 20),
    "recovery": lambda ground: load.recovery(ground, 200_000),
}
"""The scenarios by name, in the order of the page."""


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(SCENARIOS)), help="Only this; the other rows stay.")
def main(only: tuple[str, ...]) -> None:
    """Break everything, compare with an undisturbed run, and write the findings to docs/evidence/faults.md.

    Example: python -m tests.chaos --only kills --only zombies
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    console, told = Console(), Console(stderr=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    findings: list[Finding] = []
    unfinished: list[str] = []
    entries = {entry.scenario: entry for entry in page.read()}
    with LocalStack(FOLDER / "stack", 0, 0, notify=told.print) as stack:
        ground = Ground(stack, City(EVENTS, COPIES), FOLDER)
        with told.status(f"filling the topics with {EVENTS:,} events"):
            ground.prepare()
        for name in only or SCENARIOS:
            began = time.monotonic()
            with told.status(f"{name} ({len(findings) + 1} of {len(only or SCENARIOS)})"):
                try:
                    found = SCENARIOS[name](ground)
                except Exception:  # the remaining scenarios still deserve to run
                    unfinished.append(name)
                    told.print_exception()
                    continue
            findings.append(found)
            entries[name] = page.Entry(name, date.today().isoformat(), code(), found)
            page.write([entries[each] for each in SCENARIOS if each in entries])
            told.print(
                f"{found.name}: {found.lost + found.letters_lost} lost, {found.wrong} wrong, {found.repeated} repeated "
                f"of {found.expected:,} ({time.monotonic() - began:.0f} s)"
            )
    shutil.rmtree(FOLDER, ignore_errors=True)
    table = Table(*page.HEADINGS)
    for found in findings:
        table.add_row(*page.cells(found))
    console.print(table)
    if unfinished:
        raise click.ClickException(f"Not finished: {', '.join(unfinished)}; their rows are older ones, or missing.")
    if any(found.lost or found.letters_lost or found.wrong for found in findings):
        raise click.ClickException("Something was lost or wrong: see the table.")


def code() -> str:
    """The newest commit of the programs under test, with a ``+`` if their files differ from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments, "--", *TESTED], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return git("log", "-1", "--format=%h") + ("+" if git("status", "--porcelain") else "")


if __name__ == "__main__":
    main()
