"""Programs that make ids, pseudonyms or dead letters refuse to start without a key for them, in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.checkup import configuration
from streams.cli import cli
from streams.sealing import new_keys
from streams.settings import Settings


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


@pytest.mark.parametrize("command", ["worker", "dispatcher"])
def test_without_a_key_for_dead_letters_it_says_how_to_make_one(command: str) -> None:
    environ = {"FOREWARN_KAFKA": "127.0.0.1:1", "FOREWARN_REDIS": "redis://127.0.0.1:1/0", "FOREWARN_SECRET": "s" * 32}

    result = CliRunner().invoke(cli, [command], env=environ)

    assert result.exit_code == 1
    assert "make one with forewarn letters keygen FILE" in result.stderr
    assert "FOREWARN_LETTERS_RECIPIENT" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_doctor_says_whether_dead_letters_can_be_sealed() -> None:
    keys = [f"{new_keys().recipient},{new_keys().recipient}", None]

    found = [finding for key in keys for finding in configuration.letters_key(Settings(letters_recipient=key))]

    assert [each.state for each in found] == ["good", "bad"]
    assert "2 public keys" in found[0].says
    assert "forewarn letters keygen" in found[1].says
