"""A worker and Forewarn's other programs as processes on this machine; they are ready when ``/readyz`` says so."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from streams.local.process import Launch, ProcessId, Server

FOREWARN = (sys.executable, "-c", "from streams.cli import main; main()")
"""The command that runs this copy of Forewarn, installed or not."""

HEALTH: Final[Mapping[str, tuple[str, int]]] = {
    "worker": ("FOREWARN_HTTP", 8890),
    "hunter": ("FOREWARN_HUNTER_HTTP", 8891),
    "dispatcher": ("FOREWARN_DISPATCHER_HTTP", 8892),
    "console": ("FOREWARN_CONSOLE_HEALTH", 8894),
}
"""The variable for the address of a program's metrics and health, and the usual port, by program."""


def service(
    name: str,
    log: Path,
    http: str,
    environ: Mapping[str, str],
    started: Callable[[ProcessId], None] = lambda process: None,
    command: tuple[str, ...] = (),
) -> Server:
    """Describe one of the programs in `HEALTH`, with its health at ``http`` (``host:port``, or empty: nowhere).

    The program logs to a file. ``environ`` is added to this program's environment. ``command`` replaces the program's
    own command.
    """
    return Server(
        Launch(
            name=f"The {name}",
            command=command or (*FOREWARN, name),
            folder=Path.cwd(),
            log=log,
            answers=partial(is_ready, http) if http else lambda: True,
            environ=os.environ | dict(environ) | {HEALTH[name][0]: http},
        ),
        started,
    )


def is_ready(http: str) -> bool:
    """Whether the worker at this address reports that every part it needs has answered."""
    try:
        with urllib.request.urlopen(f"http://{http}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def metric(http: str, name: str, **labels: str) -> float:
    """The sum of a worker's current ``/metrics`` samples with this name and these labels; 0 when there are none."""
    with urllib.request.urlopen(f"http://{http}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
