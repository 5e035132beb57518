"""The model card: a model's data, its quality and its forbidden uses, as Markdown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from models.city.labels import OUTCOMES
from models.detection.features import FEATURES_VERSION, MORE_IS_WORSE, Features
from models.detection.risk import AnyContact, Model, PointScore
from models.policy.policy import Policy
from streams.files.artifacts import Artifact
from streams.simulation.cities import CityFolder
from streams.training.fitting import PARAMETERS, Split
from streams.training.judgement import Judgement, average_precision, by_episode, judge
from streams.training.novelty import Novel
from streams.training.samples import OUTCOME_WEIGHT, PARTS, Samples

NOT_FOR = """\
- **Not as evidence** against anybody, and not to block, charge or arrest anybody. It says who should be warned.
- **Not to rate people.** It knows one episode of contacts with indicators, and two vulnerability flags.
- **Not where nothing is known or suspected.** Without a contact with an indicator there is no episode and no risk.
- **Not in another place without a check.** A simulated city is not a city. Compare `forewarn_drift_psi` with training,
  and train on officers' outcomes as soon as there are some hundred.
"""


_BY_RULE = "Officers gave {rules}: since rule 2, an outcome needs an attempt that has reached the person. "


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The judgement on the test people, and on the people of the left-out scripts (None if nothing was left out)."""

    tests: Judgement
    unseen: Judgement | None


def judged(samples: Samples, by: Split, risks: NDArray[np.float64]) -> Judged:
    """Judge the risks of all samples on the test people and on the people of the left-out scripts."""
    return Judged(judge(samples, by.tests, risks), judge(samples, by.unseen, risks) if by.unseen.any() else None)


def rivals(samples: Samples, by: Split, policy: Policy) -> dict[str, Judged]:
    """Judge the point score, and the rule that alerts on any contact, on the same people."""
    moments = [Features(*row) for row in samples.rows]
    models: Sequence[Model] = (PointScore(), AnyContact())
    return {model.name: judged(samples, by, np.array(model.risk(moments, policy))) for model in models}


def card(
    name: str,
    artifact: Artifact,
    folders: Sequence[CityFolder],
    samples: Samples,
    by: Split,
    left_out: Collection[str],
    ours: Judged,
    others: Mapping[str, Judged],
    novel: Sequence[Novel],
) -> str:
    """The card as Markdown; the same training gives the same card."""
    return "\n".join(
        [
            f"# Model card: {name}",
            "",
            f"`{artifact.name}` gives the probability that a person is being drawn into a fraud, at one moment of an "
            "episode of contacts with known fraud numbers and domains. The model is gradient-boosted trees under "
            "monotonic constraints. They are calibrated by Platt's method on people that the trees have not seen. "
            f"`forewarn train` wrote the model and this card, with scikit-learn {version('scikit-learn')}.",
            "",
            "## What it must not be used for",
            "",
            NOT_FOR,
            *_data(folders, samples, by, left_out),
            *_metrics(ours, others, left_out),
            *_reliability(ours.tests),
            *_novelties(novel),
            *_features(artifact, samples, by),
        ]
    )


def _data(folders: Sequence[CityFolder], samples: Samples, by: Split, left_out: Collection[str]) -> Iterator[str]:
    yield from (
        "## Data",
        "",
        "| city | people | days | seed | numbers and domains that become known | half of these within |",
        "|---|---|---|---|---|---|",
    )
    for number, folder in enumerate(folders, 1):
        asked = folder.asked
        if asked is None:
            yield f"| {number}, not simulated | | | | | |"
        else:
            rarer = f", {asked.prevalence:g} of the gangs" if asked.prevalence != 1 else ""
            yield (
                f"| {number}, simulated{rarer} | {asked.people:,} | {asked.days} | {asked.seed} | {asked.known:.0%} | "
                f"{asked.known_after:g} h |"
            )
    labelled = [f"{outcome} {samples.outcomes[outcome]:,}" for outcome in OUTCOMES if samples.outcomes[outcome]]
    silent = samples.outcomes.total() - sum(samples.outcomes[outcome] for outcome in OUTCOMES)
    episodes = len(set(samples.episodes))
    by_officers = samples.outcomes.total() - silent
    rules = " and ".join(f"{count:,} under rule {rule}" for rule, count in sorted(samples.rules.items()))
    by_rule = _BY_RULE.format(rules=rules) if rules else ""
    yield from (
        "",
        f"{len(samples):,} moments of {episodes:,} episodes. Of the episodes, {episodes - by_officers:,} are labelled "
        f"by the simulation's truth and {by_officers:,} by officers' outcomes ({', '.join(labelled) or 'none'}). An "
        f"episode with an outcome weighs as much as {OUTCOME_WEIGHT:g} simulated ones. Another {silent:,} outcomes "
        f"said nothing about fraud. {by_rule}The moments of an episode share its weight, however many there are.",
        "",
        f"People are split into {PARTS} parts by a hash of their number: three train, one calibrates, one tests. "
        + (
            f"People who were tried by {' or '.join(sorted(left_out))} gangs are in none of them: these scams are "
            "left out of training altogether."
            if left_out
            else "No scam is left out."
        ),
        "",
        "| part | moments | of them fraud |",
        "|---|---|---|",
    )
    labels = np.array(samples.labels)
    for what, part in (("train", by.trains), ("calibrate", by.calibrates), ("test", by.tests), ("left out", by.unseen)):
        yield f"| {what} | {int(part.sum()):,} | {int(labels[part].sum()):,} |"
    yield ""


