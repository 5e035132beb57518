"""Drift watch: exports how far the moments judged lately are from those that the model was trained on."""

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
"""Moments below which no index is exported: it would be noise, about 9 / moments even if nothing had changed."""
HALF_LIFE_S: Final = 86_400.0
"""Seconds after which a counted moment has half its weight."""
MOST_WAITING: Final = 10_000
"""Moments that may wait to be counted; in a flood the rest are left out."""


class DriftWatch:
    """Counts the moments that are judged and exports their drift index; does nothing for a model without training.

    Belongs to the event loop.
    """

    def __init__(self, reference: Reference | None) -> None:
        self._drift = Drift(reference) if reference is not None else None
        self._waiting: list[tuple[Features, float]] = []

    def witness(self, subscriber: str, episode: Episode, moments: Sequence[Moment], risks: Sequence[float]) -> None:
        """Take in the newest moment of an episode that was just judged."""
        if self._drift is not None and len(self._waiting) < MOST_WAITING:
            self._waiting.append((moments[-1].features, risks[-1]))

    def tell(self, seconds: float) -> None:
        """Count the new moments, let old ones fade, and set the gauges; ``seconds`` have passed since the last call."""
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
