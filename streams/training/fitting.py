"""Fitting: gradient-boosted trees under monotonic constraints, calibrated on people outside their training data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.detection.drift import Reference
from models.detection.features import MORE_IS_WORSE, Features
from models.detection.risk import TrainedModel
from streams.files.artifacts import Artifact, trees_of
from streams.training.samples import CALIBRATES, TESTS, Samples

PARAMETERS: Final[dict[str, Any]] = {
    "max_iter": 300,
    "max_leaf_nodes": 16,
    "learning_rate": 0.06,
    "min_samples_leaf": 40,
    "l2_regularization": 1.0,
    "early_stopping": False,
    "random_state": 0,
}
"""The parameters of the trees.

Half as many trees with half as many leaves reached an average precision of 0.908 where these reached 0.922 (four cities
of 100,000 people, before numbers in texts were read), but a moment then cost only about a third as much.
"""

LEAST: Final = 50
"""The fewest moments of fraud, and the fewest of no fraud, for training, for calibration and for testing."""

PROBES: Final = 512


class TrainingError(ValueError):
    """There is too little to train on; the message says in one sentence why and what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The moments for training, calibration and testing; moments of left-out scripts are in none of these."""

    trains: NDArray[np.bool_]
    calibrates: NDArray[np.bool_]
    tests: NDArray[np.bool_]
    unseen: NDArray[np.bool_]
    """The moments of people that a gang with a left-out script has tried."""


def split(samples: Samples, left_out: Collection[str]) -> Split:
    """Split by person, and also by scam: people that a left-out script's gang has tried are in no part."""
    parts = np.array(samples.parts)
    unseen = np.array([bool(scripts & set(left_out)) for scripts in samples.scripts], dtype=bool)
    return Split(
        ~unseen & (parts < CALIBRATES),
        ~unseen & (parts == CALIBRATES),
        ~unseen & (parts == TESTS),
        unseen,
    )


def fit(samples: Samples, by: Split) -> Artifact:
    """Train a model and calibrate it; the same samples make the same model. Raises `TrainingError`."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    labels = np.array(samples.labels, dtype=bool)
    _check(labels, by)
    rows, weights = samples.columns(), np.array(samples.weights)
    constraints = [int(name in MORE_IS_WORSE) for name in Features.__struct_fields__]
    estimator = HistGradientBoostingClassifier(monotonic_cst=constraints, **PARAMETERS)
    with threadpool_limits(1):  # with so few rows, more threads only wait for one another
        estimator.fit(rows[by.trains], labels[by.trains], sample_weight=weights[by.trains])
    log_odds = np.asarray(estimator.decision_function(rows[by.calibrates])).reshape(-1, 1)
    platt = LogisticRegression(C=1e6).fit(log_odds, labels[by.calibrates], sample_weight=weights[by.calibrates])
    slope, intercept = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    risks = TrainedModel("", trees_of(estimator, slope, intercept)).of_rows(rows[by.trains])
    return Artifact(estimator, slope, intercept, Reference.of(rows[by.trains], risks), _probes(rows[by.trains], risks))


def _probes(rows: NDArray[np.float64], risks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows spread evenly from the lowest risk to the highest."""
    order = np.argsort(risks, kind="stable")
    probes: NDArray[np.float64] = rows[order[np.linspace(0, len(rows) - 1, min(PROBES, len(rows))).astype(int)]]
    return probes


def _check(labels: NDArray[np.bool_], by: Split) -> None:
    parts: dict[str, Any] = {"train on": by.trains, "calibrate by": by.calibrates, "test with": by.tests}
    for what, part in parts.items():
        fraud, none = int(labels[part].sum()), int((~labels[part]).sum())
        if min(fraud, none) < LEAST:
            raise TrainingError(
                f"There are {fraud} moments of fraud and {none} of none to {what}, and {LEAST} of each are needed: "
                "give a larger city, or one more, or leave fewer scripts out."
            )
