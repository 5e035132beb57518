"""Programs: whether those that run are well, are of one version, and read from every source."""

from __future__ import annotations

from collections.abc import Iterator

from streams.checkup.finding import Finding
from streams.overview.overview import Overview
from streams.overview.scraping import look, targets_of
from streams.overview.summing import overview
from streams.overview.worries import differences, health, silent_feeds
from streams.settings import Settings


def programs(settings: Settings) -> Iterator[Finding]:
    """Ask the programs of the site: all in ``FOREWARN_TARGETS`` must be ready, and without it the worker alone."""
    site = overview((), look(targets_of(settings)))
    if settings.targets:
        yield from _all_of(site)
    elif settings.http is None:
        yield Finding("worker", "look", "serves no metrics (FOREWARN_HTTP is empty), so it cannot be checked")
    elif any(each.program == "worker" and each.state == "ready" for each in site.programs):
        yield Finding("worker", "good", f"is ready: http://{settings.http}/metrics")
    else:
        says = f"none is ready at {settings.http}: start one (forewarn worker) or see http://{settings.http}/readyz"
        yield Finding("worker", "look", says)
    yield from agreeing(site)


def _all_of(site: Overview) -> Iterator[Finding]:
    found = [*health(site)]
    for worry in found:
        yield Finding("programs", "look", worry.says)
    if not found:
        yield Finding("programs", "good", f"all {len(site.programs)} in FOREWARN_TARGETS answer and are ready")


def agreeing(site: Overview) -> Iterator[Finding]:
    """Whether the programs that answer agree on what decides, and hear from every source."""
    here = [each for each in site.programs if each.state != "away"]
    if not here:
        return
    found = [*differences(site)]
    for worry in found:
        yield Finding("versions", "look", worry.says)
    if not found:
        said = {f"Forewarn {here[0].version}"}
        said |= {f"policy {each.policy}" for each in here if each.policy}
        said |= {f"the model {each.model}" for each in here if each.model}
        yield Finding("versions", "good", f"all that answer ({len(here)}) run {', '.join(sorted(said))}")
    silent = [*silent_feeds(site)]
    for worry in silent:
        yield Finding("feeds", "look", worry.says)
    if not silent and site.feeds:
        yield Finding("feeds", "good", f"none of {len(site.feeds)} sources has gone silent")
