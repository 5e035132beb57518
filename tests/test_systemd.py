"""The systemd units: systemd accepts them, they expose little, and their commands and settings exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from streams.cli import cli

ROOT = Path(__file__).parents[1]
UNITS = ROOT / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
NAMES = sorted(path.name for path in UNITS.iterdir() if path.is_file())
EXPOSURE = 15
"""The greatest exposure that a program may have, in tenths: `systemd-analyze security` calls 20 and less OK."""

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a machine with the units, systemd's own and an empty program."""
    root = tmp_path_factory.mktemp("machine")
    shutil.copytree(UNITS, root / "etc/systemd/system")
    shutil.copytree("/usr/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    program = root / "opt/forewarn/bin/forewarn"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    return root


def analyze(machine: Path, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says of units on that machine."""
    command = ["systemd-analyze", "--no-pager", f"--root={machine}", verb, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def started(name: str) -> str:
    """A unit's name; a template's with an instance."""
    return name.replace("@.", "@1.")


@pytest.mark.parametrize("name", NAMES)
def test_systemd_accepts_each_unit(machine: Path, name: str) -> None:
    found = analyze(machine, "verify", "--man=no", started(name))

    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_each_program_exposes_little(machine: Path, name: str) -> None:
    found = analyze(machine, "security", "--offline=true", f"--threshold={EXPOSURE}", started(name))

    assert found.returncode == 0, found.stdout[-200:]


@pytest.mark.parametrize("name", SERVICES)
def test_the_command_of_each_program_exists(name: str) -> None:
    text = (UNITS / name).read_text(encoding="utf-8")
    [line] = re.findall(r"^ExecStart=/opt/forewarn/bin/forewarn (.*)$", text, re.MULTILINE)
    command: click.Command | None = cli
    words = line.split()
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), words.pop(0))

    assert command is not None
    command.make_context(name, words, resilient_parsing=False)


def test_every_setting_exists() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    texts = [path.read_text(encoding="utf-8") for path in UNITS.rglob("*") if path.is_file()]
    used = {name for text in texts for name in re.findall(r"FOREWARN_[A-Z_]+[A-Z]", text)}

    assert used
    assert [name for name in used if f"`{name}`" not in page and f"`{name.removesuffix('_FILE')}`" not in page] == []


def test_the_target_starts_everything() -> None:
    wanted = re.findall(r"^Wants=(.*)$", (UNITS / "forewarn.target").read_text(encoding="utf-8"), re.MULTILINE)
    units = {name for line in wanted for name in line.split()} - {"network-online.target"}

    assert units | {"forewarn.target", "forewarn-audit-expiry.service"} == {started(name) for name in NAMES}
