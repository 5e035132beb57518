"""Extras: checks the packages that only some commands need, and says which extra installs them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final, Literal

import click

from streams.cli import InputError

CONSOLE: Final = ("argon2", "fastapi", "jinja2", "python_multipart", "uvicorn")
"""The modules that the extra ``console`` installs; ``local`` installs them too, since a local stack has a console.

A machine may have the other packages of ``local`` from elsewhere; `streams.local` says what is missing.
"""


def require(extra: Literal["console", "local"]) -> None:
    """Refuse the running command unless the console's packages are installed; ``extra`` is the extra to install."""
    if any(find_spec(module) is None for module in CONSOLE):
        command = click.get_current_context().command_path.partition(" ")[2]
        raise InputError(f"{command} needs the extra \"{extra}\": run pip install 'forewarn[{extra}]'")
