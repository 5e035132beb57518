"""Scam scripts: reads and writes YAML files of scripts for the simulated city; each mistake is named with its line."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
import yaml

from models.city.scripts import Script, ScriptError, checked
from models.city.texts import TEXTS
from streams.files.yaml_lines import NotYamlError, line_of, read

OURS: Final = Path(str(files("models.city") / "scripts"))
"""The scripts that come with Forewarn."""


class ScriptFileError(ValueError):
    """Scripts cannot be read; the message names the file and the line and says why."""


def read_scripts(folder: Path) -> list[tuple[str, Script]]:
    """The scripts of a folder with their names, sorted by name; raises `ScriptFileError`, also when there is none."""
    if not folder.is_dir():
        raise ScriptFileError(f"{folder} is not a folder of scripts.")
    for other in sorted(folder.glob("*.yml")):
        raise ScriptFileError(f"{other} would not be played: let its name end in .yaml, or remove it.")
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise ScriptFileError(f"{folder} contains no script: a script is a file that ends in .yaml.")
    try:
        return [(path.stem, parse(path.read_bytes(), str(path))) for path in paths]
    except OSError as error:
        raise ScriptFileError(f"{error.filename} cannot be read: {error.strerror}.") from None


def write_scripts(scripts: Iterable[tuple[str, Script]], folder: Path) -> None:
    """Write scripts into a new folder, one file each, as `read_scripts` reads them; raises OSError."""
    folder.mkdir()
    for name, script in scripts:
        plain = msgspec.to_builtins(script)
        for step in plain["steps"]:
            for field in [field for field, value in step.items() if value in (None, False)]:
                del step[field]
        content = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=120, default_flow_style=None)
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")


def parse(content: bytes, name: str) -> Script:
    r"""Read a script; ``name`` is the name of its file, for messages. Raises `ScriptFileError`.

    >>> parse(b"scam_type: loan\ngangs: many\n", "loan.yaml")
    Traceback (most recent call last):
        ...
    streams.files.scam_scripts.ScriptFileError: loan.yaml:2: Expected `float`, got `str` - at `$.gangs`
    """
    try:
        tree, plain = read(content)
    except NotYamlError as error:
        raise ScriptFileError(f"{name}:{error.line}: {error}") from None
    try:
        script = checked(plain)
    except ScriptError as error:
        raise ScriptFileError(f"{name}:{line_of(tree, error.path)}: {error}") from None
    texts = {**script.texts, **TEXTS}
    for place, step in enumerate(script.steps):
        if step.text is not None and step.text not in texts:
            line = line_of(tree, f".steps[{place}].text")
            raise ScriptFileError(f"{name}:{line}: There is no text {step.text!r}: take one of {', '.join(texts)}.")
    return script
