"""``forewarn check``: a carrier sees what would become of its records, and nothing personal is shown."""

from __future__ import annotations

import gzip
import json
from codecs import BOM_UTF8
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli.check import check
from streams.files.record_check import masked
from tests.site import ROOT
from tests.strategies import CROOK
from tests.wrong_records import record

GOOD = [record(), record(peer="anonymous"), record(source="nowhere"), record(peer="00" + CROOK)]
WRONG = [record(subscriber="010000000002"), *[record(at=7)] * 5, b'{"secret words', b"\xff" + CROOK.encode()]


def checked(folder: Path, lines: list[bytes], *more: str) -> Result:
    """The result of a check of these lines as calls."""
    file = folder / "calls.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n\n")
    return CliRunner().invoke(check, [str(file), "--as", "calls", *more])


def test_a_good_file_passes_with_remarks(tmp_path: Path) -> None:
    result = checked(tmp_path, GOOD)

    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "4 records: 4 good, 0 refused"
    assert "1 read; nobody is known at the other end" in result.stdout
    assert "1 read by the default numbering" in result.stdout


def test_refused_records_are_counted_by_reason_and_shown_masked(tmp_path: Path) -> None:
    result = checked(tmp_path, [*GOOD, *WRONG], "--json")

    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (found["records"], found["good"]) == (12, 4)
    assert found["refused"] == {"impossible-time": 5, "subscriber-form": 1, "not-json": 1, "not-utf8": 1}
    assert [(each["reason"], each["where"].rpartition(":")[2]) for each in found["first"]] == [
        ("subscriber-form", "5"),
        *(("impossible-time", str(line)) for line in (6, 7, 8)),
        ("not-json", "11"),
        ("not-utf8", "12"),
    ]
    assert not any(said in result.stdout for said in ("0000000002", CROOK, "secret", "words"))


def test_whatever_a_record_holds_only_its_form_is_shown() -> None:
    odd = {"direction": CROOK, "phase": "start", CROOK: 1, "text": "您的验证码 482913", "at": 1.5, "cell": [CROOK]}

    assert masked(json.dumps(odd).encode()) == (
        '{"direction":"###########","phase":"start","###########":#,"text":"xxxxx ######","at":#.#,'
        '"cell":["###########"]}'
    )
    assert masked(None) == ""


def test_control_characters_of_a_record_do_not_reach_the_terminal() -> None:
    assert masked(b"\x1b[2J\x07") == "\ufffd[#x\ufffd"


@pytest.mark.parametrize(("mark", "end"), [(BOM_UTF8, b"\n"), (b"", b"\r"), (b"", b"\r\n")])
def test_a_file_may_begin_and_end_its_lines_as_on_any_system(tmp_path: Path, mark: bytes, end: bytes) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_bytes(mark + b"".join(line + end for line in GOOD))

    assert CliRunner().invoke(check, [str(file), "--as", "calls"]).exit_code == 0


@pytest.mark.parametrize(
    ("content", "what"), [(b"PK\x03\x04", "ZIP archive"), ("{}".encode("utf-16"), "UTF-16"), (b"BZh9", "bzip2")]
)
def test_a_file_that_is_no_text_is_named(tmp_path: Path, content: bytes, what: str) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_bytes(content)

    result = CliRunner().invoke(check, [str(file), "--as", "calls"])

    assert result.exit_code == 1
    assert what in result.output


def test_a_compressed_file_of_sms_is_read(tmp_path: Path) -> None:
    file = tmp_path / "sms.jsonl.gz"
    file.write_bytes(gzip.compress((ROOT / "schemas" / "examples" / "sms-v1.jsonl").read_bytes()))

    result = CliRunner().invoke(check, [str(file), "--as", "sms"])

    assert result.exit_code == 0
    assert "1 read; the sender is a name or an address" in result.stdout


@pytest.mark.parametrize("arguments", [[], ["--as", "calls"], ["x", "--topic", "sms"], ["x"]])
def test_wrong_usage_is_said_in_a_sentence(tmp_path: Path, arguments: list[str]) -> None:
    file = tmp_path / "x"
    file.touch()

    result = CliRunner().invoke(check, [str(file) if each == "x" else each for each in arguments])

    assert result.exit_code == 2
    assert result.stderr.startswith("forewarn: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(("name", "is_good"), [("calls-v1", True), ("calls-v1.bad", False), ("sms-v1", True)])
def test_the_decoder_says_the_same_of_the_examples_as_the_schema(name: str, is_good: bool) -> None:
    """Carriers see them in the contract."""
    file = ROOT / "schemas" / "examples" / f"{name}.jsonl"

    found = json.loads(CliRunner().invoke(check, [str(file), "--as", name.partition("-")[0], "--json"]).stdout)

    assert found["records"] > 3
    assert found["good"] == (found["records"] if is_good else 0)
