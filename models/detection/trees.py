"""Trees: boosted decision trees as columns, walked in machine code.

scikit-learn takes a millisecond to score one moment, most of it for preparation. This module takes microseconds and
gives the same result (`streams.files.artifacts` compares the two when it reads a model).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.base.compiled import compiled
from models.detection.features import Features

WIDTH: Final = len(Features.__struct_fields__)


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

    def __post_init__(self) -> None:
        """Check every node, since the walk checks none: it would follow any index, and go round a circle for ever.

        A node's children come after it, within its own tree. Raises ValueError for nodes that are not so.
        """
        count, nodes = len(self.features), np.arange(len(self.features))
        columns = self.thresholds, self.lefts, self.rights, self.values
        if any(column.shape != (count,) for column in (self.features, *columns)):
            raise ValueError("the columns of its nodes have different lengths")
        if not len(self.roots) or self.roots[0] != 0 or not (np.diff([*self.roots, count]) > 0).all():
            raise ValueError("its trees do not lie one after the other")
        if self.features.min() < -1 or self.features.max() >= WIDTH:
            raise ValueError("a node asks for a feature that does not exist")
        ends = np.repeat([*self.roots[1:], count], np.diff([*self.roots, count]))
        inner = self.features >= 0
        for children in (self.lefts, self.rights):
            if not ((nodes < children) & (children < ends))[inner].all():
                raise ValueError("a node leads out of its tree, or back to a node before it")
        if not (np.isfinite(self.values).all() and np.isfinite([self.baseline, self.slope, self.intercept]).all()):
            raise ValueError("a value is not a finite number")

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability of each row; its columns are those that the trees were trained on.

        The probability of a row is the same to the last bit, with any other rows beside it. Raises ValueError for rows
        that have another number of columns.
        """
        if rows.ndim != 2 or rows.shape[1] != WIDTH:
            raise ValueError(f"a row has {WIDTH} features")
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
