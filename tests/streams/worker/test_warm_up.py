"""The warm-up: the hot path runs once before a worker takes records, and its result must be right."""

from __future__ import annotations

import pytest

from models.detection.engine import Engine, StepResult
from models.detection.risk import PointScore
from streams.worker.warm_up import WarmUpError, warm_up
from tests.strategies import POLICY


def test_the_hot_path_does_what_it_must() -> None:
    warm_up(POLICY, PointScore())


def test_a_machine_on_which_it_does_not_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "step", lambda *arguments: StepResult())

    with pytest.raises(WarmUpError, match=r"Delete the \*\.nbc files"):
        warm_up(POLICY, PointScore())
