"""Trees: the machine code gives the same results as scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.detection.features import MORE_IS_WORSE, Features
from models.detection.trees import WIDTH, Trees
from tests.strategies import POLICY
from tests.training import artifact

NUMBERS = st.floats(0, 120)
FEATURES = st.builds(Features, **dict.fromkeys(Features.__struct_fields__, NUMBERS))


@given(st.lists(st.lists(NUMBERS, min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=20))
def test_they_say_what_scikit_learn_says(rows: list[list[float]]) -> None:
    matrix = np.array(rows)
    assert artifact().trees.probabilities(matrix) == pytest.approx(artifact().of_sklearn(matrix), abs=1e-9)


@given(st.lists(FEATURES, min_size=1, max_size=20))
def test_a_moment_has_its_risk_in_whatever_company(moments: list[Features]) -> None:
    model = artifact().model
    assert model.risk(moments, POLICY) == [model.risk([moment], POLICY)[0] for moment in moments]


@given(FEATURES, st.sampled_from(sorted(MORE_IS_WORSE)), NUMBERS)
def test_more_of_what_is_worse_never_lowers_the_risk(moment: Features, name: str, more: float) -> None:
    worse = replace(moment, **{name: getattr(moment, name) + more})
    less, greater = artifact().model.risk([moment, worse], POLICY)
    assert 0 <= less <= greater <= 1


def test_of_nothing_nothing_is_said() -> None:
    assert artifact().model.risk([], POLICY) == []


def nodes(**columns: Sequence[float]) -> Trees:
    """Two trees of one inner node and two leaves each, with some columns replaced."""
    given: dict[str, Sequence[float]] = {
        "roots": [0, 3],
        "features": [0, -1, -1, 1, -1, -1],
        "thresholds": [1, 0, 0, 1, 0, 0],
        "lefts": [1, 0, 0, 4, 0, 0],
        "rights": [2, 0, 0, 5, 0, 0],
        "values": [0, -1, 1, 0, -1, 1],
    } | columns
    kinds = {"thresholds": np.float64, "values": np.float64}
    made: dict[str, Any] = {name: np.array(column, dtype=kinds.get(name, np.int64)) for name, column in given.items()}
    return Trees(**made, baseline=0.0, slope=1.0, intercept=0.0)


def test_sound_nodes_are_walked() -> None:
    (risk,) = nodes().probabilities(np.full((1, WIDTH), 9.0)).tolist()

    assert risk == pytest.approx(0.88, abs=0.01)


@pytest.mark.parametrize(
    "columns",
    [
        {"lefts": [0, 0, 0, 4, 0, 0]},
        {"lefts": [1, 0, 0, 3, 0, 0]},
        {"rights": [2, 0, 0, 1, 0, 0]},
        {"lefts": [-1, 0, 0, 4, 0, 0]},
        {"rights": [2, 0, 0, 6, 0, 0]},
        {"rights": [4, 0, 0, 5, 0, 0]},
        {"lefts": [1, 0, 0, 2**62, 0, 0]},
        {"features": [WIDTH, -1, -1, 1, -1, -1]},
        {"features": [-2, -1, -1, 1, -1, -1]},
        {"roots": [0, 6]},
        {"roots": [3, 0]},
        {"roots": [-1, 3]},
        {"roots": []},
        {"values": [0, -1, 1, 0, -1]},
        {"values": [0, -1, float("nan"), 0, -1, 1]},
    ],
    ids=str,
)
def test_nodes_that_lead_nowhere_or_in_a_circle_are_refused(columns: dict[str, Sequence[float]]) -> None:
    """The walk would read past its arrays, or never end; a crafted file could say anything."""
    with pytest.raises(ValueError, match=r"tree|node|nodes|finite"):
        nodes(**columns)


@pytest.mark.parametrize("shape", [(1, WIDTH - 1), (1, 0), (1, WIDTH + 1), (WIDTH,)])
def test_rows_of_another_width_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="features"):
        nodes().probabilities(np.zeros(shape))
