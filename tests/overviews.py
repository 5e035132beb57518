"""Overviews: two looks at the programs of a real demo day, as they were scraped, two seconds apart.

``tests/streams/overview/scraped`` has what each program served, without help texts and the buckets of histograms. The
first line of each file says when it was asked.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from streams.overview.scrape import Scrape, samples_of
from streams.overview.scraping import targets_of
from streams.setting_values import Target
from streams.settings import Settings

FOLDER = Path(__file__).parent / "streams" / "overview" / "scraped"
TARGETS = targets_of(Settings())


def scraped(look: str, target: Target) -> Scrape:
    """What a program said at the look ``before`` or ``now``."""
    first, _, text = (FOLDER / f"{look}-{target.program}.txt").read_text(encoding="utf-8").partition("\n")
    return Scrape(target, float(first.removeprefix("# at ")), samples_of(text))


def demo_day() -> tuple[tuple[Scrape, ...], tuple[Scrape, ...]]:
    """Both looks at all four programs."""
    before, now = (tuple(scraped(look, target) for target in TARGETS) for look in ("before", "now"))
    return before, now


def saying(scrape: Scrape, text: str, after_s: float = 0.0) -> Scrape:
    """The same program some seconds later, with these lines in place of what it said under their names."""
    build = 'forewarn_build_info{version="0"} 1\n'
    said = samples_of(build + text if "forewarn_build_info" not in text else text)
    if "forewarn_build_info" not in text:
        del said["forewarn_build_info"]
    return replace(scrape, at=scrape.at + after_s, samples=dict(scrape.samples) | said)