def _metrics(ours: Judged, others: Mapping[str, Judged], left_out: Collection[str]) -> Iterator[str]:
    yield from (
        "## How well it does",
        "",
        "Average precision is over episodes, each by its highest risk. The Brier score is over moments; lower is "
        "better. The brackets give the range in which 95 of 100 samples of as many episodes would lie (bootstrap). "
        "Here each episode is seen as a whole. `docs/quality.md` says when officers would have been sent, and how "
        "often in vain.",
        "",
        "| | episodes | of them fraud | average precision | Brier score |",
        "|---|---|---|---|---|",
    )
    named = {"this model": ours, **others}
    for name, each in named.items():
        yield _row(f"test people, {name}", each.tests)
    for name, each in named.items():
        if each.unseen is not None:
            yield _row(f"{' and '.join(sorted(left_out))}, {name}", each.unseen)
    yield ""


def _row(name: str, each: Judgement) -> str:
    return f"| {name} | {each.episodes:,} | {each.frauds:,} | {each.average_precision} | {each.brier} |"


def _reliability(tests: Judgement) -> Iterator[str]:
    yield from (
        "## Reliability",
        "",
        "If the risk is a probability, its mean and the share of fraud agree. Moments of the test people:",
        "",
        "| risk | mean risk | share of fraud | moments |",
    )
    yield "|---|---|---|---|"
    for mean, share, count in tests.reliability:
        tenth = min(int(mean * 10), 9) / 10
        yield f"| {tenth:.1f} to {tenth + 0.1:.1f} | {mean:.2f} | {share:.2f} | {count:,} |"
    yield ""


def _novelties(novel: Sequence[Novel]) -> Iterator[str]:
    yield from (
        "## When a scam is new",
        "",
        "Average precision on the test people who were tried by a scam's gangs: with the scam in training, and with "
        "the scam left out. Where few people were defrauded, much of the difference is chance.",
        "",
        "| scam | episodes | of them fraud | in training | left out |",
        "|---|---|---|---|---|",
    )
    for each in novel:
        yield f"| {each.script} | {each.episodes:,} | {each.frauds:,} | {each.seen:.3f} | {each.unseen:.3f} |"
    yield ""


def _features(artifact: Artifact, samples: Samples, by: Split) -> Iterator[str]:
    yield from (
        f"## Features (version {FEATURES_VERSION})",
        "",
        "`models/detection/features.py` describes each feature. The loss is how much average precision on the test "
        "people falls when the feature is shuffled among their moments.",
        "",
        "| feature | more never lowers the risk | loss when shuffled |",
        "|---|---|---|",
    )
    for name, lost in zip(Features.__struct_fields__, _lost(artifact, samples, by), strict=True):
        yield f"| `{name}` | {'yes' if name in MORE_IS_WORSE else ''} | {lost:.3f} |"
    yield from ("", f"Trees: {', '.join(f'{key} {value}' for key, value in PARAMETERS.items())}.")


def _lost(artifact: Artifact, samples: Samples, by: Split) -> Iterator[float]:
    rows, model = samples.columns()[by.tests], artifact.model
    whole = average_precision(*by_episode(samples, by.tests, model.of_rows(rows)))
    rng = np.random.default_rng(0)
    for column in range(rows.shape[1]):
        shuffled = rows.copy()
        rng.shuffle(shuffled[:, column])
        yield max(whole - average_precision(*by_episode(samples, by.tests, model.of_rows(shuffled))), 0.0)
