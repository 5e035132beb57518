"""Installing: an environment far from the checkout, with Forewarn's wheel and only the packages of the base install."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement

from tests.site import ROOT

SOURCES = (
    *("LICENSE", "README.md", "pyproject.toml", "setup.cfg", "policy.yaml", "stations.yaml", "topics.yaml"),
    *("examples", "models", "schemas", "streams"),
)
"""The files and folders that a build reads."""


@dataclass(frozen=True, slots=True)
class Distributions:
    """The files that are shipped, and the wheel that a recipient builds from the sdist."""

    wheel: Path
    sdist: Path
    wheel_of_sdist: Path


@dataclass(frozen=True, slots=True)
class Installation:
    """A virtual environment, and the working folder of its commands."""

    prefix: Path
    packages: Path
    folder: Path

    @property
    def forewarn(self) -> Path:
        """The installed command."""
        return self.prefix / "bin" / "forewarn"

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in a folder without any of Forewarn's files."""
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [str(self.prefix / "bin" / command[0]), *command[1:]],
            cwd=self.folder,
            env=inherited | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


def built(folder: Path) -> Distributions:
    """Build everything from a copy of the checkout, so that no stale files get into the build."""
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    _build(source, folder / "direct", "--wheel")
    _build(source, folder / "shipped")
    (wheel,) = (folder / "direct").glob("*.whl")
    (sdist,) = (folder / "shipped").glob("*.tar.gz")
    (wheel_of_sdist,) = (folder / "shipped").glob("*.whl")
    return Distributions(wheel, sdist, wheel_of_sdist)


def _build(source: Path, out: Path, *options: str) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", str(out), str(source)]
    subprocess.run(command, cwd=source, capture_output=True, check=True, timeout=300)


def installed(wheel: Path, folder: Path) -> Installation:
    """Install a wheel; the packages of its base are linked from this Python, and nothing else is there."""
    prefix, empty = folder / "environment", folder / "empty"
    empty.mkdir()
    venv.create(prefix, symlinks=True)
    (packages,) = prefix.glob("lib/python*/site-packages")
    options = ("--no-deps", "--no-index", "--no-compile", "--quiet", "--disable-pip-version-check")
    pip = [sys.executable, "-m", "pip", "--python", str(prefix / "bin" / "python"), "install", *options, str(wheel)]
    subprocess.run(pip, cwd=empty, capture_output=True, check=True, timeout=300)
    (forewarn,) = distributions(name="forewarn", path=[str(packages)])
    for needed in _closure(forewarn.requires or ()):
        for name in {file.parts[0] for file in needed.files or ()} - {"..", "__pycache__"}:
            if not (packages / name).exists():  # packages may share a folder, as those of opentelemetry do
                (packages / name).symlink_to(Path(str(needed.locate_file(name))))
    return Installation(prefix, packages, empty)


def _closure(requirements: Iterable[str]) -> Iterator[Distribution]:
    """The distributions that the requirements need without an extra, and recursively those that they need."""
    waiting = [(Requirement(text), "") for text in requirements]
    seen: set[tuple[str, str]] = set()
    while waiting:
        wanted, of_extra = waiting.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": of_extra}):
            continue
        found = distribution(wanted.name)
        for extra in ("", *wanted.extras):
            if (found.name, extra) not in seen:
                seen.add((found.name, extra))
                waiting += [(Requirement(text), extra) for text in found.requires or ()]
                yield found
