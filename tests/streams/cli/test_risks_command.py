"""``forewarn risks`` with requests that are not possible: one sentence, exit status 2, and nothing is noted."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import cli
from tests.site import SECRET


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("show --account 1234567 --case A", "--account: An account has at least 8 letters and digits; write it whole."),
        ("confirm --account ******* --case A", "--account: An account has at least 8 letters and digits"),
        ("dismiss --number 12x --case A", "--number: "),
        ("show --case A", "name one risk: by its id, with --number, or with --account"),
        ("show 1f6b --number 99900000001 --case A", "name one risk: "),
        ("show 1f6b --case SPACE", "--case is empty"),
        ("confirm 1f6b --case SPACE", "case is a text of 1 to 200 characters on one line"),
        ("hand-over 1f6b --to SPACE --case A", "to is a text of 1 to 200 characters on one line"),
        ("dismiss 1f6b --case A --note 0000000000000001", "note seems to contain a whole number"),
        ("find --since 99d", "--since goes back further than contacts are kept: 30 days (FOREWARN_LEDGER_DAYS)"),
    ],
)
def test_what_is_not_possible_is_one_sentence(words: str, said: str, tmp_path: Path) -> None:
    """No server is asked: there is none."""
    environ = {
        "FOREWARN_KAFKA": "127.0.0.1:1",
        "FOREWARN_SECRET": SECRET,
        "FOREWARN_LEDGER": str(tmp_path / "ledger"),
        "FOREWARN_AUDIT_LOG": str(tmp_path / "audit.jsonl"),
    }
    arguments = [" " if word == "SPACE" else word for word in words.split()]

    result = CliRunner().invoke(cli, ["risks", *arguments], env=environ)

    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
    assert said in result.stderr
    assert not (tmp_path / "audit.jsonl").exists()
