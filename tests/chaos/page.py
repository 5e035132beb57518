"""The page of evidence: keeps the newest finding of each scenario, and writes them to docs/evidence/faults.md."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec

from streams.local.jars import KAFKA_VERSION
from tests.chaos.trial import Finding
from tests.site import ROOT

PAGE = ROOT / "docs" / "evidence" / "faults.md"
KEPT = PAGE.with_suffix(".jsonl")
"""The newest finding of each scenario, one a line, from which the page is made."""

INTRODUCTION = """\
# Faults: what was done to the system, and what came of it

Made by `make chaos`: a real Kafka and Valkey and real worker processes on one machine. Each scenario reads a backlog
with a consumer group of its own while faults are caused. What it publishes is compared, byte for byte, with the alerts
of an undisturbed run over the same records (`forewarn replay`'s engine). The columns mean:

- *Lost*: alerts of the undisturbed run that were not published, and wrong records without their dead letter.
- *Wrong*: published alerts with an id or a value that the undisturbed run does not have.
- *Repeated*: alerts published again, byte for byte; consumers recognise them by their id.
- *Seconds to recover*: from the end of the disturbance (the start of a new worker, the server's first answer) to the
  next checkpoint that covers more; median and maximum. On 2026-11-29 and 2026-11-30 the machine had much other work,
  and a worker took up to a minute to start.
- *Made*: the day, and the newest commit of `models/` and `streams/` then. A scenario that was not run again keeps its
  row.

The records of the drifting switch are written as they happen. Its undisturbed run is a replay of the recorded topics,
with their append times and heartbeats, once as they are and once with the right clock. A record from far ahead counts
at its arrival, so the alerts of the switch's own subscribers may have other times, but must have the same ids.

For the dispatcher and the console, *alerts expected* counts cases, or reports confirmed to a browser; *lost* counts
those that are missing from their case, *wrong* those that are there twice.
"""


@dataclass(frozen=True)
class Entry:
    """The newest finding of a scenario."""

    scenario: str
    """Its name for ``--only``."""
    date: str
    code: str
    """The commit of the programs under test."""
    finding: Finding


HEADINGS = ("scenario", "times", "events", "alerts expected", "lost", "wrong", "repeated", "seconds to recover")


def cells(found: Finding) -> tuple[str, ...]:
    """A finding's row as text."""
    return (
        found.name,
        f"{found.times:,}",
        f"{found.events:,}",
        f"{found.expected:,}",
        f"{found.lost + found.letters_lost:,}",
        f"{found.wrong:,}",
        f"{found.repeated:,}",
        _seconds(found.recovered),
    )


def read() -> list[Entry]:
    """The findings that are kept."""
    return [msgspec.json.decode(line, type=Entry) for line in KEPT.read_bytes().splitlines()] if KEPT.exists() else []


def write(entries: Sequence[Entry]) -> None:
    """Keep these findings in place of the earlier ones, and write the page."""
    _replace(KEPT, "".join(msgspec.json.encode(entry).decode() + "\n" for entry in entries))
    table = [(*HEADINGS, "made"), ("---", *("---:" for _ in HEADINGS[1:]), "---")]
    table += [(*cells(entry.finding), f"{entry.date}, {entry.code}") for entry in entries]
    findings = [entry.finding for entry in entries]
    notes = [f"- {found.name}: {'; '.join(found.notes)}." for found in findings if found.notes]
    events = sum(found.events for found in findings)
    made = (
        f"Forewarn {version('forewarn')}, Apache Kafka {KAFKA_VERSION}, Valkey, {os.cpu_count()} cores shared by "
        f"everything. {len(findings)} scenarios, {events:,} events in all."
    )
    lines = ["| " + " | ".join(row) + " |" for row in table]
    _replace(PAGE, "\n".join([INTRODUCTION, made, "", *lines, "", "## Notes", "", *notes, ""]))


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _seconds(recovered: Sequence[float]) -> str:
    return f"{statistics.median(recovered):.1f} / {max(recovered):.1f}" if recovered else "–"
