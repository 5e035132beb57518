"""The console's words, templates and colours: both languages say the same, and the colours have enough contrast."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from itertools import product
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest

from models.casework.cases import Deadline, Kind, Means, Outcome, State, Step
from models.casework.playbooks import Part, Playbook
from models.policy.policy import SEVERITIES
from models.policy.stages import STAGES
from streams.console.presenting import PARTS
from streams.console.rendering import STATIC, TEMPLATES
from streams.console.words import LANGUAGES, WORDS, said

ROOT = Path(__file__).parents[3]
STYLE = (STATIC / "console.css").read_text(encoding="utf-8")
SCRIPT = (STATIC / "console.js").read_text(encoding="utf-8")
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.iterdir())}
TABLES = ("words.py", "payment_words.py", "desk_words.py", "bulletin_words.py", "risk_words.py")
SOURCES = "".join(
    path.read_text(encoding="utf-8") for path in (ROOT / "streams").rglob("*.py") if path.name not in TABLES
)

GROUNDS = ("page", "panel")
"""The backgrounds of text whose own rule sets none."""
TEXT, EDGE = 4.5, 3.0
"""The least contrast of text, and of the parts that users must see to use a page (WCAG 2.2 AA, 1.4.3 and 1.4.11)."""


def slots(text: str) -> set[str]:
    """The names of the values that a text takes."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_the_same(key: str) -> None:
    zh, en = WORDS[key]

    assert zh
    assert en
    assert slots(zh) == slots(en)
    assert re.search(r"[一-鿿–]|^\{\w+\}", zh) or key == "language.en"
    assert not re.search(r"[一-鿿，。：]", en) or key == "language.zh"


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("severity", SEVERITIES),
        ("stage", STAGES),
        ("status", get_args(State)),
        ("deadline", get_args(Deadline)),
        ("means", get_args(Means)),
        ("outcome", get_args(Outcome)),
        ("step", {*get_args(Kind), *get_args(Step)} - {"attempt"}),
        ("part", {*PARTS}),
    ],
)
def test_every_word_of_the_contracts_has_one_of_the_console(kind: str, values: Any) -> None:
    assert {f"{kind}.{value}" for value in values} <= WORDS.keys()


def test_every_part_of_a_playbook_is_shown() -> None:
    assert {*PARTS} == {*get_args(Part)} == {*Playbook.__struct_fields__} - {"scam_type", "sources"}


def test_templates_use_words_that_there_are_and_no_others() -> None:
    used = {key for page in PAGES.values() for key in re.findall(r"""\b(?:t|word)\("([\w.-]+)"[,)]""", page)}

    assert used <= WORDS.keys()
    for page in PAGES.values():
        bare = re.sub(r"\{[{%#].*?[}%#]\}|<[^>]*>", "", page, flags=re.DOTALL)
        assert not re.search(r"[A-Za-z一-鿿]{2,}", bare), "a word that is not in the table"


def test_no_word_is_left_over() -> None:
    """The code uses a key literally, or composes it from its kind and a value."""
    everything = SOURCES + "".join(PAGES.values())
    kinds = set(re.findall(r"""["'](\w[\w.-]*\.)(?:\{|["'] ~)""", everything)) | {"step."}
    unused = {
        key
        for key in WORDS
        if f'"{key}"' not in everything
        and f"'{key}'" not in everything
        and not any(key.startswith(kind) for kind in kinds)
    }

    assert unused == set()


def test_a_word_with_nothing_to_put_in_is_an_error() -> None:
    with pytest.raises(KeyError):
        said("time.left", "en")
    with pytest.raises(KeyError):
        said("no such word", "en")


def test_nothing_is_written_into_a_page_that_its_policy_would_refuse() -> None:
    for page in PAGES.values():
        assert not re.search(r"<style|\bstyle=|\bon\w+=|<script(?![^>]*\bsrc=)|javascript:|\|\s*safe", page)
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", page)
    assert not re.search(r"url\(|@import|@font-face", STYLE)
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(|https?://", SCRIPT)


# Colours


def schemes() -> dict[str, dict[str, str]]:
    """The colours of both schemes by name. The dark scheme overrides the light one."""
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    colours = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in (light, dark)]
    return {"light": colours[0], "dark": colours[0] | colours[1]}


def rules() -> list[tuple[str, dict[str, str]]]:
    """Every style rule, with its declarations."""
    bare = re.sub(r"/\*.*?\*/", "", STYLE, flags=re.DOTALL)
    return [
        (" ".join(selector.split()), dict(re.findall(r"([\w-]+):\s*([^;]+);", block)))
        for selector, block in re.findall(r"([^{}]+)\{([^{}]*)\}", bare)
        if ":root" not in selector
    ]


def variable(value: str | None) -> str | None:
    """The name of the colour that a declaration uses."""
    found = re.search(r"var\(--([\w-]+)\)", value or "")
    return found[1] if found else None


def pairs() -> set[tuple[str, str, float]]:
    """Every pair of text or edge colour and background that the rules produce, with the contrast that it needs."""
    found = set()
    for _, declared in rules():
        ink, ground = variable(declared.get("color")), variable(declared.get("background"))
        if ink is not None:
            found |= {(ink, each, TEXT) for each in ([ground] if ground else GROUNDS)}
        if declared.get("outline") or declared.get("outline-color"):
            outline = variable(declared.get("outline") or declared["outline-color"])
            found |= {(outline, each, EDGE) for each in (["bar"] if outline == "bar-ink" else GROUNDS) if outline}
    found |= {("edge", each, EDGE) for each in GROUNDS}
    return found | {
        ("fill", "panel", EDGE),
        ("fill", "sunken", EDGE),
        ("alarm", "sunken", EDGE),
        ("quiet", "sunken", TEXT),
    }


def luminance(colour: str) -> float:
    """The relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_it_is_defined() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize(("scheme", "pair"), list(product(("light", "dark"), sorted(pairs()))))
def test_every_pair_of_colours_can_be_read(scheme: str, pair: tuple[str, str, float]) -> None:
    ink, ground, least = pair
    colours = schemes()[scheme]

    assert contrast(colours[ink], colours[ground]) >= least, f"{colours[ink]} on {colours[ground]}"


def test_colours_stand_in_the_schemes_alone_and_a_ground_comes_with_its_ink() -> None:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    assert not re.search(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(", STYLE.replace(light, "").replace(dark, ""))
    assert len(pairs()) > 20
    for selector, declared in rules():
        if variable(declared.get("background")):
            assert variable(declared.get("color")), selector


def test_the_wheel_has_the_templates_and_what_browsers_fetch(tmp_path: Path) -> None:
    """Built without a package index, from a copy of the files that setuptools reads."""
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["build-backend"].startswith(
        "setuptools"
    )
    source = tmp_path / "source"
    (source / "streams").mkdir(parents=True)
    for name in ("setup.cfg", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    for path in (ROOT / "streams" / "console").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = source / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    (source / "streams" / "__init__.py").touch()
    build = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=source, check=True, capture_output=True, text=True, timeout=60
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())

    for folder in (STATIC, TEMPLATES):
        assert {path.relative_to(ROOT).as_posix() for path in folder.iterdir()} <= packed


def test_there_are_two_languages() -> None:
    assert LANGUAGES == ("zh", "en")
