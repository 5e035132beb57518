"""Files and folders that a command makes: closed to the other users of the machine, whatever the shell's umask."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMAND = "import os; os.umask({umask}); from streams.cli import main; main()"


@pytest.mark.parametrize(("umask", "closed"), [(0o022, 0o007), (0o077, 0o077)])
def test_other_users_have_no_right_to_anything_that_a_command_makes(tmp_path: Path, umask: int, closed: int) -> None:
    """The group has what the site's own umask leaves it."""
    environ = {
        "FOREWARN_USERS_FILE": str(tmp_path / "site" / "users.json"),
        "FOREWARN_AUDIT_LOG": str(tmp_path / "site" / "log" / "audit.jsonl"),
        "FOREWARN_SECRET": "a secret that only the tests know",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", COMMAND.format(umask=umask)]

    words = "users add chen --role auditor --random"
    subprocess.run([*command, *words.split()], env=os.environ | environ, capture_output=True, timeout=60, check=True)

    made = [*(tmp_path / "site").rglob("*")]
    assert len(made) > 2
    assert not [each for each in made if each.stat().st_mode & closed]
