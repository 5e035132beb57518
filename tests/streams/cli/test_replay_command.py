"""``forewarn replay`` with officers' outcomes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result

from streams.cli.replay import replay
from tests.site import ROOT, SECRET

EXAMPLES = ROOT / "examples"


def replayed(folder: Path, *more: str, environ: Mapping[str, str] | None = None) -> Result:
    """The result of a replay of the examples."""
    files = [f"--{name}={EXAMPLES / name}.jsonl" for name in ("calls", "sms", "indicators")]
    return CliRunner().invoke(replay, [*files, f"--out={folder / 'alerts.jsonl'}", "--json", *more], env=environ)


def test_what_officers_found_says_how_right_the_alerts_are(tmp_path: Path) -> None:
    replayed(tmp_path)
    alerts = [json.loads(line) for line in (tmp_path / "alerts.jsonl").read_text(encoding="utf-8").splitlines()]
    urgent = list(dict.fromkeys(alert["episode"] for alert in alerts if alert["severity"] == "urgent"))
    low = next(alert["episode"] for alert in alerts if alert["episode"] not in urgent)
    found = {urgent[0]: "dissuaded", urgent[1]: "refused", urgent[2]: "false-positive", low: "already-harmed"}
    records = [
        {"id": case, "case": case, "kind": "outcome", "at": 1_760_000_000_000, "unit": "ps-0101", "outcome": outcome}
        for case, outcome in found.items()
    ]
    records.append({"id": "n", "case": low, "kind": "note", "at": 1_760_000_000_000, "unit": "ps-0101", "note": "x"})
    outcomes = tmp_path / "outcomes.jsonl"
    outcomes.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")

    result = replayed(tmp_path, f"--outcomes={outcomes}")

    assert json.loads(result.stdout)["outcomes"] == {"right": 2, "wrong": 1, "missed": 1}


def test_without_the_site_secret_the_ids_are_public_and_the_summary_says_so(tmp_path: Path) -> None:
    """Only the ids differ from those of the live run."""
    found = {}
    for name, secret in (("public", ""), ("site", SECRET)):
        said = replayed(tmp_path, environ={"FOREWARN_SECRET": secret})
        alerts = [json.loads(line) for line in (tmp_path / "alerts.jsonl").read_text(encoding="utf-8").splitlines()]
        assert json.loads(said.stdout)["ids"] == name
        found[name] = {alert.pop("id") for alert in alerts} | {alert.pop("episode") for alert in alerts}, alerts

    said = CliRunner().invoke(replay, [f"--calls={EXAMPLES / 'calls.jsonl'}", f"--out={tmp_path / 'more.jsonl'}"])
    assert "The ids are public" in said.stderr
    assert found["public"][0].isdisjoint(found["site"][0])
    assert found["public"][1] == found["site"][1]


def test_a_wrong_outcome_is_said_with_its_line(tmp_path: Path) -> None:
    outcomes = tmp_path / "outcomes.jsonl"
    outcomes.write_text('{"case": "e1", "kind": "dance", "at": 1760000000000}\n', encoding="utf-8")

    result = replayed(tmp_path, f"--outcomes={outcomes}")

    assert result.exit_code == 1
    assert f"{outcomes}:1" in result.stderr
    assert not (tmp_path / "alerts.jsonl").exists()


def test_other_settings_decide_about_the_same_records_as_if_they_were_alone(tmp_path: Path) -> None:
    strict, difference = tmp_path / "strict.yaml", tmp_path / "difference.jsonl"
    strict.write_text((ROOT / "policy.yaml").read_text(encoding="utf-8").replace("0.65}", "0.9}"), encoding="utf-8")
    with_policy, with_points = (
        json.loads(replayed(tmp_path, *options).stdout)["orders"]
        for options in ([f"--policy={strict}"], ["--model=points"])
    )
    both = [f"--against={strict}", "--against=points", f"--against={ROOT / 'policy.yaml'}"]

    said = json.loads(replayed(tmp_path, *both, f"--difference={difference}").stdout)
    lines = [json.loads(line) for line in difference.read_text(encoding="utf-8").splitlines()]

    assert [each["counts"] for each in said["against"]] == [with_policy, with_points, said["orders"]]
    assert with_policy != said["orders"] != with_points
    assert not any(said["against"][2]["changes"].values())
    for each in said["against"]:
        told = [line["change"] for line in lines if line["against"] == each["name"]]
        assert {kind: told.count(kind) for kind in each["changes"]} == each["changes"]


def test_other_settings_are_judged_by_the_outcomes_too(tmp_path: Path) -> None:
    outcomes = tmp_path / "outcomes.jsonl"
    replayed(tmp_path)
    alerts = [json.loads(line) for line in (tmp_path / "alerts.jsonl").read_text(encoding="utf-8").splitlines()]
    episode = next(alert["episode"] for alert in alerts if alert["severity"] == "urgent")
    outcome = {"id": "o", "case": episode, "kind": "outcome", "at": 1_760_000_000_000, "unit": "ps-0101"}
    outcomes.write_text(json.dumps(outcome | {"outcome": "dissuaded"}) + "\n", encoding="utf-8")

    files = [f"--{name}={EXAMPLES / name}.jsonl" for name in ("calls", "sms", "indicators")]
    options = [f"--out={tmp_path / 'alerts.jsonl'}", f"--outcomes={outcomes}", "--against=points"]
    said = CliRunner().invoke(replay, [*files, *options]).stderr

    assert "by the outcomes: 1 of 1 rightly alerted (100 %, 21 to 100), 0 people missed" in said
    assert "by the outcomes, with points: " in said


def test_wrong_settings_to_compare_with_are_said_and_nothing_is_written(tmp_path: Path) -> None:
    clocks = tmp_path / "clocks.yaml"
    policy = (ROOT / "policy.yaml").read_text(encoding="utf-8")
    clocks.write_text(policy.replace("tolerance: 2", "tolerance: 3"), encoding="utf-8")
    for options, sentence in (
        (["--against=points", "--against=points"], "two of --against have the same name"),
        ([f"--against={tmp_path / 'missing.yaml'}"], "cannot be read"),
        ([f"--against={clocks}"], "trusts clocks otherwise"),
        (["--difference=d.jsonl"], "--difference needs --against"),
    ):
        result = replayed(tmp_path, *options)

        assert result.exit_code in (1, 2)
        assert sentence in result.stderr
        assert not (tmp_path / "alerts.jsonl").exists()
