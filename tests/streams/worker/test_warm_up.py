"""The warm-up: the hot path runs once before a worker takes records, and its result must be right."""

from __future__ import annotations

import subprocess
import sys

import pytest

from models.detection.engine import Engine, StepResult
from models.detection.risk import PointScore
from streams.worker.warm_up import WarmUpError, warm_up
from tests.strategies import POLICY

START = """
import streams.worker.service, sys
from models.detection.risk import PointScore
from streams.files import policy_file
from streams.settings import Settings
streams.worker.service.warm_up(policy_file.load(Settings().policy_file), PointScore())
print(*sys.modules)
"""


def test_the_hot_path_does_what_it_must() -> None:
    warm_up(POLICY, PointScore())


def test_a_machine_on_which_it_does_not_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "step", lambda *arguments: StepResult())

    with pytest.raises(WarmUpError, match=r"Delete the \*\.nbc files"):
        warm_up(POLICY, PointScore())


def test_a_start_loads_nothing_of_training_and_offline_checks() -> None:
    """Each of these would take a tenth of a start or more."""
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)

    loaded = set(done.stdout.split())
    assert "numba.np.arraymath" in loaded
    assert not {"sklearn", "scipy.linalg", "skops", "jsonschema"} & loaded
