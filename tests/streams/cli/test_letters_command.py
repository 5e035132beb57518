"""``forewarn letters``: a new key, and requests that are refused before a server is asked."""

from __future__ import annotations

import shlex
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli import cli
from streams.sealing import Identities, new_keys

ENVIRON = {"FOREWARN_KAFKA": "127.0.0.1:1", "FOREWARN_SECRET": "a secret that only the tests know"}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The file of a private key."""
    path = tmp_path / "letters.key"
    path.write_text(new_keys().identity)
    path.chmod(0o600)
    return path


def opening(key: Path, *more: str) -> Result:
    """The result of ``forewarn letters open``."""
    out, log = key.parent / "out.jsonl", key.parent / "audit.jsonl"
    arguments = ["letters", "open", "--identity", str(key), "--out", str(out), "--case", "A-1", *more]
    return CliRunner().invoke(cli, arguments, env=ENVIRON | {"FOREWARN_AUDIT_LOG": str(log)})


def test_a_new_key_is_its_owners_alone_and_its_public_half_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "letters.key"

    result = CliRunner().invoke(cli, ["letters", "keygen", str(path)])

    assert result.exit_code == 0
    assert result.stdout.strip() == Identities([path.read_text()]).recipient
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(key: Path) -> None:
    """The letters that it opens would be lost."""
    before = key.read_text()

    result = CliRunner().invoke(cli, ["letters", "keygen", str(key)])

    assert (result.exit_code, key.read_text()) == (2, before)
    assert "exists already" in result.stderr


def test_letters_are_not_opened_without_a_reason_or_over_another_file(key: Path) -> None:
    unsaid = opening(key, "--case", " ")
    (key.parent / "out.jsonl").write_text("mine")
    taken = opening(key)

    assert (unsaid.exit_code, taken.exit_code) == (2, 2)
    assert "--case is empty" in unsaid.stderr
    assert "exists already" in taken.stderr
    assert (key.parent / "out.jsonl").read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"age1", 0o600, "holds no identity of age"),
        (b"\xff", 0o600, "it is no text"),
        (b"AGE-SECRET-KEY-1", 0o644, "others may use"),
    ],
)
def test_a_file_that_is_no_private_key_is_refused_by_name(key: Path, content: bytes, mode: int, words: str) -> None:
    key.write_bytes(content)
    key.chmod(mode)

    result = opening(key)

    assert result.exit_code == 2
    assert str(key) in result.stderr
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("list --record calls/3", "give topic, partition and offset of the refused record, for example calls/3/1180"),
        ("list --record calls/3/-1", "give topic, partition and offset"),
        ("show calls/3/1 --whole --identity KEY", "--case is empty"),
        ("show calls/3/1 --whole --case A", "--whole needs --identity"),
        ("redrive --identity KEY --case ' '", "--case is empty"),
        ("redrive --identity KEY --case A --limit 0", "0 is not in the range x>=1"),
        ("discard --case A --note x", "say which letters: with --topic"),
        ("discard --case A --note ' ' --topic sms", "--note is empty"),
        ("discard --case A --topic sms", "Missing option '--note'"),
    ],
)
def test_what_is_asked_wrongly_is_refused_in_a_sentence_before_a_server_is_asked(
    key: Path, words: str, said: str
) -> None:
    arguments = ["letters", *shlex.split(words.replace("KEY", str(key)))]

    result = CliRunner().invoke(cli, arguments, env=ENVIRON)

    assert result.exit_code == 2
    assert said in result.stderr
    assert "Kafka" not in result.stderr


@pytest.mark.parametrize("words", ["list", "show calls/3/1", "discard --topic sms --case A --note x --yes"])
def test_without_kafka_a_command_says_so_in_one_line(words: str) -> None:
    result = CliRunner().invoke(cli, ["letters", *words.split()], env=ENVIRON)

    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert "Kafka at 127.0.0.1:1 cannot be read" in result.stderr


def test_nothing_is_left_behind_where_kafka_does_not_answer(key: Path) -> None:
    result = opening(key)

    assert result.exit_code == 2
    assert "Kafka at 127.0.0.1:1 cannot be read" in result.stderr
    assert [each.name for each in key.parent.iterdir()] == [key.name]
