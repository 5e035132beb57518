"""A worker, and what else Forewarn runs, as processes on one's own machine, ready once ``/readyz`` says so."""

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
"""The command of this very Forewarn, installed or not."""

HEALTH: Final[Mapping[str, tuple[str, int]]] = {
    "worker": ("FOREWARN_HTTP", 8890),
    "hunter": ("FOREWARN_HUNTER_HTTP", 8891),
    "dispatcher": ("FOREWARN_DISPATCHER_HTTP", 8892),
    "console": ("FOREWARN_CONSOLE_HEALTH", 8894),
}
"""By program the variable that says where its metrics and health are served, and the usual port."""


def service(
    name: str,
    log: Path,
    http: str,
    environ: Mapping[str, str],
    started: Callable[[ProcessId], None] = lambda process: None,
    command: tuple[str, ...] = (),
) -> Server:
    """One of the programs of `HEALTH`, with its health at ``http`` (``host:port``, or empty: nowhere).

    It logs to a file; ``environ`` is added to this program's environment. ``command``: another than its own.
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
    """Whether the worker at this address says that every part it needs has answered."""
    try:
        with urllib.request.urlopen(f"http://{http}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def metric(http: str, name: str, **labels: str) -> float:
    """The sum of a worker's samples of this name and these labels, as its ``/metrics`` says now; 0 without any."""
    with urllib.request.urlopen(f"http://{http}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
