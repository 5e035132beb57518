"""Programs that make ids or pseudonyms refuse to start without a key for them, in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import cli


@pytest.mark.parametrize(
    "command",
    ["worker", "hunter", "console", "users list", "hunt --number 99900000001 --case A --since 2d"],
)
def test_without_a_site_secret_it_says_how_to_make_one(command: str, tmp_path: Path) -> None:
    """It asks no server before, and shows nothing."""
    environ = {
        "FOREWARN_KAFKA": "127.0.0.1:1",
        "FOREWARN_REDIS": "redis://127.0.0.1:1/0",
        "FOREWARN_LEDGER": str(tmp_path / "ledger"),
        "FOREWARN_AUDIT_LOG": str(tmp_path / "audit.jsonl"),
        "FOREWARN_USERS_FILE": str(tmp_path / "users.json"),
    }

    result = CliRunner().invoke(cli, command.split(), env=environ)

    assert result.exit_code in (1, 2)
    assert result.stderr.startswith("forewarn: The site has no secret: make one with (umask 077; openssl rand -hex 32")
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "audit.jsonl").exists()
