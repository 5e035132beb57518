"""Scam scripts: what is wrong with one is said with its line, and nothing is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli.city import city
from streams.scam_scripts import OURS, ScriptFileError, parse

GOOD = (OURS / "impersonated-boss.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("gangs: many", "gangs: 0.5", "Expected `float`, got `str`"),
        ("gangs: 0", "gangs: 0.5", "Expected `float` > 0.0"),
        ("hours: [19, 8]", "hours: [8, 19]\nactors", "19 to 8 is no part of a day"),
        ("hours: [8, 25]", "hours: [8, 19]\nactors", "Expected `int` <= 24"),
        ("do: call-inn", "do: call-in", "Invalid enum value 'call-inn'"),
        ("actor: bos,", "actor: boss,", "There is no actor 'bos': take one of boss."),
        ("{to: tolt, share: 0.4}", "{to: told, share: 0.4}", "There is no step 'tolt'"),
        ("share: 0.8}, {to: asks-again", "share: 0.3}, {to: asks-again", "come to more than 1"),
        ("text: greetings", "text: boss", "There is no text 'greetings'"),
        ("factor: 400", "factor: 4", "Expected `float` <= 20.0"),
        ("median: 900000", "median: 90", "900000 is longer than a year"),
        ("- {name: told,", "- {name: answers,", "There can be no second step 'told'"),
        ("do: bank-notice, wait_min", "do: pay, wait_min", "pay needs loss"),
        ("loss: {median: 50000, factor: 3}, stage: deep", "loss: {median: 50000, factor: 3}, stage: harmed", "Nobody"),
        ("sms-out, actor: boss", "sms-in, link: boss, actor: boss", "link takes a domain; boss is a number."),
        ("kind: phone", "kind: number", "Invalid enum value 'phone'"),
        ("scam_types:", "scam_type:", "Object missing required field `scam_type`"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(wrong: str, right: str, said: str) -> None:
    if "sms-in, link" in right or "- {name: answers" in right or right.startswith("do: pay"):
        wrong, right = right, wrong  # what is good and what is not were written the other way round
    right, _, _ = right.partition("\n")
    assert right in GOOD
    broken = GOOD.replace(right, wrong, 1)
    line = next(
        number
        for number, (one, other) in enumerate(zip(GOOD.splitlines(), broken.splitlines(), strict=True), 1)
        if one != other
    )
    with pytest.raises(ScriptFileError) as error:
        parse(broken.encode(), "x.yaml")
    assert said in str(error.value)
    if "Nobody" not in said and "scam_type" not in said and "come to" not in said:
        assert str(error.value).startswith(f"x.yaml:{line}: ")


@pytest.mark.parametrize(
    "content", [b"", b"[1", b"a: b: c", b"\xff\xfe\x00", b"- 1\n- 2\n", b"&a [*a]", b"a: " + b"[" * 9999]
)
def test_rubbish_is_no_script(content: bytes) -> None:
    with pytest.raises(ScriptFileError, match=r"x\.yaml:\d+: "):
        parse(content, "x.yaml")


def test_the_command_makes_nothing_of_a_broken_script(tmp_path: Path) -> None:
    scripts, out = tmp_path / "scripts", tmp_path / "city"
    scripts.mkdir()
    (scripts / "loan.yaml").write_text("gangs: many\n")
    result = CliRunner().invoke(city, ["--people", "100", "--days", "1", "--scripts", str(scripts), "--out", str(out)])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "loan.yaml:1: " in result.stderr
    assert [*tmp_path.iterdir()] == [scripts]


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_a_folder_without_scripts_is_refused(tmp_path: Path, folder: str) -> None:
    result = CliRunner().invoke(city, ["--scripts", str(tmp_path / folder), "--out", str(tmp_path / "city")])
    assert result.exit_code == 2
    assert "script" in result.stderr


def test_the_command_writes_a_city_once(tmp_path: Path) -> None:
    asked = ["--people", "300", "--days", "1", "--out", str(tmp_path / "city")]
    result = CliRunner().invoke(city, asked)
    assert result.exit_code == 0
    assert "300 people, 1 days" in result.stderr
    names = {"calls.jsonl", "sms.jsonl", "indicators.jsonl", "subscribers.jsonl", "truth.jsonl"}
    assert {path.name for path in (tmp_path / "city").iterdir()} == names
    again = CliRunner().invoke(city, asked)
    assert again.exit_code == 2
    assert "exists already" in again.stderr
