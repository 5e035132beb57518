"""The locks in requirements/: they contain what setup.cfg requires, with hashes, and name no package index."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "requirements"
LOCKS = {"image": "console", "local": "local", "test": "test"}
"""The extra of each lock."""


def locked(name: str) -> dict[str, set[Version]]:
    """The versions in a lock, by package. Some packages have one for older Pythons and one for newer."""
    found: dict[str, set[Version]] = {}
    for package, version in re.findall(r"^([\w.-]+)==(\S+)", (FOLDER / f"{name}.txt").read_text(), re.MULTILINE):
        found.setdefault(canonicalize_name(package), set()).add(Version(version))
    return found


def asked_for(extra: str) -> list[Requirement]:
    """The requirements of an extra in setup.cfg; with an empty name, those of the base alone."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    base, more = config["options"]["install_requires"], config["options.extras_require"].get(extra, "")
    return [Requirement(line) for line in f"{base}\n{more}".splitlines() if line]


@pytest.mark.parametrize(("lock", "extra"), LOCKS.items())
def test_a_lock_holds_what_setup_cfg_asks_for(lock: str, extra: str) -> None:
    """If it does not, run: make lock."""
    versions = locked(lock)

    for wanted in asked_for(extra):
        found = versions.get(canonicalize_name(wanted.name), set())
        assert found, wanted
        assert all(version in wanted.specifier for version in found), (wanted, found)


@pytest.mark.parametrize("lock", ["build", "image", "local"])
def test_what_is_installed_elsewhere_is_what_is_tested(lock: str) -> None:
    """The only exception is uv, which installs the tests' packages."""
    tested = locked("test")

    assert {name: found for name, found in locked(lock).items() if name != "uv" and found != tested.get(name)} == {}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_every_package_has_a_hash_and_no_place_is_named(path: Path) -> None:
    """Any index can be used, on any machine."""
    text = path.read_text(encoding="utf-8")

    blocks = re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]
    assert blocks
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"://|--index|--find-links|^\s*# .* /", text, re.MULTILINE)
