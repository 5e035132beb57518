"""``forewarn extract`` as a shell runs it: as a process with pipes and files."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from models.texts.extraction import LONGEST, read
from streams.cli.extract import extract

COMMAND = [sys.executable, "-c", "from streams.cli import main; main()", "extract"]
TEXTS = [
    "【某行】请登录evil.top/a处理",
    "ok.so see you.now",
    "",
    "Your OTP is 482913",
    "hxxp://evil[.]invalid and b-c.cn",
]


def extracted(content: bytes, *arguments: str) -> list[dict[str, Any]]:
    """The command's output for this standard input."""
    result = CliRunner().invoke(extract, arguments, input=content)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def domains(content: bytes) -> list[list[str]]:
    """The domains found in each line."""
    return [found["domains"] for found in extracted(content)]


def test_each_text_gives_one_object_in_order_that_says_what_the_worker_reads() -> None:
    for found, text in zip(extracted("\n".join(TEXTS).encode()), TEXTS, strict=True):
        assert list(found) == ["domains", "urls", "flags"]
        assert tuple(map(tuple, found.values())) == read(text)


def test_a_file_gives_what_standard_input_gives(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(TEXTS), encoding="utf-8")
    piped = extracted(path.read_bytes())
    assert extracted(b"", str(path)) == piped == extracted(path.read_bytes(), "-")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\n", [[]]),
        (b"a-b.top\r\nb-c.top\r\n", [["a-b.top"], ["b-c.top"]]),
        (b"\xef\xbb\xbfa-b.top\n", [["a-b.top"]]),
        (b"\xef\xbb\xbfa-b.top", [["a-b.top"]]),
        (b"\xff\xfe a-b.top \x00\xed\xa0\x80\nb-c.top", [["a-b.top"], ["b-c.top"]]),
        ("a-b.top\u2028b-c.top\x0bc-d.top".encode(), [["a-b.top", "b-c.top", "c-d.top"]]),
    ],
)
def test_lines_end_with_line_feeds_alone_and_bytes_that_are_no_text_do_no_harm(
    content: bytes, expected: list[list[str]]
) -> None:
    assert domains(content) == expected


def test_a_line_without_end_takes_no_memory_and_the_next_is_read() -> None:
    assert domains(b"a-b.top " + b"x" * (9 * LONGEST * 4) + b"\nb-c.top\n") == [["a-b.top"], ["b-c.top"]]


def test_many_lines_come_out_whole_across_the_chunks_they_are_read_in() -> None:
    found = domains(b"".join(b"text %d at host-%d.top, thanks\n" % (number, number) for number in range(20_000)))
    assert found == [[f"host-{number}.top"] for number in range(20_000)]


def test_an_answer_comes_before_the_next_text_is_written() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for host in ("a-b.top", "b-c.top"):
            process.stdin.write(f"{host}\n".encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["domains"] == [host]
        process.stdin.close()
        assert process.stdout.read() == b""
    assert process.returncode == 0


def test_a_reader_that_leaves_early_is_no_error_worth_a_word(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_bytes(b"a-b.top\n" * 50_000)
    with subprocess.Popen([*COMMAND, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none.txt", "No such file or directory"), (tmp_path, "Is a directory")):
        result = CliRunner().invoke(extract, [str(path)])
        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr == f"forewarn: {path} cannot be read: {why}\n"


def test_no_standard_input_is_one_sentence() -> None:
    command = ["sh", "-c", 'exec "$@" <&-', "sh", *COMMAND]
    done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"forewarn: there is no standard input to read from\n"


def test_a_named_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with subprocess.Popen([*COMMAND, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        path.write_bytes(b"a-b.top\n")
        out, err = process.communicate(timeout=20)
    assert (json.loads(out)["domains"], err) == (["a-b.top"], b"")


@pytest.mark.parametrize("is_file", [True, False])
def test_progress_is_shown_on_a_terminal_and_only_for_a_file(tmp_path: Path, is_file: bool) -> None:
    path = tmp_path / "texts.txt"
    path.write_bytes(b"a-b.top\n" * 100)
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    arguments = [*COMMAND, str(path)] if is_file else COMMAND
    with path.open("rb") as content:
        done = subprocess.run(
            arguments, stdin=content, stdout=subprocess.PIPE, stderr=theirs, env=environment, timeout=20, check=True
        )
    os.close(theirs)
    said = os.read(ours, 1 << 16) if is_file else b""
    os.set_blocking(ours, False)
    if not is_file:
        with pytest.raises(OSError, match=r"unavailable|error"):
            os.read(ours, 1)
    os.close(ours)
    assert len(done.stdout.splitlines()) == 100
    assert (b"reading" in said) is is_file


def test_the_example_of_the_help_does_what_it_says() -> None:
    words = " ".join(CliRunner().invoke(extract, ["--help"]).output.split())
    text = words.partition("Example: echo '")[2].partition("'")[0]
    assert domains(text.encode()) == [["etc-pay.top"]]
