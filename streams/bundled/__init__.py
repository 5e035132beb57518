"""Bundled files: the files that Forewarn needs besides its code, found through the package wherever it is installed.

Each is a link to the file of the same name at the top of the repository, which is its only source. A build follows the
links, so a wheel contains the files themselves (docs/decisions/0013-bundled-files.md).
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def bundled(name: str) -> Path:
    """The path of the bundled file with this name, for example ``policy.yaml`` or ``examples/calls.jsonl``."""
    return Path(str(files(__name__))) / name
