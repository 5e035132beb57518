"""Risk: from features to a number between 0 and 1, behind one interface.

`PointScore` is the transparent baseline: the points of the strongest contact plus those of its context, as
``policy.yaml`` gives them, by a hundred. A trained model takes its place behind the same `Model`.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul
from typing import Protocol

from msgspec.structs import astuple

from models.features import CONTACT_FEATURES, Features
from models.policy import Policy


class Model(Protocol):
    """Turns features into risk, a whole batch in one call."""

    name: str
    """Name and version, as alerts carry it."""

    def risk(self, moments: Sequence[Features], policy: Policy) -> list[float]:
        """The risk (0 to 1, three decimals) of each moment."""
        ...


class PointScore:
    """Strongest contact plus context, in points of a hundred; each point can be read in ``policy.yaml``."""

    name = "points@1"

    def risk(self, moments: Sequence[Features], policy: Policy) -> list[float]:
        """The risk of each moment: min(points, 100) / 100."""
        return [round(min(points(moment, policy), 100.0) / 100.0, 3) for moment in moments]


def points(moment: Features, policy: Policy) -> float:
    """The points of one moment: the strongest contact's, plus what its context adds. No contact, no points.

    The fields of `ContactPoints` and `ContextPoints` are those of `Features`, in one order.
    """
    values = astuple(moment)
    strongest = max(map(mul, astuple(policy.contact), values))
    if not strongest:
        return 0.0
    added: float = sum(map(mul, astuple(policy.context), values[len(CONTACT_FEATURES) :]))
    return float(strongest) + added
