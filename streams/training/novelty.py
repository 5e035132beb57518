"""Novelty: how much precision is lost on a scam that training has not seen, measured with each known scam in turn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import numpy as np

from streams.files.artifacts import Artifact
from streams.training.fitting import TrainingError, fit, split
from streams.training.judgement import average_precision, by_episode
from streams.training.samples import TESTS, Samples


class Novel(NamedTuple):
    """Average precision on the test people of one script, by models trained with and without the script."""

    script: str
    episodes: int
    frauds: int
    seen: float
    unseen: float


def novelties(
    samples: Samples, left_out: Collection[str], artifact: Artifact, done: Callable[[int], object]
) -> Iterator[Novel]:
    """The figures for each script in turn; a script is skipped if too little remains to train on.

    ``artifact`` was trained without the scripts in ``left_out``.
    """
    rows, tests = samples.columns(), np.array(samples.parts) == TESTS
    ours = artifact.model.of_rows(rows)
    for script in scripts(samples):
        is_left_out = script in left_out
        try:
            other = fit(samples, split(samples, set(left_out) ^ {script})).model.of_rows(rows)
        except TrainingError:
            continue
        finally:
            done(1)
        chosen = tests & np.array([script in tried for tried in samples.scripts])
        if chosen.any():
            judged = [by_episode(samples, chosen, risks[chosen]) for risks in (ours, other)]
            seen, unseen = (average_precision(*each) for each in (reversed(judged) if is_left_out else judged))
            yield Novel(script, len(judged[0][1]), int(judged[0][1].sum()), seen, unseen)


def scripts(samples: Samples) -> list[str]:
    """All scripts whose gangs have tried anybody."""
    return sorted(frozenset().union(*samples.scripts)) if samples.scripts else []
