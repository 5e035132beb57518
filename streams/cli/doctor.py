"""``forewarn doctor``: check everything that a worker needs and say what to repair."""

from __future__ import annotations

import logging

import click
import msgspec

from streams.checkup.examining import examine
from streams.cli import site_settings

_MARKS = {"good": ("✓", "green"), "look": ("!", "yellow"), "bad": ("✗", "red")}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object for each finding on stdout.")
def doctor(as_json: bool) -> None:
    """Check policy, contracts, Kafka, topics, Redis, clocks, keys, certificates, programs, feeds, files and disks.

    Each finding says what to repair. FOREWARN_TARGETS names the programs that must be ready and of one version; without
    it, only this machine's worker must be.

    Exit status: 0 nothing is broken (there may be warnings), 1 something is broken.

    Example: forewarn doctor
    """
    settings = site_settings()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    bad = False
    for finding in examine(settings):
        bad |= finding.state == "bad"
        if as_json:
            click.echo(msgspec.json.encode(finding._asdict()))
            continue
        mark, colour = _MARKS[finding.state]
        click.echo(f"{click.style(mark, fg=colour)} {finding.part:<12} {finding.says}")
    if bad:
        raise SystemExit(1)
