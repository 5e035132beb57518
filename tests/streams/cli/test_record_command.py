"""``forewarn record`` and the replay of what it wrote: each mistake is one sentence with exit status 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli import cli


def run(*words: str) -> Result:
    """The result of a command that needs no server, because it is refused before."""
    return CliRunner().invoke(cli, [*words])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--since 1h --out new", "--case"),
        ("--since 1h --case A", "--out"),
        ("--out new --case A", "give --since, or --resume"),
        ("--since 1h --resume --out new --case A", "give --since, or --resume"),
        ("--since 1h --out . --case A", ". exists already: give another folder, --resume"),
        ("--since 1h --out . --case A --force", "is no recording"),
        ("--resume --out new --case A", "is no recording"),
        ("--since 1h --out new --case A --texts --pseudonyms key", "exclude each other"),
        ("--since 1h --out new --case A --pseudonyms key", "fewer than 16 characters"),
        ("--since 1h --out new --case A", "there is no key to seal it to"),
        ("--since soon --out new --case A", "give a time, for example 2026-11-01T08:00"),
        ("--since 1h --keep long --out new --case A", "give days, hours or minutes"),
        ("verify .", "is no recording"),
    ],
)
def test_what_cannot_be_recorded_is_refused_and_nothing_is_written(
    words: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text("short")
    (tmp_path / "key").chmod(0o600)

    result = run("record", *words.split())

    assert result.exit_code == 2
    assert said in result.stderr.replace("\n", " ")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--from-topics", "--from-topics needs --since"),
        ("--from-topics --since 1h --recording .", "and not two of them"),
        ("--from-topics --since 1h --calls key", "and not two of them"),
        ("--calls key --since 1h", "go with --from-topics or --recording"),
        ("--from-topics --since 1h --until 2h", "is not before --until"),
        ("--recording .", "is no recording"),
    ],
)
def test_a_replay_of_the_past_says_what_it_needs(
    words: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text("")

    result = run("replay", *words.split(), "--out", "alerts.jsonl")

    assert result.exit_code == 2
    assert said in result.stderr.replace("\n", " ")
    assert not (tmp_path / "alerts.jsonl").exists()
