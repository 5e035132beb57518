"""Risk: from features to a number between 0 and 1, behind one interface.

`TrainedModel` comes from ``forewarn train`` and gives the calibrated probability that a subscriber is being defrauded.
`PointScore` is the transparent baseline: the points of the strongest contact plus those of its context, as
``policy.yaml`` defines them, divided by a hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul
from typing import Protocol

import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from models.detection.features import CONTACT_FEATURES, Features
from models.detection.trees import Trees
from models.policy.policy import Policy


class Model(Protocol):
    """Turns features into risks, a whole batch in one call."""

    name: str
    """Name and version, as alerts carry it."""

    def risk(self, moments: Sequence[Features], policy: Policy) -> list[float]:
        """The risk (0 to 1, three decimals) of each moment."""
        ...


class TrainedModel:
    """Boosted trees, calibrated so that the risk equals the share of such moments that turned out to be fraud."""

    def __init__(self, name: str, trees: Trees) -> None:
        self.name = name
        self._trees = trees

    def risk(self, moments: Sequence[Features], policy: Policy) -> list[float]:
        """The risk of each moment. It depends neither on the policy nor on the other moments of the batch."""
        if not moments:
            return []
        found: list[float] = self.of_rows(np.array([astuple(moment) for moment in moments])).tolist()
        return found

    def of_rows(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The risk of each row of features."""
        return np.round(self._trees.probabilities(rows), 3)


class PointScore:
    """Strongest contact plus context, in points out of a hundred; all points can be looked up in ``policy.yaml``."""

    name = "points@1"

    def risk(self, moments: Sequence[Features], policy: Policy) -> list[float]:
        """The risk of each moment: min(points, 100) / 100."""
        return [round(min(points(moment, policy), 100.0) / 100.0, 3) for moment in moments]


class AnyContact:
    """The plain rule, for comparison: every contact with a known indicator leads to an alert."""

    name = "any-contact@1"

    def risk(self, moments: Sequence[Features], policy: Policy) -> list[float]:
        """1 for every moment with a contact."""
        return [float(any(astuple(moment)[: len(CONTACT_FEATURES)])) for moment in moments]


def points(moment: Features, policy: Policy) -> float:
    """The points of one moment: those of the strongest contact plus those of its context; 0 without a contact.

    The fields of `ContactPoints` and `ContextPoints` are the first fields of `Features`, in the same order.
    """
    values = astuple(moment)
    strongest = max(map(mul, astuple(policy.contact), values))
    if not strongest:
        return 0.0
    added: float = sum(map(mul, astuple(policy.context), values[len(CONTACT_FEATURES) :]))
    return float(strongest) + added
