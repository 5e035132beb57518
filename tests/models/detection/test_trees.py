"""Trees: the machine code gives the same results as scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.detection.features import MORE_IS_WORSE, Features
from tests.strategies import POLICY
from tests.training import artifact

NUMBERS = st.floats(0, 120)
FEATURES = st.builds(Features, **dict.fromkeys(Features.__struct_fields__, NUMBERS))


WIDTH = len(Features.__struct_fields__)


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
