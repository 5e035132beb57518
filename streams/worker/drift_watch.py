"""Drifting: tells Prometheus how far what is judged of late is from what the model was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec.structs import astuple

from models.detection.drift import Drift, Reference
from models.detection.episodes import Episode, Moment
from models.detection.features import Features
from streams import metrics

FEWEST: Final = 500
"""Moments without which the index is chance: it would be about 9 / moments if nothing had changed."""
HALF_LIFE_S: Final = 86_400.0
MOST_WAITING: Final = 10_000
"""Moments that wait to be counted; of a flood the rest is left out."""


class DriftWatch:
    """Counts moments of the present and tells their index; a model without training has none."""

    def __init__(self, reference: Reference | None) -> None:
        self._drift = Drift(reference) if reference is not None else None
        self._waiting: list[tuple[Features, float]] = []

    def witness(self, subscriber: str, episode: Episode, moments: Sequence[Moment], risks: Sequence[float]) -> None:
        """Take in the newest moment of an episode that was decided about."""
        if self._drift is not None and len(self._waiting) < MOST_WAITING:
            self._waiting.append((moments[-1].features, risks[-1]))

    def tell(self, seconds: float) -> None:
        """Count what has been taken in, forget what is old, and set the gauges; ``seconds`` since the last time."""
        if self._drift is None:
            return
        self._drift.fade(0.5 ** (seconds / HALF_LIFE_S))
        if self._waiting:
            rows = np.array([astuple(features) for features, _ in self._waiting])
            self._drift.take(rows, [risk for _, risk in self._waiting])
            self._waiting.clear()
        if self._drift.moments >= FEWEST:
            for name, index in self._drift.index().items():
                metrics.DRIFT.labels(name).set(index)
