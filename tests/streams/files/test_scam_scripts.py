"""Scam scripts: a mistake is reported with its line, and nothing is made from a wrong script."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli.city import city
from streams.files.scam_scripts import ScriptFileError, parse

GOOD = """\
scam_type: impersonated-boss
zh: 冒充领导
en: A boss with a new number needs money at once
gangs: 0.5
tries: {median: 70, factor: 1.6}
works_h: {median: 60, factor: 1.6}
hours: [8, 19]
actors:
  boss: {kind: number}
steps:
  - {name: new-number, do: sms-in, actor: boss, text: boss, then: [{to: answers, share: 0.2}]}
  - {name: answers, do: sms-out, actor: boss, text: reply, stage: medium, then: [{to: told, share: 0.4}]}
  - name: told
    do: call-in
    actor: boss
    wait_min: {median: 90, factor: 4}
    talk_min: {median: 2}
    then: [{to: pays, share: 0.3}, {to: asks-again, share: 0.3}]
  - {name: asks-again, do: call-out, actor: boss, talk_min: {median: 1.5}, then: [{to: pays, share: 0.6}]}
  - {name: pays, do: pay, loss: {median: 50000, factor: 3}, stage: harmed}
  - {name: notice, do: bank-notice, wait_min: {median: 1}}
"""


@pytest.mark.parametrize(
    ("good", "broken", "said"),
    [
        ("gangs: 0.5", "gangs: many", "Expected `float`, got `str`"),
        ("gangs: 0.5", "gangs: 0", "Expected `float` > 0.0"),
        ("hours: [8, 19]", "hours: [19, 8]", "19 to 8 is no part of a day"),
        ("hours: [8, 19]", "hours: [8, 25]", "Expected `int` <= 24"),
        ("do: call-in", "do: call-inn", "Invalid enum value 'call-inn'"),
        ("actor: boss,", "actor: bos,", "There is no actor 'bos': take one of boss."),
        ("{to: told, share: 0.4}", "{to: tolt, share: 0.4}", "There is no step 'tolt'"),
        ("text: boss", "text: greetings", "There is no text 'greetings'"),
        ("factor: 4}", "factor: 400}", "Expected `float` <= 20.0"),
        ("median: 90,", "median: 900000,", "900000 is longer than a year"),
        ("{name: notice,", "{name: told,", "There can be no second step 'told'"),
        ("do: bank-notice,", "do: pay,", "pay needs loss"),
        ("sms-out, actor: boss", "sms-in, link: boss, actor: boss", "link takes a domain; boss is a number."),
        ("sms-out, actor: boss", "sms-out, link: nobody, actor: boss", "There is no actor 'nobody'"),
        ("kind: number", "kind: phone", "Invalid enum value 'phone'"),
        ("scam_type:", "scam_types:", "Object contains unknown field `scam_types`"),
        ("actors:", "texts: {boss: ['{nn}']}\nactors:", "{nn} stands for nothing"),
        ("actors:", "texts: {boss: []}\nactors:", "Expected `array` of length >= 1"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(good: str, broken: str, said: str) -> None:
    line = 1 + next(number for number, each in enumerate(GOOD.splitlines()) if good in each)
    with pytest.raises(ScriptFileError) as error:
        parse(GOOD.replace(good, broken, 1).encode(), "x.yaml")
    assert str(error.value).startswith(f"x.yaml:{line}: ")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("good", "broken", "said"),
    [
        ("share: 0.3}, {to: asks-again", "share: 0.8}, {to: asks-again", "shares of its branches come to more than 1"),
        ("factor: 3}, stage: harmed", "factor: 3}, stage: deep", "Nobody pays"),
        ("works_h: {median: 60, factor: 1.6}", "", "missing required field `works_h`"),
    ],
)
def test_what_is_wrong_with_several_lines_is_said(good: str, broken: str, said: str) -> None:
    assert good in GOOD
    with pytest.raises(ScriptFileError, match=rf"x\.yaml:\d+: .*{said}"):
        parse(GOOD.replace(good, broken, 1).encode(), "x.yaml")


def test_a_step_that_nobody_can_come_to_brings_no_victim() -> None:
    alone = GOOD.replace("then: [{to: answers, share: 0.2}]", "then: [{to: answers, share: 0}]")
    with pytest.raises(ScriptFileError, match=r"^x\.yaml:20: Nobody pays: no branch leads to 'pays'\.$"):
        parse(alone.encode(), "x.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ring {number}", "new-number: the text has {number}, so the step needs names."),
        ("see {link}", "new-number: the text has {link}, so the step needs link."),
    ],
)
def test_a_text_that_names_an_actor_needs_one(text: str, said: str) -> None:
    with pytest.raises(ScriptFileError) as error:
        parse(GOOD.replace("actors:", f"texts: {{boss: ['{text}']}}\nactors:").encode(), "x.yaml")
    assert str(error.value) == f"x.yaml:12: {said}"


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


def test_a_script_whose_name_would_leave_it_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loan.yaml").write_text(GOOD)
    (tmp_path / "prize.yml").write_text(GOOD)
    result = CliRunner().invoke(city, ["--scripts", str(tmp_path), "--out", str(tmp_path / "city")])
    assert result.exit_code == 2
    assert f"{tmp_path / 'prize.yml'} would not be played: let its name end in .yaml" in result.stderr


def test_drawn_scripts_lie_in_the_citys_folder_and_can_be_played_again(tmp_path: Path) -> None:
    first, again = tmp_path / "city", tmp_path / "again"
    small = ["--people", "300", "--days", "1"]
    drew = CliRunner().invoke(city, [*small, "--drawn", "12", "--out", str(first)])
    played = CliRunner().invoke(city, [*small, "--scripts", str(first / "scripts"), "--out", str(again)])

    assert (drew.exit_code, played.exit_code) == (0, 0), drew.stderr + played.stderr
    assert len([*(first / "scripts").glob("drawn-*.yaml")]) == 12
    assert (first / "calls.jsonl").read_bytes() == (again / "calls.jsonl").read_bytes()


def test_the_command_writes_a_city_once(tmp_path: Path) -> None:
    asked = ["--people", "300", "--days", "1", "--out", str(tmp_path / "city")]
    result = CliRunner().invoke(city, asked)
    assert result.exit_code == 0
    assert "300 people, 1 days" in result.stderr
    names = {"calls.jsonl", "sms.jsonl", "indicators.jsonl", "subscribers.jsonl", "truth.jsonl", "city.json"}
    assert {path.name for path in (tmp_path / "city").iterdir()} == names
    again = CliRunner().invoke(city, asked)
    assert again.exit_code == 2
    assert "exists already" in again.stderr
