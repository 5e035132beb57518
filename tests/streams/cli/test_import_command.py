"""``forewarn indicators import --dry-run``: what it says of a list, and how it is told what a list does not say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli.indicator_import import import_


def checked(path: Path, content: bytes, *options: str) -> Result:
    """The command's result for a file with this content."""
    file = path / "list.txt"
    file.write_bytes(content)
    return CliRunner().invoke(import_, [str(file), "--dry-run", *options])


def test_a_list_of_another_program_is_named_and_what_is_left_out_is_counted(tmp_path: Path) -> None:
    """So that the reader of a summary knows why it counts fewer indicators than lines."""
    result = checked(tmp_path, b"||evil.example^\n||bad.example^\n@@||good.example^\n")

    assert result.exit_code == 0
    said = [line.partition(": ")[2] for line in result.stderr.splitlines()]
    assert said == [
        "read as filter rules of Adblock or AdGuard",
        "left out: exceptions (1)",
        "2 domain; checked, nothing sent; 0 duplicates, 0 lines refused",
    ]


def test_an_ordinary_list_needs_no_introduction(tmp_path: Path) -> None:
    result = checked(tmp_path, b"evil.example\n")

    assert result.stderr.count("\n") == 1


def test_a_summary_for_programs_counts_what_is_left_out(tmp_path: Path) -> None:
    result = checked(tmp_path, b"127.0.0.1 localhost\n0.0.0.0 evil.example\n", "--json")

    assert json.loads(result.stdout)["left_out"] == {"names of the machine itself": 1}


def test_an_encoding_is_named_if_it_is_another_and_can_be_asked_for(tmp_path: Path) -> None:
    """Where it is in doubt, nothing is read until somebody says which it is."""
    content = "evil.example/피싱\n".encode("cp949")
    doubtful, asked = checked(tmp_path, content), checked(tmp_path, content, "--encoding", "CP949")

    assert doubtful.exit_code == 1
    assert "--encoding" in doubtful.stderr
    assert asked.exit_code == 0
    assert "read as CP949 text" in asked.stderr


def test_an_encoding_that_nobody_knows_is_wrong_usage(tmp_path: Path) -> None:
    result = checked(tmp_path, b"evil.example\n", "--encoding", "klingon")

    assert result.exit_code == 2
    assert "no encoding" in result.stderr


@pytest.mark.parametrize("content", [b"10000000001 12\n", b"95000-95099\n"])
def test_a_number_with_something_beside_it_is_a_refused_line(content: bytes, tmp_path: Path) -> None:
    result = checked(tmp_path, content)

    assert result.exit_code == 1
    assert "nothing; checked, nothing sent; 0 duplicates, 1 lines refused" in result.stderr
