"""Artifacts: a stored model is the trained one, and an unusable file is refused by name."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

from models.detection.features import FEATURES_VERSION, Features
from models.detection.risk import PointScore, TrainedModel
from streams.files import artifacts, model_file
from streams.files.artifacts import ArtifactError, read, write
from tests.strategies import POLICY
from tests.training import artifact, samples


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """The file of a stored model."""
    write(artifact(), tmp_path / "models" / "risk.skops")
    return tmp_path / "models" / "risk.skops"


def changed(path: Path, **fields: Any) -> Path:
    """The same file with some fields replaced."""
    from streams.files.artifacts import TRUSTED

    content = skops.io.load(path, trusted=list(TRUSTED))
    skops.io.dump(content | fields, path)
    return path


def test_what_is_read_is_what_was_written(stored: Path) -> None:
    again = read(stored)
    rows = samples().columns()
    assert again.name == artifact().name
    assert (again.model.of_rows(rows) == artifact().model.of_rows(rows)).all()
    assert [path.name for path in stored.parent.iterdir()] == ["risk.skops"]  # no other file is left next to it


@pytest.mark.parametrize(
    ("field", "value"),
    [("left", 0), ("right", 2**31), ("feature_idx", 1000), ("feature_idx", -5), ("is_categorical", 1)],
)
def test_a_file_whose_nodes_lead_nowhere_is_refused(stored: Path, field: str, value: int) -> None:
    """Neither our walk nor scikit-learn's looks at an index before following it."""
    estimator = artifact().estimator
    crafted = pickle.loads(pickle.dumps(estimator))  # noqa: S301 - a deep copy with writable arrays
    crafted._predictors[-1][0].nodes[field][0] = value

    with pytest.raises(ArtifactError, match="a node"):
        read(changed(stored, estimator=crafted))


def test_a_file_whose_probes_have_too_few_columns_is_refused(stored: Path) -> None:
    with pytest.raises(ArtifactError, match="features"):
        read(changed(stored, probes=np.zeros((3, 1))))


def test_the_worker_reads_it_in_another_process_and_gets_the_same(stored: Path) -> None:
    model, reference = model_file.load(str(stored))
    assert isinstance(model, TrainedModel)
    assert model.name == artifact().name
    moments = [Features(*row) for row in samples(200, 5).rows]
    assert model.risk(moments, POLICY) == artifact().model.risk(moments, POLICY)
    assert reference is not None
    for name in (*Features.__struct_fields__, "risk"):
        assert (reference.edges[name] == artifact().reference.edges[name]).all()
        assert (reference.shares[name] == artifact().reference.shares[name]).all()


def test_what_was_read_once_is_kept_for_as_long_as_the_file_is_the_same(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = model_file.load(str(stored)).model
    monkeypatch.setattr(model_file, "_of_child", None)  # a second child process would fail
    again = model_file.load(str(stored)).model
    moments = [Features(*row) for row in samples(50, 6).rows]
    assert (again.name, again.risk(moments, POLICY)) == (first.name, first.risk(moments, POLICY))
    changed(stored, slope=2.0)
    with pytest.raises(TypeError):  # the file has changed and would be read again
        model_file.load(str(stored))


def test_points_are_asked_for_by_name() -> None:
    model, reference = model_file.load("points")
    assert isinstance(model, PointScore)
    assert reference is None


def test_the_one_that_comes_with_forewarn_can_be_used() -> None:
    model, reference = model_file.load("")
    assert model.name.startswith(f"trees@{FEATURES_VERSION}.")
    assert reference is not None
    assert model.name in model_file.OURS.with_suffix(".md").read_text()  # the card describes this model


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"version": 1}, f"version 1 of the features, and this is version {FEATURES_VERSION}"),
        ({"features": ["age", *Features.__struct_fields__[1:]]}, r"other features \(age, sms\)"),
        ({"features": [*reversed(Features.__struct_fields__)]}, "in another order"),
        ({"estimator": "none"}, "cannot be used with this scikit-learn"),
        ({"reference": {"edges": {}, "shares": {}}}, "cannot be used"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(stored: Path, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ArtifactError, match=said) as caught:
        read(changed(stored, **fields))
    assert str(stored) in str(caught.value)
    assert "train" in str(caught.value)
    if "version" in fields:  # in the worker, a child process reports this error
        with pytest.raises(ArtifactError, match=said):
            model_file.load(str(stored))


def test_a_file_whose_parts_unpack_to_more_than_a_model_can_have_is_refused(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a megabyte of zip can stand for half a gigabyte."""
    monkeypatch.setattr(artifacts, "LARGEST", 4 << 20)
    with zipfile.ZipFile(stored, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("more.npy", bytes(5 << 20))

    assert stored.stat().st_size < 1 << 20
    with pytest.raises(ArtifactError, match="its parts unpack to more than 4 MB"):
        read(stored)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "risk.skops"
    for content in (b"", b"PK\x03\x04 nonsense", b"\x00" * 1000):
        path.write_bytes(content)
        with pytest.raises(ArtifactError, match="is not a model"):
            read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", "[]")
    with pytest.raises(ArtifactError, match="is not a model"):
        read(path)
    with pytest.raises(ArtifactError, match=r"nowhere\.skops cannot be read: No such file"):
        read(tmp_path / "nowhere.skops")
    with pytest.raises(ArtifactError, match="is not a model"):
        model_file.load(str(path))


def test_a_file_with_a_stranger_in_it_is_refused(tmp_path: Path) -> None:
    """Skops loads only types that it knows to be harmless, and reading runs no code."""
    skops.io.dump({"features": np.random.default_rng}, tmp_path / "risk.skops")
    with pytest.raises(ArtifactError, match="is not a model"):
        read(tmp_path / "risk.skops")
