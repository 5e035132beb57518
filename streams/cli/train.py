"""``forewarn train``: train a risk model on cities with known victims and on outcomes of cases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
import numpy as np
from aiokafka.errors import KafkaError

from models.city.grammar import family
from models.policy.policy import Policy, PolicyError
from streams.cli import CommandError, InputError, site_settings
from streams.cli.ids import site_ids
from streams.cli.indicator_options import run
from streams.cli.progress import byte_bar, count_bar
from streams.files import policy_file
from streams.files.artifacts import Artifact, ArtifactError, OtherFeaturesError, read, write, write_bytes
from streams.files.text_lines import FileError
from streams.simulation.cities import CityError, CityFolder
from streams.training.card import Judged, card, judged, rivals
from streams.training.fitting import Split, TrainingError, fit, split
from streams.training.novelty import novelties, scripts
from streams.training.outcomes import NONE, OutcomeError, Outcomes, of_file, of_topic
from streams.training.samples import Samples, samples_of

LEFT_OUT = ("impersonated-boss", "virtual-currency")
"""The scripts left out of the training unless others are named; they show how the model judges a new scam.

Leaving out these two costs least. The card shows what each of the others would cost.
"""


@click.command()
@click.option(
    "--city",
    "cities",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="A folder written by `forewarn city`, or a site's records in the same files; may be repeated.",
)
@click.option(
    "--outcomes",
    "source",
    help="Outcomes: a file of dispatch-feedback records, or `topic` for the site's own topic.",
)
@click.option(
    "--leave-out",
    "left_out",
    multiple=True,
    help="A script, or family of drawn ones, left out to test the model on a new scam; may be repeated.  "
    f"[default: {', '.join(LEFT_OUT)}]",
)
@click.option("--force", is_flag=True, help="Replace the model even if the new one is worse on the test people.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="File for the model; its card is written beside it."
)
@click.option("--json", "as_json", is_flag=True, help="Write the summary as one JSON object on stdout.")
def train(
    cities: tuple[Path, ...],
    source: str | None,
    left_out: tuple[str, ...],
    force: bool,
    out: Path,
    as_json: bool,
) -> None:
    """Train a risk model, test it on people and scams that it has not seen, and write it with its card.

    The same cities and outcomes give the same model. The new model is not written if it is worse than the one it would
    replace, on the same test people. FOREWARN_MODEL names the model that the worker uses.

    Example: forewarn train --city city --out risk.skops
    """
    if out.suffix != ".skops":
        raise InputError(f"{out} does not end in .skops, as a model's file must: choose another name.")
    try:
        before = _before(out, force)
        outcomes = _outcomes(source)
        policy = policy_file.load(site_settings().policy_file)
        folders = [CityFolder(city) for city in cities]
        left_out = _left_out(left_out, folders)
        samples = _samples(folders, policy, outcomes)
        unknown = outcomes.unknown(samples.cases)
        if unknown:
            raise InputError(
                f"{outcomes.places[unknown[0]]}: no episode of these cities opened this case, nor {len(unknown) - 1:,} "
                "other cases: add the folder with their records, or remove them."
            )
        by = split(samples, left_out)
        artifact = fit(samples, by)
    except (CityError, FileError, OutcomeError, TrainingError, ArtifactError, PolicyError) as error:
        raise InputError(str(error)) from None
    ours = judged(samples, by, artifact.model.of_rows(samples.columns()))
    if before is not None and not force:
        _compare(out, before, ours, samples, by)
    others = rivals(samples, by, policy)
    with count_bar("leaving scams out", len(scripts(samples))) as bar:
        novel = list(novelties(samples, left_out, artifact, bar))
    text = card(out.name, artifact, folders, samples, by, left_out, ours, others, novel)
    try:
        write(artifact, out)
        write_bytes(out.with_suffix(".md"), text.encode())
    except OSError as error:
        raise CommandError(f"{out} cannot be written: {error.strerror}.") from None
    _tell(out, artifact, samples, ours, others, as_json)


def _before(out: Path, force: bool) -> Artifact | None:
    """The model that would be replaced, if it can be compared with.

    Raises `InputError` when the file is not a model, unless ``force``.
    """
    if not out.exists() or force:
        return None
    try:
        return read(out)
    except OtherFeaturesError:  # this version cannot use the old model anyway
        return None
    except ArtifactError:
        raise InputError(f"{out} exists and is not a model: name another file, or replace it with --force.") from None


def _outcomes(source: str | None) -> Outcomes:
    if source is None:
        return NONE
    if source != "topic":
        return of_file(Path(source))
    try:
        return run(of_topic(site_settings()))
    except KafkaError as error:
        raise CommandError(f"The topic of the outcomes cannot be read: {error}") from None


def _samples(folders: Sequence[CityFolder], policy: Policy, outcomes: Outcomes) -> Samples:
    with byte_bar("playing", [path for folder in folders for path in folder.records]) as read:
        for folder in folders:
            folder.told = read
        return samples_of(folders, policy, outcomes, site_ids(site_settings()))


def _left_out(asked: Sequence[str], folders: Sequence[CityFolder]) -> tuple[str, ...]:
    """The scripts to leave out: the named ones, or the usual ones when none are named."""
    met = sorted({family(truth.script) for folder in folders for truth in folder.truths})
    for name in asked:
        if name not in met:
            raise InputError(f"Nobody in these cities was targeted by {name!r}: choose from {', '.join(met)}.")
    return tuple(asked) or tuple(name for name in LEFT_OUT if name in met)


def _compare(out: Path, before: Artifact, ours: Judged, samples: Samples, by: Split) -> None:
    """Raise `CommandError` when the previous model distinguishes fraud better."""
    theirs = judged(samples, by, before.model.of_rows(samples.columns()))
    old, new = theirs.tests.average_precision, ours.tests.average_precision
    if np.round(new.value, 3) < np.round(old.value, 3):
        raise CommandError(
            f"{out} keeps {before.name}, whose average precision on the test people is {old}; the new one's is {new}. "
            "Nothing was written; use --force to replace it."
        )


def _tell(
    out: Path, artifact: Artifact, samples: Samples, ours: Judged, others: dict[str, Judged], as_json: bool
) -> None:
    named = {artifact.name: ours, **others}
    if as_json:
        summary = {
            "model": artifact.name,
            "moments": len(samples),
            "outcomes": dict(sorted(samples.outcomes.items())),
            "average_precision": {name: each.tests.average_precision for name, each in named.items()},
            "average_precision_of_left_out": {
                name: each.unseen.average_precision for name, each in named.items() if each.unseen is not None
            },
        }
        click.echo(msgspec.json.encode(summary))
        return
    click.echo(f"{out}: {artifact.name}, from {len(samples):,} moments; its card is {out.with_suffix('.md')}", err=True)
    for name, each in named.items():
        unseen = "" if each.unseen is None else f", {each.unseen.average_precision} on left-out scams"
        click.echo(f"  average precision of {name}: {each.tests.average_precision}{unseen}", err=True)
