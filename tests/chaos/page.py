"""The page of evidence: writes the faults and their results to docs/evidence/faults.md."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from streams.local.jars import KAFKA_VERSION
from tests.chaos.trial import Finding
from tests.site import ROOT

PAGE = ROOT / "docs" / "evidence" / "faults.md"

INTRODUCTION = """\
# Faults: what was done to the system, and what came of it

Made by `make chaos`: a real Kafka and Valkey and real worker processes on one machine. Each scenario reads a backlog
with a consumer group of its own while faults are caused. What it publishes is compared, byte for byte, with the alerts
of an undisturbed run over the same records (`forewarn replay`'s engine). The columns mean:

- *Lost*: alerts of the undisturbed run that were not published, and wrong records without their dead letter.
- *Wrong*: published alerts with an id or a value that the undisturbed run does not have.
- *Repeated*: alerts published again, byte for byte; consumers recognise them by their id.
- *Seconds to recover*: from the end of the disturbance (the start of a new worker, the server's first answer) to the
  next checkpoint that covers more; median and maximum.

For the dispatcher and the console, *alerts expected* counts cases, or reports confirmed to a browser; *lost* counts
those that are missing from their case, *wrong* those that are there twice.
"""


def rows(findings: Sequence[Finding]) -> list[tuple[str, ...]]:
    """The table's rows as text."""
    return [
        (
            found.name,
            f"{found.times:,}",
            f"{found.events:,}",
            f"{found.expected:,}",
            f"{found.lost + found.letters_lost:,}",
            f"{found.wrong:,}",
            f"{found.repeated:,}",
            _seconds(found.recovered),
        )
        for found in findings
    ]


HEADINGS = ("scenario", "times", "events", "alerts expected", "lost", "wrong", "repeated", "seconds to recover")


def write(findings: Sequence[Finding]) -> Path:
    """Write the page whole or not at all."""
    table = [HEADINGS, ("---", *("---:" for _ in HEADINGS[1:])), *rows(findings)]
    notes = [f"- {found.name}: {'; '.join(found.notes)}." for found in findings if found.notes]
    events = sum(found.events for found in findings)
    made = (
        f"Forewarn {version('forewarn')}, Apache Kafka {KAFKA_VERSION}, Valkey, {date.today().isoformat()}, "
        f"{os.cpu_count()} cores shared by everything. {len(findings)} scenarios, {events:,} events in all."
    )
    text = "\n".join(
        [INTRODUCTION, made, "", *("| " + " | ".join(row) + " |" for row in table), "", "## Notes", "", *notes, ""]
    )
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    beside = PAGE.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(PAGE)
    return PAGE


def _seconds(recovered: Sequence[float]) -> str:
    return f"{statistics.median(recovered):.1f} / {max(recovered):.1f}" if recovered else "–"
