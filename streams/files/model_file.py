"""Model file: reads the trained model of a worker, in a process of its own.

Reading needs scikit-learn, which would take 145 MB of every worker's memory for good and is not needed afterwards. A
child process (``python -m streams.files.model_file FILE``) reads and checks the file and returns plain columns. They
are cached next to the compiled code, so that a restarted worker has them at once.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from models.detection.drift import Reference
from models.detection.features import FEATURES_VERSION, Features
from models.detection.risk import Model, PointScore, TrainedModel
from models.detection.trees import Trees
from streams.files.artifacts import ArtifactError, write_bytes

OURS: Final = Path(str(files("models"))) / "artifacts" / "risk.skops"
"""The model that comes with Forewarn."""

POINTS: Final = "points"
"""The value of the setting that selects the points of the policy instead of a trained model."""

_REFUSED: Final = 2


class Loaded(NamedTuple):
    """A model and, if it was trained, the distributions of its training."""

    model: Model
    reference: Reference | None


def load(name: str) -> Loaded:
    """The model that a setting names: ``points``, a file, or an empty text for the one that comes with Forewarn.

    Raises `ArtifactError` when the model cannot be used. It may run in any thread: several callers at once may read
    and write the cache, because a file there gets its name only once it is complete.
    """
    if name == POINTS:
        return Loaded(PointScore(), None)
    path = Path(name) if name else OURS
    kept = _kept(path)
    if kept is None or not kept.exists():
        plain = _of_child(path)
        if kept is not None:
            with suppress(OSError):  # this process may not write to the folder
                write_bytes(kept, plain)
    else:
        plain = kept.read_bytes()
    with np.load(io.BytesIO(plain), allow_pickle=False) as columns:
        return _unpacked(dict(columns))


def _kept(path: Path) -> Path | None:
    """The cache file for the columns of a model file; its name is a hash of all that they depend on.

    None when the model file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError:
        return None
    features = f"{FEATURES_VERSION} {Features.__struct_fields__} {version('scikit-learn')} {version('skops')}"
    name = hashlib.sha256(features.encode() + content).hexdigest()[:32]
    return Path(__file__).parent / "__pycache__" / f"model-{name}.npz"


def _of_child(path: Path) -> bytes:
    child = subprocess.run([sys.executable, "-m", __name__, str(path)], capture_output=True, check=False)
    if child.returncode:
        said = child.stderr.decode(errors="replace").strip().splitlines()
        if child.returncode == _REFUSED and said:
            raise ArtifactError(said[-1])
        raise ArtifactError(f"{path} could not be read: {said[-1] if said else f'exit status {child.returncode}'}.")
    return child.stdout


def _packed(path: Path) -> dict[str, Any]:
    from streams.files.artifacts import read

    artifact = read(path)
    columns = {f"trees.{field.name}": getattr(artifact.trees, field.name) for field in dataclasses.fields(Trees)}
    for part, by_name in artifact.reference.plain().items():
        columns |= {f"{part}.{feature}": values for feature, values in by_name.items()}
    return columns | {"name": np.array(artifact.name)}


def _unpacked(plain: dict[str, Any]) -> Loaded:
    def of(part: str) -> dict[str, Any]:
        return {key.removeprefix(part): plain[key] for key in plain if key.startswith(part)}

    trees: dict[str, Any] = {name: value if value.ndim else float(value) for name, value in of("trees.").items()}
    reference = Reference(of("edges."), of("shares."))
    return Loaded(TrainedModel(str(plain["name"]), Trees(**trees)), reference)


def _child(path: Path) -> int:
    from streams.files.artifacts import ArtifactError as Refused  # this module is called __main__ here

    try:
        columns = _packed(path)
    except Refused as error:
        print(error, file=sys.stderr)
        return _REFUSED
    np.savez(sys.stdout.buffer, **columns)
    return 0


if __name__ == "__main__":
    sys.exit(_child(Path(sys.argv[1])))
