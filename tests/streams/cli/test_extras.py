"""Commands whose extra is not installed: each names the extra that it needs."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from streams.cli import cli
from streams.cli.extras import CONSOLE
from tests.test_requirements import asked_for

MODULES = {"argon2-cffi": "argon2", "python-multipart": "python_multipart"}
"""Modules whose name differs from the name of their distribution."""


@pytest.mark.parametrize(
    ("command", "extra"), [("console", "console"), ("users list", "console"), ("up", "local"), ("demo", "local")]
)
def test_a_command_names_the_extra_that_it_lacks(command: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence, and with the exit status of a command that cannot run."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)

    result = CliRunner().invoke(cli, command.split(), prog_name="forewarn")

    assert result.stderr == f"forewarn: {command} needs the extra \"{extra}\": run pip install 'forewarn[{extra}]'\n"
    assert (result.exit_code, result.stdout) == (2, "")


def test_the_modules_that_are_looked_for_are_those_of_the_extra() -> None:
    """A missing package of the console's extra must be noticed at the start, not when it is first used."""
    brought = {wanted.name for wanted in asked_for("console")[len(asked_for("")) :]}

    assert {MODULES.get(name, name) for name in brought} == set(CONSOLE)
