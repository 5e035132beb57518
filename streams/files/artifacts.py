"""Model artifacts: a trained model as a skops file, and how one is read and refused.

skops stores scikit-learn's objects without pickle: reading a file runs none of its content. Beside it lies its card.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.detection.drift import Reference
from models.detection.features import FEATURES_VERSION, Features
from models.detection.risk import TrainedModel
from models.detection.trees import Trees

TRUSTED: Final = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)
"""What skops does not know to be harmless by itself: plain columns of nodes."""

_SAME: Final = 0.001
"""The walked trees may differ from scikit-learn's word by the last of three decimals, no more."""


class ArtifactError(ValueError):
    """A model cannot be used; one sentence with the file, why, and what to do."""


class OtherFeaturesError(ArtifactError):
    """It was trained on other features than these."""


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """A trained model with what is needed to use and to judge it."""

    estimator: Any
    """scikit-learn's `HistGradientBoostingClassifier`."""
    slope: float
    intercept: float
    """Its log-odds times the slope plus the intercept are those that were seen."""
    reference: Reference
    """How the features and the risk were distributed in training."""
    probes: NDArray[np.float64]
    """Some rows of features, by which the walked trees are compared with scikit-learn."""

    @property
    def trees(self) -> Trees:
        """The estimator's trees as columns."""
        return trees_of(self.estimator, self.slope, self.intercept)

    @property
    def name(self) -> str:
        """``trees@``, the version of the features, and a hash of the trees."""
        trees = self.trees
        digest = hashlib.sha256(
            b"".join(column.tobytes() for column in (trees.features, trees.thresholds, trees.values))
            + np.array([trees.baseline, trees.slope, trees.intercept]).tobytes()
        )
        return f"trees@{FEATURES_VERSION}.{digest.hexdigest()[:8]}"

    @property
    def model(self) -> TrainedModel:
        """The model as the engine uses it."""
        return TrainedModel(self.name, self.trees)

    def of_sklearn(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """What scikit-learn says of rows, calibrated."""
        log_odds = np.asarray(self.estimator.decision_function(rows))
        calibrated: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-(self.slope * log_odds + self.intercept)))
        return calibrated


def trees_of(estimator: Any, slope: float, intercept: float) -> Trees:
    """The trees of a `HistGradientBoostingClassifier` as columns. They have no categories and no missing values."""
    trees = [one.nodes for (one,) in estimator._predictors]
    starts = np.cumsum([0, *map(len, trees)])
    shift = np.repeat(starts[:-1], [len(tree) for tree in trees])
    nodes = np.concatenate(trees)
    leaf = nodes["is_leaf"].astype(bool)
    return Trees(
        starts[:-1].astype(np.int64),
        np.where(leaf, -1, nodes["feature_idx"]).astype(np.int64),
        nodes["num_threshold"].astype(np.float64),
        nodes["left"].astype(np.int64) + shift,
        nodes["right"].astype(np.int64) + shift,
        nodes["value"].astype(np.float64),
        float(np.ravel(estimator._baseline_prediction)[0]),
        slope,
        intercept,
    )


def write(artifact: Artifact, path: Path) -> None:
    """Write an artifact under its name once it is whole; raises OSError."""
    import skops.io as skops

    content = {
        "features": list(Features.__struct_fields__),
        "version": FEATURES_VERSION,
        "estimator": artifact.estimator,
        "slope": artifact.slope,
        "intercept": artifact.intercept,
        "reference": artifact.reference.plain(),
        "probes": artifact.probes,
    }
    with _beside(path) as beside:
        skops.dump(content, beside, compression=zipfile.ZIP_DEFLATED, compresslevel=9)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under its name once it is whole; raises OSError."""
    with _beside(path) as beside:
        beside.write_bytes(content)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A file to be filled that takes the name when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    beside = Path(name)
    try:
        yield beside
        beside.chmod(0o644)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read(path: Path) -> Artifact:
    """Read an artifact; raises `ArtifactError` when it is none, or was trained on other features than these."""
    import skops.io as skops

    try:
        content = skops.load(path, trusted=list(TRUSTED))
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}; train one with `forewarn train`.") from None
    except Exception as error:  # zipfile's, json's and skops' own, whatever lies in the file
        said = " ".join(str(error).split())[:200]
        raise ArtifactError(f"{path} is not a model ({said}); train one with `forewarn train`.") from None
    if not isinstance(content, dict) or "features" not in content or "version" not in content:
        raise ArtifactError(f"{path} is not a model of Forewarn; train one with `forewarn train`.")
    _check_features(path, content["version"], content["features"])
    try:
        artifact = Artifact(
            content["estimator"],
            float(content["slope"]),
            float(content["intercept"]),
            Reference.of_plain(content["reference"]),
            np.asarray(content["probes"], dtype=np.float64),
        )
        far = np.abs(artifact.trees.probabilities(artifact.probes) - artifact.of_sklearn(artifact.probes)).max()
    except Exception as error:  # of whatever another version of scikit-learn makes of it
        raise ArtifactError(
            f"{path} cannot be used with this scikit-learn ({type(error).__name__}: {error}); train it again with "
            "`forewarn train`."
        ) from None
    if not far <= _SAME:
        raise ArtifactError(f"{path} gives other results than scikit-learn ({far:.3f} apart); train it again.")
    return artifact


def _check_features(path: Path, version: object, features: object) -> None:
    ours = list(Features.__struct_fields__)
    if version == FEATURES_VERSION and features == ours:
        return
    if version != FEATURES_VERSION:
        what = f"version {version} of the features, and this is version {FEATURES_VERSION}"
    else:
        theirs = features if isinstance(features, list) else []
        other = sorted(set(ours) ^ set(map(str, theirs)))
        what = f"other features ({', '.join(other) or 'in another order'})"
    raise OtherFeaturesError(f"{path} was trained on {what}; train it again with `forewarn train`.")
