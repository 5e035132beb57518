"""``make quality``: plays cities that the model was not trained on, draws the plots and writes docs/quality.md."""

from __future__ import annotations

from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from typing import Any

import click

from bench.quality import plots
from bench.quality.page import page
from bench.quality.playing import KNOWN, Verdicts, compare, copenhagen, policies, with_known
from bench.quality.savings import plot as savings
from bench.quality.savings.findings import find
from bench.records import ROOT
from streams.cli.progress import count_bar
from streams.cli.train import LEFT_OUT
from streams.files import model_file

PAGE = ROOT / "docs" / "quality.md"
PLOTS = ROOT / "docs" / "plots"
SHARES = (0.0, 0.2, 0.4, 0.6, 0.8)


@click.command()
@click.option("--people", default=20_000, show_default=True)
@click.option("--days", default=14, show_default=True)
@click.option("--seed", "seeds", type=int, multiple=True, default=(101, 102, 103), show_default=True)
def main(people: int, days: int, seeds: tuple[int, ...]) -> None:
    """Play cities, one on each core, and write how each model did.

    The first seed's city is played again for each other share of known numbers and domains.
    """
    model = model_file.load("").model
    verdicts = Verdicts()
    with ProcessPoolExecutor() as pool:
        compared = [pool.submit(compare, model, seed, people, days) for seed in seeds]
        known = {
            share: pool.submit(with_known, model, share, seeds[0], people, days) for share in SHARES if share != KNOWN
        }
        study = pool.submit(copenhagen, model)
        jobs: list[Future[Any]] = [*compared, *known.values(), study]
        with count_bar("cities", len(jobs)) as bar:
            for _ in as_completed(jobs):
                bar(1)
    for city in compared:  # in the order of the seeds, so that the page is the same every time
        verdicts += city.result()
    shares = {share: city.result() for share, city in known.items()} | {KNOWN: compared[0].result()}
    by_share = {share: city.rivals[model.name] for share, city in shares.items()}
    worth = find(verdicts.played, {share: city.played[0] for share, city in shares.items()}, policies()[0].dispatch)
    plots.trade_off(verdicts.curves, PLOTS / "quality-trade-off.svg")
    plots.rarity(verdicts.rivals[model.name], PLOTS / "quality-rarity.svg")
    plots.known(by_share, PLOTS / "quality-known.svg")
    savings.draw(worth, PLOTS / "quality-savings.svg")
    each = f"[simulated cities](city.md) of {people:,} people and {days} days"
    asked = f"{len(seeds)} {each} (seeds {', '.join(map(str, seeds))})"
    of_shares = f"Each row is a city of {people:,} people and {days} days (seed {seeds[0]})"
    PAGE.write_text(page(verdicts, by_share, study.result(), worth, LEFT_OUT, asked, of_shares), encoding="utf-8")
    click.echo(f"written: {PAGE.relative_to(ROOT)} and {PLOTS.relative_to(ROOT)}/quality-*.svg", err=True)


if __name__ == "__main__":
    main()
