"""The page about the architecture: its picture shows the packages that exist, and its names can be imported."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PICTURE = (ROOT / "docs" / "images" / "architecture.svg").read_text(encoding="utf-8")
SHOWN = set(re.findall(r'data-package="([^"]+)"', PICTURE))
PACKAGES = {
    path.parent.relative_to(ROOT).as_posix()
    for half in ("models", "streams")
    for path in (ROOT / half).glob("*/__init__.py")
}
NAMES = sorted(set(re.findall(r"`((?:models|streams)(?:\.\w+)+)`", PAGE)))


def test_every_package_has_a_box_in_the_picture_and_every_box_is_a_package() -> None:
    assert SHOWN == PACKAGES


@pytest.mark.parametrize("name", NAMES)
def test_every_name_on_the_page_can_be_imported(name: str) -> None:
    parts = name.split(".")
    modules = [parts[:length] for length in range(len(parts), 0, -1)]
    module = next(
        some for some in modules if (ROOT.joinpath(*some)).is_dir() or ROOT.joinpath(*some).with_suffix(".py").is_file()
    )
    found: object = importlib.import_module(".".join(module))
    for attribute in parts[len(module) :]:
        found = getattr(found, attribute)
