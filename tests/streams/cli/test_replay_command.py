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
