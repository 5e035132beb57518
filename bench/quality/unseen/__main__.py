"""``python -m bench.quality.unseen``: plays scripts that the detector has never seen and writes docs/unseen.md."""

from __future__ import annotations

from pathlib import Path

import click

from bench.quality.unseen.judging import play
from bench.quality.unseen.page import page, said, said_interval, totals
from bench.records import ROOT
from streams.cli import InputError
from streams.cli.progress import count_bar
from streams.files import model_file
from streams.files.scam_scripts import ScriptFileError, read_scripts

SCRIPTS = Path(__file__).parent
PAGE = ROOT / "docs" / "unseen.md"


@click.command()
@click.option("--people", type=click.IntRange(100), default=20_000, show_default=True)
@click.option("--days", type=click.IntRange(1, 366), default=14, show_default=True)
@click.option("--seed", "seeds", type=int, multiple=True, default=(401, 402), show_default=True)
@click.option("--scripts", "folder", type=click.Path(path_type=Path), default=SCRIPTS, help="Another set of scripts.")
@click.option("--page", "written", type=click.Path(path_type=Path), help="The page to write; with --scripts none.")
def main(people: int, days: int, seeds: tuple[int, ...], folder: Path, written: Path | None) -> None:
    """Play the unseen scripts in a city for each seed, print how the model did, and write it to docs/unseen.md."""
    try:
        scripts = read_scripts(folder)
    except ScriptFileError as error:
        raise InputError(str(error)) from None
    model = model_file.load("").model
    with count_bar("hours", len(seeds) * days * 24) as bar:
        judged = play(model, scripts, seeds, people, days, bar)
    if not judged.verdict.all.victims:
        raise InputError(f"Nobody in these cities paid by a script of {folder}: name more --people or --days.")
    for name, share in totals(judged):
        click.echo(f"{name}: {said(share)} ({said_interval(share)})")
    for name, _ in scripts:
        shares = (judged.warned(name), judged.right(name), judged.warned_unknown(name))
        click.echo(f"  {name}: {', '.join(f'{said(share)} ({said_interval(share)})' for share in shares)}")
    if folder == SCRIPTS and written is None:
        written = PAGE
    if written is not None:
        asked = (
            f"{len(seeds)} [simulated {'city' if len(seeds) == 1 else 'cities'}](city.md) of {people:,} people and "
            f"{days} days (seeds {', '.join(map(str, seeds))})"
        )
        written.write_text(page(judged, scripts, model.name, asked), encoding="utf-8")
        click.echo(f"written: {written}", err=True)


if __name__ == "__main__":
    main()
