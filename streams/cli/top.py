"""``forewarn top``: what all programs of the site do now, on one page that goes on."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING

import click
import msgspec

from streams.cli import site_settings

if TYPE_CHECKING:
    from rich.console import RenderableType

    from streams.overview.overview import Overview

WIDTH = 160
"""Columns of the page where there is no terminal to fit."""


@click.command()
@click.option("--once", is_flag=True, help="Show the site once and end.")
@click.option("--json", "as_json", is_flag=True, help="With --once: write one JSON object on stdout.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.5, max=3600),
    default=2.0,
    show_default=True,
    help="Seconds between two looks; rates are counted between them.",
)
def top(once: bool, as_json: bool, every: float) -> None:
    """Show rates, lag, feeds, alerts, orders, indicators, dead letters and the health of each program.

    It reads the metrics of the programs in FOREWARN_TARGETS: without it, one of each at its usual address, as forewarn
    up starts them. A program that is away is shown with its address and the reason. Ctrl-C ends it.

    Exit status: 0, whatever it shows; forewarn doctor has one for scripts.

    Example: forewarn top --once --json
    """
    from rich.console import Console
    from rich.live import Live

    from streams.overview.picture import picture
    from streams.overview.scraping import look, targets_of
    from streams.overview.summing import overview
    from streams.overview.worries import worries

    if as_json and not once:
        raise click.UsageError("--json needs --once: one object is one look.")
    settings = site_settings()
    targets = targets_of(settings)
    goes_on = sys.stdout.isatty() and not once
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)

    def page(site: Overview) -> RenderableType:
        return picture(site, worries(site), settings.time_zone)

    with contextlib.suppress(KeyboardInterrupt):
        before = look(targets)
        if not goes_on:
            time.sleep(every)
            site = overview(before, look(targets))
            if as_json:
                seen = msgspec.to_builtins(site) | {"worries": msgspec.to_builtins(worries(site))}
                sys.stdout.buffer.write(msgspec.json.encode(seen) + b"\n")
            else:
                console.print(page(site))
            return
        with Live(page(overview((), before)), console=console, screen=True, auto_refresh=False) as live:
            while True:
                time.sleep(every)
                now = look(targets)
                live.update(page(overview(before, now)), refresh=True)
                before = now
