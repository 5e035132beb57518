"""Playbook files: reads Forewarn's own playbooks and those of a site, which replace them; mistakes come with a line."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from models.casework.playbooks import Playbook, PlaybookError
from models.casework.playbooks import parse as playbook_of
from models.indicators.indicator import SCAM_TYPES
from streams.files.yaml_lines import NotYamlError, line_of, read

OURS: Final = Path(str(files("models.casework.playbooks")))
"""The playbooks that come with Forewarn."""


class PlaybookFileError(ValueError):
    """Playbooks cannot be read; the message names the file and the line and says why."""


def read_playbooks(own: Path | None = None) -> dict[str, Playbook]:
    """All playbooks by scam type, in the order of `SCAM_TYPES`; raises `PlaybookFileError`.

    ``own`` is a site's folder: each of its files replaces Forewarn's playbook of the same scam type, or adds a type.
    """
    found = read_folder(OURS) | (read_folder(own) if own is not None else {})
    return {name: found[name] for name in sorted(found, key=_order)}


def read_folder(folder: Path) -> dict[str, Playbook]:
    """The playbooks of one folder by scam type; raises `PlaybookFileError`, also when the folder has none."""
    if not folder.is_dir():
        raise PlaybookFileError(f"{folder} is not a folder of playbooks.")
    try:
        # Files whose names begin with a dot belong to editors or file servers.
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        if wrong := next((path for path in paths if path.suffix.lower() in (".yml", ".yaml") and not _is(path)), None):
            raise PlaybookFileError(f"{wrong} would not be read: a playbook is a file that ends in .yaml.")
        found = {path.stem: parse(path.read_bytes(), str(path)) for path in paths if _is(path)}
    except OSError as error:
        raise PlaybookFileError(f"{error.filename} cannot be read: {error.strerror}.") from None
    if not found:
        raise PlaybookFileError(f"{folder} contains no playbook: a playbook is a file that ends in .yaml.")
    for path in paths:
        if _is(path) and found[path.stem].scam_type != path.stem:
            told = found[path.stem].scam_type
            raise PlaybookFileError(f"{path} is the playbook of {told}: name it {told}.yaml, or correct its scam_type.")
    return found


def parse(content: bytes, name: str) -> Playbook:
    r"""Read a playbook; ``name`` is the name of its file, for messages. Raises `PlaybookFileError`.

    >>> parse(b"scam_type: loan\nstory: long\n", "loan.yaml")
    Traceback (most recent call last):
        ...
    streams.files.playbook_files.PlaybookFileError: loan.yaml:2: Expected `array`, got `str` - at `$.story`
    """
    try:
        tree = read(content).tree
    except NotYamlError as error:
        raise PlaybookFileError(f"{name}:{error.line}: {error}") from None
    try:
        return playbook_of(content)
    except PlaybookError as error:
        raise PlaybookFileError(f"{name}:{line_of(tree, error.path)}: {error}") from None


def _is(path: Path) -> bool:
    return path.suffix == ".yaml"


def _order(scam_type: str) -> tuple[int, str]:
    """The sort key of a scam type: known types first, in the order of `SCAM_TYPES`, then a site's own by name."""
    known = list(SCAM_TYPES)
    return (known.index(scam_type) if scam_type in SCAM_TYPES else len(known), scam_type)
