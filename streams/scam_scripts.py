"""Scam scripts: YAML files of scripts for the simulated city, read with the line of whatever is wrong."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from models.city.scripts import Script, ScriptError, checked
from models.city.texts import TEXTS

OURS: Final = Path(str(files("models.city") / "scripts"))
"""The scripts that come with Forewarn."""


_SOME_KEY: Final = "[*]"
"""The key of a mapping in the path of what is wrong; msgspec does not say which, and writes ``[...]``."""


class ScriptFileError(ValueError):
    """Scripts cannot be read; the message says which file and line, and why."""


def read_scripts(folder: Path) -> list[tuple[str, Script]]:
    """The scripts of a folder by name, in the order of their names; raises `ScriptFileError`."""
    if not folder.is_dir():
        raise ScriptFileError(f"{folder} is no folder of scripts.")
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise ScriptFileError(f"{folder} holds no script: a script is a file that ends in .yaml.")
    try:
        return [(path.stem, parse(path.read_bytes(), str(path))) for path in paths]
    except OSError as error:
        raise ScriptFileError(f"{error.filename} cannot be read: {error.strerror}.") from None


def parse(content: bytes, name: str) -> Script:
    r"""Read a script; ``name`` is its file's, for messages. Raises `ScriptFileError`.

    >>> parse(b"scam_type: loan\ngangs: many\n", "loan.yaml")
    Traceback (most recent call last):
        ...
    streams.scam_scripts.ScriptFileError: loan.yaml:2: Expected `float`, got `str` - at `$.gangs`
    """
    try:
        tree = yaml.compose(content, Loader=yaml.SafeLoader)
        plain = yaml.safe_load(content)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise ScriptFileError(f"{name}:{line}: This is not YAML: {error.problem}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ScriptFileError(f"{name}:1: This is not YAML: {' '.join(str(error).split())}.") from None
    try:
        script = checked(plain)
    except ScriptError as error:
        raise ScriptFileError(f"{name}:{_line(tree, error.path)}: {error}") from None
    for place, step in enumerate(script.steps):
        if step.text is not None and step.text not in TEXTS:
            line = _line(tree, f".steps[{place}].text")
            raise ScriptFileError(f"{name}:{line}: There is no text {step.text!r}: take one of {', '.join(TEXTS)}.")
    return script


def _line(tree: Any, path: str) -> int:
    """The line on which a field stands; that of what would hold it when it is missing."""
    node, line = tree, 1
    for part in path.replace("[...]", _SOME_KEY).replace("[", ".[").split("."):
        if isinstance(node, yaml.MappingNode):
            found = [pair for pair in node.value if part in (pair[0].value, _SOME_KEY)]
            if len(found) == 1:
                line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and part[1:-1].isdigit() and int(part[1:-1]) < len(node.value):
            node = node.value[int(part[1:-1])]
            line = node.start_mark.line + 1
    return line
