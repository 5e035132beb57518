"""Judgement: how well a model separates people who are being defrauded from others, with confidence intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.training.samples import Samples

RESAMPLES: Final = 200
"""How often episodes are drawn with replacement for an interval (Efron's bootstrap)."""
BINS: Final = 10

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with the interval that would contain it in 95 of 100 samples like this one."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """A model's quality on some episodes."""

    episodes: int
    frauds: int
    average_precision: Figure
    """The area under the precision-recall curve over episodes, each with its highest risk."""
    brier: Figure
    """Mean square of the difference between risk and truth, over moments (Brier, 1950)."""
    reliability: list[tuple[float, float, int]]
    """By tenths of risk: the mean risk, the share of fraud, and the number of moments."""


def judge(samples: Samples, chosen: NDArray[np.bool_], risks: Floats) -> Judgement:
    """Judge the risks (of all samples) on the chosen moments."""
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
    """The highest risk in each episode, and whether any moment was fraud; only the chosen moments count."""
    places = _places(samples, chosen)
    count = int(places.max()) + 1 if len(places) else 0
    highest, fraud = np.zeros(count), np.zeros(count, dtype=bool)
    np.maximum.at(highest, places, risks)
    np.logical_or.at(fraud, places, np.array(samples.labels, dtype=bool)[chosen])
    return highest, fraud


def _places(samples: Samples, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each chosen moment, the position of its episode among the chosen episodes."""
    return np.unique(np.array(samples.episodes)[chosen], return_inverse=True)[1]


def average_precision(scores: Floats, labels: NDArray[np.bool_]) -> float:
    """The average precision that scikit-learn computes; 0 if no label is fraud."""
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
