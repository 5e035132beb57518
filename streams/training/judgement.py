"""Judgement: how well a model tells people who are being defrauded from those who are not, with what chance allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.training.samples import Samples

RESAMPLES: Final = 200
"""Times that episodes are drawn with replacement for an interval (Efron's bootstrap)."""
BINS: Final = 10

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with the interval in which 95 of 100 samples like this one would have it."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """How a model did on some episodes."""

    episodes: int
    frauds: int
    average_precision: Figure
    """Over episodes, each by its highest risk: the area below precision against recall."""
    brier: Figure
    """Mean square of the difference between risk and truth, over moments (Brier, 1950)."""
    reliability: list[tuple[float, float, int]]
    """By tenths of risk: the mean risk, the share that was fraud, and how many moments."""


def judge(samples: Samples, chosen: NDArray[np.bool_], risks: Floats) -> Judgement:
    """Judge the risks (of all samples) by the chosen moments."""
    labels = np.array(samples.labels, dtype=bool)[chosen]
    risks = risks[chosen]
    highest, fraud = by_episode(samples, chosen, risks)
    places, count = _places(samples, chosen), len(highest)
    errors, sizes = np.zeros(count), np.zeros(count)
    np.add.at(errors, places, (risks - labels) ** 2)
    np.add.at(sizes, places, 1.0)
    return Judgement(
        count,
        int(fraud.sum()),
        _figure(lambda some: average_precision(highest[some], fraud[some]), count),
        _figure(lambda some: float(errors[some].sum() / sizes[some].sum()), count),
        _reliability(risks, labels),
    )


def by_episode(samples: Samples, chosen: NDArray[np.bool_], risks: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The highest risk (of the chosen moments) in each episode, and whether it was fraud at any of them."""
    places = _places(samples, chosen)
    count = int(places.max()) + 1 if len(places) else 0
    highest, fraud = np.zeros(count), np.zeros(count, dtype=bool)
    np.maximum.at(highest, places, risks)
    np.logical_or.at(fraud, places, np.array(samples.labels, dtype=bool)[chosen])
    return highest, fraud


def _places(samples: Samples, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Of each chosen moment the place of its episode among the chosen ones."""
    return np.unique(np.array(samples.episodes)[chosen], return_inverse=True)[1]


def average_precision(scores: Floats, labels: NDArray[np.bool_]) -> float:
    """scikit-learn's; 0 when there is nothing to be found."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(labels, scores)) if labels.any() else 0.0


def _figure(of: Callable[[NDArray[np.int64]], float], count: int) -> Figure:
    rng = np.random.default_rng(0)
    drawn = [of(rng.integers(count, size=count)) for _ in range(RESAMPLES)] if count else [0.0]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Figure(of(np.arange(count)) if count else 0.0, float(low), float(high))


def _reliability(risks: Floats, labels: NDArray[np.bool_]) -> list[tuple[float, float, int]]:
    bins = np.minimum((risks * BINS).astype(int), BINS - 1)
    found = []
    for each in range(BINS):
        inside = bins == each
        if inside.any():
            found.append((float(risks[inside].mean()), float(labels[inside].mean()), int(inside.sum())))
    return found
