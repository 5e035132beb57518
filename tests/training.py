"""Training: made-up samples, and a small model trained on them, for tests that need a trained model."""

from __future__ import annotations

import functools

import numpy as np
from msgspec.structs import astuple

from models.detection.features import Features
from streams.files.artifacts import Artifact
from streams.training.fitting import fit, split
from streams.training.samples import PARTS, Samples


def samples(count: int = 3000, seed: int = 0) -> Samples:
    """Moments of ``count`` episodes: a longer talk and more codes make fraud more likely."""
    rng = np.random.default_rng(seed)
    made = Samples()
    for number in range(count):
        minutes, codes = float(rng.exponential(6)), float(rng.integers(3))
        talk = float(minutes >= 1)
        features = Features(
            talk=talk, code=codes, talk_minutes=minutes, confidence=0.9, codes_after=codes, longest_minutes=minutes
        )
        made.rows.append(astuple(features))
        made.labels.append(bool(rng.random() < 1 / (1 + np.exp(4 - 0.4 * minutes - codes))))
        made.weights.append(1.0)
        made.parts.append(number % PARTS)
        script = ("loan", "other", "fake-prize")[int(rng.integers(3))]
        made.scripts.append(frozenset({script}))
        made.episodes.append(number)
    return made


@functools.cache
def artifact() -> Artifact:
    """A model trained on those samples."""
    made = samples()
    return fit(made, split(made, ["fake-prize"]))
