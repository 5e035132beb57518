"""Drift: the population stability index of the features and the risk, and its metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from msgspec.structs import astuple

from models.detection.drift import RISK, Drift, Reference
from models.detection.episodes import Episode, Moment
from models.detection.features import Features
from models.detection.signals import Signal
from streams import metrics
from streams.worker.drift_watch import FEWEST, HALF_LIFE_S, DriftWatch
from tests.training import artifact, samples

NAMES = (*Features.__struct_fields__, RISK)


def index(drift: Drift, seed: int, factor: float = 1.0) -> dict[str, float]:
    """The index after some moments in which people talk ``factor`` times as long as in training."""
    rows = samples(2000, seed).columns()
    rows[:, NAMES.index("talk_minutes")] *= factor
    drift.take(rows, artifact().model.of_rows(rows).tolist())
    return drift.index()


def test_the_same_world_shows_no_drift() -> None:
    found = index(Drift(artifact().reference), 3)
    assert set(found) == set(NAMES)
    assert max(found.values()) < 0.1


def test_a_feature_that_moves_is_named() -> None:
    found = index(Drift(artifact().reference), 3, factor=4)
    assert found["talk_minutes"] > 0.25
    assert found["code"] < 0.1


def test_the_index_is_that_of_the_books() -> None:
    """(now - then) x ln(now / then), summed over the bins: 80 and 20 % then, 50 and 50 % now."""
    rows = np.zeros((100, len(NAMES) - 1))
    rows[80:, 0] = 1
    drift = Drift(Reference.of(rows, np.zeros(100)))
    rows[50:, 0] = 1
    drift.take(rows, [0.0] * 100)
    assert drift.index()["sms"] == pytest.approx(0.3 * math.log(0.5 / 0.2) - 0.3 * math.log(0.5 / 0.8), rel=1e-3)
    assert drift.index()["reply"] == pytest.approx(0)


def test_a_reference_comes_back_as_it_was_stored() -> None:
    again = Reference.of_plain(artifact().reference.plain())
    assert all((again.shares[name] == artifact().reference.shares[name]).all() for name in NAMES)
    with pytest.raises(ValueError, match="not those of the features"):
        Reference.of_plain({"edges": {}, "shares": {}})


def gauge(feature: str) -> float | None:
    """The value that Prometheus would read."""
    return metrics.REGISTRY.get_sample_value("forewarn_drift_psi", {"feature": feature})


def witnessed(drifting: DriftWatch, judged: Sequence[tuple[Features, float]]) -> None:
    """Show the watch one episode for each of these moments."""
    first = Signal(0, "fraud-number-sms", "e")
    for features, risk in judged:
        drifting.witness("1", Episode(first, [first]), [Moment(0, 1, (), features, "shallow")], [risk])


def test_it_is_told_once_there_is_enough_to_tell_and_forgets() -> None:
    metrics.DRIFT.clear()
    drifting = DriftWatch(artifact().reference)
    judged = [(Features(*row), 0.5) for row in samples(FEWEST + 10, 4).rows]
    witnessed(drifting, judged[: FEWEST - 10])
    drifting.tell(0)
    assert gauge(RISK) is None
    witnessed(drifting, judged[FEWEST - 10 :])
    drifting.tell(0)
    assert gauge(RISK) > 0.25  # type: ignore[operator]
    assert gauge("code") < 0.1  # type: ignore[operator]
    witnessed(drifting, [(Features(code=3.0), 0.5)] * 50)
    drifting.tell(20 * HALF_LIFE_S)  # only the new moments remain, and they are too few
    assert gauge("code") < 0.1  # type: ignore[operator]
    assert astuple(judged[0][0]) == samples(FEWEST + 10, 4).rows[0]


def test_points_have_no_training_to_drift_from() -> None:
    metrics.DRIFT.clear()
    drifting = DriftWatch(None)
    witnessed(drifting, [(Features(), 0.5)] * 1000)
    drifting.tell(1)
    assert gauge(RISK) is None
