"""Trees: boosted decision trees as columns, walked in machine code.

scikit-learn takes a millisecond to score one moment, most of it for preparation. This module takes microseconds and
gives the same result (`streams.files.artifacts` compares the two when it reads a model).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base.compiled import compiled


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """The nodes of all trees, one tree after the other, as columns of equal length.

    A node sends a row to the left if its feature is at most the threshold. ``features`` is -1 at a leaf.
    """

    roots: NDArray[np.int64]
    features: NDArray[np.int64]
    thresholds: NDArray[np.float64]
    lefts: NDArray[np.int64]
    rights: NDArray[np.int64]
    values: NDArray[np.float64]
    """The amount that a leaf adds to the log-odds."""
    baseline: float
    """The log-odds to which the leaves are added."""
    slope: float
    intercept: float
    """Slope and intercept scale and shift the log-odds so that they match the observations (Platt's calibration)."""

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability of each row; its columns are those that the trees were trained on.

        The probability of a row is the same to the last bit, whatever the other rows are.
        """
        found = np.empty(len(rows))
        nodes = self.roots, self.features, self.thresholds, self.lefts, self.rights, self.values
        _walk(rows, *nodes, self.baseline, self.slope, self.intercept, found)
        return found


@compiled
def _walk(
    rows: Any,
    roots: Any,
    features: Any,
    thresholds: Any,
    lefts: Any,
    rights: Any,
    values: Any,
    baseline: float,
    slope: float,
    intercept: float,
    found: Any,
) -> None:
    for row in range(rows.shape[0]):
        total = 0.0
        for tree in range(roots.size):
            node = roots[tree]
            while features[node] >= 0:
                node = lefts[node] if rows[row, features[node]] <= thresholds[node] else rights[node]
            total += values[node]
        found[row] = 1.0 / (1.0 + math.exp(-(slope * (baseline + total) + intercept)))
