"""Novelty: what it costs when a scam comes up that training has not seen, tried out with each known one in turn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import numpy as np

from streams.files.artifacts import Artifact
from streams.training.fitting import TrainingError, fit, split
from streams.training.judgement import average_precision, by_episode
from streams.training.samples import TESTS, Samples


class Novel(NamedTuple):
    """Average precision on the test people whom a script's gangs tried, by models with and without it in training."""

    script: str
    episodes: int
    frauds: int
    seen: float
    unseen: float


def novelties(
    samples: Samples, left_out: Collection[str], artifact: Artifact, done: Callable[[int], object]
) -> Iterator[Novel]:
    """Each script in turn; one that leaves nothing to train on is passed over.

    ``artifact`` was trained without the scripts that are left out anyhow.
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
    """All scripts by which anybody was tried."""
    return sorted(frozenset().union(*samples.scripts)) if samples.scripts else []
