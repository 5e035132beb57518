"""Drift: how far the moments of today differ from those of training, for each feature and for the risk.

The population stability index compares two distributions over the same bins: the sum of (now - then) x ln(now / then).
Below 0.1 nothing has changed; above 0.25 the model sees data that it was not trained on (Siddiqi, Credit Risk
Scorecards, 2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.detection.features import Features

BINS: Final = 10
RISK: Final = "risk"
_LEAST: Final = 1e-4
"""The share of an empty bin, so that its logarithm is defined."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The bins of each feature and of the risk: all upper edges but the last, and each bin's share of training."""

    edges: dict[str, NDArray[np.float64]]
    shares: dict[str, NDArray[np.float64]]

    @classmethod
    def of(cls, rows: NDArray[np.float64], risks: NDArray[np.float64]) -> Reference:
        """The reference for the moments of training, from their features and risks."""
        columns = {**dict(zip(Features.__struct_fields__, rows.T, strict=True)), RISK: risks}
        edges = {name: _edges(values) for name, values in columns.items()}
        return cls(edges, {name: _shares(values, edges[name]) for name, values in columns.items()})

    def plain(self) -> dict[str, Any]:
        """The reference in its stored form."""
        return {"edges": self.edges, "shares": self.shares}

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> Reference:
        """The reference from its stored form; raises KeyError, TypeError or ValueError when that is malformed."""
        read = {part: {name: np.asarray(plain[part][name], float) for name in plain[part]} for part in plain}
        names = {*Features.__struct_fields__, RISK}
        if set(read["edges"]) != names or set(read["shares"]) != names:
            raise ValueError("the distributions of training are not those of the features")
        return cls(read["edges"], read["shares"])


class Drift:
    """Counts moments in the bins of training and measures how far their distribution has moved."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._counts = {name: np.zeros(len(shares)) for name, shares in reference.shares.items()}
        self.moments = 0.0

    def take(self, rows: NDArray[np.float64], risks: Sequence[float]) -> None:
        """Count moments, from their features and risks."""
        for name, values in zip((*Features.__struct_fields__, RISK), (*rows.T, np.asarray(risks)), strict=True):
            counts = self._counts[name]
            counts += np.bincount(np.searchsorted(self._reference.edges[name], values), minlength=len(counts))
        self.moments += len(rows)

    def fade(self, share: float) -> None:
        """Keep this share of the counts, so that the index reflects recent moments."""
        for counts in self._counts.values():
            counts *= share
        self.moments *= share

    def index(self) -> dict[str, float]:
        """The population stability index of each feature and of the risk; empty when nothing was counted."""
        if not self.moments:
            return {}
        return {
            name: _psi(counts / counts.sum(), self._reference.shares[name]) for name, counts in self._counts.items()
        }


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1], method="lower"))
    return found


def _shares(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    counts = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1)
    found: NDArray[np.float64] = counts / len(values)
    return found


def _psi(now: NDArray[np.float64], then: NDArray[np.float64]) -> float:
    now, then = np.maximum(now, _LEAST), np.maximum(then, _LEAST)
    return float(((now - then) * np.log(now / then)).sum())
