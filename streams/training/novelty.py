"""Novelty: what it costs when a scam comes up that training has not seen, tried out with each known one in turn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import numpy as np

from streams.training.fitting import TrainingError, fit, split
from streams.training.judgement import average_precision, by_episode
from streams.training.samples import Samples


class Novel(NamedTuple):
    """Average precision on the test people whom a script's gangs tried, by models with and without it in training."""

    script: str
    episodes: int
    frauds: int
    seen: float
    unseen: float


def novelties(samples: Samples, left_out: Collection[str], done: Callable[[int], object]) -> Iterator[Novel]:
    """Each script in turn, those left out anyhow among them; one that leaves nothing to train on is passed over."""
    rows = samples.columns()
    for script in scripts(samples):
        others = set(left_out) - {script}
        parts = split(samples, others), split(samples, {script, *left_out})
        try:
            risks = [fit(samples, part).model.of_rows(rows) for part in parts]
        except TrainingError:
            continue
        finally:
            done(1)
        chosen = parts[0].tests & np.array([script in tried for tried in samples.scripts])
        if chosen.any():
            judged = [by_episode(samples, chosen, risk[chosen]) for risk in risks]
            seen, unseen = (average_precision(*each) for each in judged)
            yield Novel(script, len(judged[0][1]), int(judged[0][1].sum()), seen, unseen)


def scripts(samples: Samples) -> list[str]:
    """All scripts by which anybody was tried."""
    return sorted(frozenset().union(*samples.scripts)) if samples.scripts else []
