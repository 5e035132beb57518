"""Model artifacts: writes a trained model as a skops file, reads it and refuses an unsuitable one.

skops stores scikit-learn's objects without pickle, so reading a file runs none of its content. The model's card lies
next to the file.
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
"""Types that skops does not trust by itself and that are harmless: plain columns of nodes."""

_SAME: Final = 0.001
"""Largest difference between a risk from the walked trees and scikit-learn's: the last of three decimals."""
LARGEST: Final = 256 << 20
"""Bytes of a model's parts when unpacked; Forewarn's own has 2 MB."""


class ArtifactError(ValueError):
    """A model cannot be used; the message names the file and says why and what to do."""


class OtherFeaturesError(ArtifactError):
    """A model was trained on other features than those of this program."""


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """A trained model, with its calibration and the data to check it."""

    estimator: Any
    """scikit-learn's `HistGradientBoostingClassifier`."""
    slope: float
    intercept: float
    """Calibration: the estimator's log-odds times ``slope`` plus ``intercept`` are the log-odds that were observed."""
    reference: Reference
    """The distributions of the features and of the risk in training."""
    probes: NDArray[np.float64]
    """Some rows of features, on which the walked trees are compared with scikit-learn."""

    @property
    def trees(self) -> Trees:
        """The estimator's trees as columns."""
        return trees_of(self.estimator, self.slope, self.intercept)

    @property
    def name(self) -> str:
        """The name of the model: ``trees@``, the version of the features, and a hash of the trees."""
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
        """The calibrated risk of each row as scikit-learn computes it."""
        log_odds = np.asarray(self.estimator.decision_function(rows))
        calibrated: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-(self.slope * log_odds + self.intercept)))
        return calibrated


def trees_of(estimator: Any, slope: float, intercept: float) -> Trees:
    """The trees of a `HistGradientBoostingClassifier` as columns; they have no categories and no missing values.

    Raises ValueError for nodes that lead nowhere, and for categories: scikit-learn follows both without looking.
    """
    trees = [one.nodes for (one,) in estimator._predictors]
    starts = np.cumsum([0, *map(len, trees)])
    shift = np.repeat(starts[:-1], [len(tree) for tree in trees])
    nodes = np.concatenate(trees)
    leaf = nodes["is_leaf"].astype(bool)
    if nodes["is_categorical"].any() or (nodes["feature_idx"][~leaf] < 0).any():
        raise ValueError("a node asks for a category, or for a feature that does not exist")
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
    """Write an artifact; the file gets its name only once it is complete. Raises OSError."""
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
    """Write a file; it gets its name only once it is complete. Raises OSError."""
    with _beside(path) as beside:
        beside.write_bytes(content)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A temporary file to fill, which is renamed to ``path`` at the end unless an error occurs."""
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
    """Read an artifact and compare its trees with scikit-learn.

    Raises `ArtifactError` when the file cannot be read, is no model or gives other results than scikit-learn, and
    `OtherFeaturesError` when it was trained on other features.
    """
    import skops.io as skops

    try:
        with zipfile.ZipFile(path) as parts:  # which unpacks no more of a part than it says here
            if sum(part.file_size for part in parts.infolist()) > LARGEST:
                raise ValueError(f"its parts unpack to more than {LARGEST >> 20} MB")
        content = skops.load(path, trusted=list(TRUSTED))
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}; train one with `forewarn train`.") from None
    except Exception as error:  # zipfile, json and skops raise many kinds, depending on the file
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
    except Exception as error:  # another version of scikit-learn may raise anything
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
