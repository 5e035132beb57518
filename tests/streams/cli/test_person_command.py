"""``forewarn person`` before it connects: a wrong request is refused in one sentence that does not name the person."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import cli

NUMBER = "+86 100 0000 0001"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--number", NUMBER, "--case", " "), "--case is empty"),
        (("--number", "nobody", "--case", "A-1"), "--number cannot be read"),
        (("--number", "1069000000000000001", "--case", "A-1"), "it has more than 15 digits"),
        (("--number", NUMBER, "--case", "A-1", "--from", "soon"), "--from is a day or a time"),
        (("--number", NUMBER, "--case", "A-1", "--from", "2090-01-01"), "--from lies in the future"),
    ],
)
def test_a_wrong_request_is_refused(arguments: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(cli, ["person", "purge", *arguments])

    assert result.exit_code == 2
    assert said in result.stderr
    assert "0000" not in result.stderr


def test_a_proof_never_replaces_a_file(tmp_path: Path) -> None:
    """It would be the proof of another purge."""
    file = tmp_path / "proof.json"
    file.write_text("earlier")
    result = CliRunner().invoke(cli, ["person", "purge", "--number", NUMBER, "--case", "A-1", "--proof", str(file)])

    assert (result.exit_code, file.read_text()) == (2, "earlier")
    assert "exists already" in result.stderr


def test_an_export_without_a_key_to_seal_it_to_is_refused(tmp_path: Path) -> None:
    """The data of a person do not lie in the clear because somebody forgot a setting."""
    out = tmp_path / "person.json"
    result = CliRunner().invoke(cli, ["person", "export", "--number", NUMBER, "--case", "A-1", "--out", str(out)])

    assert (result.exit_code, out.exists()) == (2, False)
    assert "FOREWARN_EXPORT_RECIPIENT" in result.stderr
    assert "--plain" in result.stderr
