"""Training: from a city's folder and officers' outcomes to a model and its card, and input that is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from models.city.city import City
from models.detection.risk import PointScore
from streams.cli.train import train
from streams.files import policy_file
from streams.files.artifacts import read
from streams.simulation.cities import CityError, CityFolder
from streams.simulation.city_writing import write
from streams.simulation.operation import Contender, Operation
from streams.training import judgement
from streams.training.fitting import LEAST, PARAMETERS, TrainingError, fit, split
from streams.training.judgement import average_precision, judge
from streams.training.outcomes import Outcomes
from streams.training.samples import CALIBRATES, OUTCOME_WEIGHT, TESTS, Samples, Seen
from tests.models.city.test_city import busy
from tests.site import ROOT
from tests.strategies import POLICY
from tests.training import artifact, samples

SCRIPTS = ("impersonated-boss", "impersonated-service", "loan", "task-rebate")
"""Only a few, because training leaves each of them out in turn."""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small city with busy gangs."""
    folder = tmp_path_factory.mktemp("city")
    scripts = [each for each in busy(200, 60) if each[0] in SCRIPTS]
    write(City(4000, 3, 3, scripts, 0.9, 0.5), folder, lambda hours: None)
    return folder


def run(*arguments: object) -> Result:
    """The result of ``forewarn train`` with these arguments; with fewer trees and resamples it takes half as long."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(PARAMETERS, "max_iter", min(PARAMETERS["max_iter"], 60))
        patched.setattr(judgement, "RESAMPLES", 20)
        return CliRunner().invoke(train, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def trained(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on that city."""
    out = tmp_path_factory.mktemp("trained") / "risk.skops"
    result = run("--city", city, "--out", out)
    assert result.exit_code == 0, result.stderr
    return out


def test_nobody_is_in_two_parts_and_left_out_scams_are_in_none() -> None:
    made = samples()
    by = split(made, ["loan"])
    parts = np.array(made.parts)
    assert set(parts[by.trains]).isdisjoint({TESTS, CALIBRATES})
    assert set(parts[by.calibrates]) == {CALIBRATES}
    assert set(parts[by.tests]) == {TESTS}
    assert (by.trains.astype(int) + by.calibrates + by.tests + by.unseen == 1).all()
    assert all(("loan" in scripts) == unseen for scripts, unseen in zip(made.scripts, by.unseen, strict=True))


def test_the_same_samples_make_the_same_model() -> None:
    again = fit(samples(), split(samples(), ["fake-prize"]))
    assert again.name == artifact().name
    assert (again.probes == artifact().probes).all()


def test_it_tells_fraud_apart_and_means_what_it_says() -> None:
    fresh = samples(6000, 1)
    everybody = np.ones(len(fresh), dtype=bool)
    judgement = judge(fresh, everybody, artifact().model.of_rows(fresh.columns()))
    talk = fresh.columns()[:, 17]
    assert judgement.average_precision.value > average_precision(talk, np.array(fresh.labels))
    assert judgement.average_precision.low < judgement.average_precision.value < judgement.average_precision.high
    for mean, share, count in judgement.reliability:
        assert abs(mean - share) < 3 * (0.25 / count) ** 0.5 + 0.03


@pytest.mark.parametrize(
    ("some", "what"),
    [
        (Samples(), "0 moments of fraud and 0 of none to train on"),
        (samples(100), "to train on"),
        (samples(400), "to calibrate by"),
    ],
)
def test_too_little_to_learn_from_is_said(some: Samples, what: str) -> None:
    with pytest.raises(TrainingError, match=f"{what}.* {LEAST} of each are needed: give a larger city"):
        fit(some, split(some, []))


def test_one_class_alone_is_refused() -> None:
    made = samples()
    made.labels = [False] * len(made)
    with pytest.raises(TrainingError, match="There are 0 moments of fraud"):
        fit(made, split(made, []))


def test_the_command_writes_a_model_and_its_card(trained: Path, city: Path) -> None:
    model = read(trained)
    card = trained.with_suffix(".md").read_text(encoding="utf-8")
    assert model.name in card
    for heading in ("must not be used", "Data", "How well it does", "Reliability", "When a scam is new", "Features"):
        assert heading in card
    assert "points@1" in card
    assert "any-contact@1" in card
    assert {path.name for path in trained.parent.iterdir()} == {"risk.skops", "risk.md"}
    assert str(city) not in card  # the card publishes no local path


def test_the_same_training_gives_the_same_model_and_card(trained: Path, city: Path, tmp_path: Path) -> None:
    result = run("--city", city, "--out", tmp_path / "risk.skops", "--json")
    summary = json.loads(result.stdout)
    assert summary["model"] == read(trained).name
    assert (tmp_path / "risk.md").read_text() == trained.with_suffix(".md").read_text()
    assert set(summary["average_precision"]) == {summary["model"], "points@1", "any-contact@1"}


def cases(city: Path) -> list[str]:
    """The cases that the city's alerts would open where fraud is as rare as our policy says."""
    ours = policy_file.load(ROOT / "policy.yaml")
    operation = Operation(CityFolder(city), [Contender(PointScore(), replace(POLICY, prevalence=ours.prevalence))])
    operation.run(lambda hours: None)
    return list({issued.alert.episode: None for issued in operation.issued[0]})


def test_an_episode_weighs_the_same_however_often_it_was_judged() -> None:
    seen, made = Seen(), Samples()
    seen.moments["one", "a"] = {(float(at),): at for at in range(7)}
    seen.moments["two", "b"] = {(0.0,): 0}
    seen.moments["two", "c"] = {(0.0,): 0, (1.0,): 1}
    made.take(seen, {"three": []}, Outcomes({"c": "dissuaded"}, {}, {"c": 2}))

    weighs = np.bincount(made.episodes, weights=made.weights)
    assert np.allclose(weighs, [1.0, 1.0, OUTCOME_WEIGHT])


def feedback(case: str, outcome: str, at: int = 1_773_700_000_000) -> str:
    """The record of an outcome, as a line."""
    record = {"id": case, "case": case, "kind": "outcome", "at": at, "unit": "ps-1", "outcome": outcome}
    return json.dumps(record) + "\n"


def test_outcomes_of_officers_count_and_the_card_says_how_many(city: Path, tmp_path: Path) -> None:
    found = cases(city)[:40]
    outcomes = tmp_path / "outcomes.jsonl"
    said = ["dissuaded"] * 20 + ["false-positive"] * 12 + ["wrong-person"] * 8
    lines = [feedback(case, outcome) for case, outcome in zip(found, said, strict=True)]
    lines[0] = lines[0].replace('"at"', '"rule": 2, "at"')
    outcomes.write_text("".join(lines) + feedback("of another city", "unreachable"))
    result = run("--city", city, "--outcomes", outcomes, "--out", tmp_path / "risk.skops", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["outcomes"] == {"dissuaded": 20, "false-positive": 12, "wrong-person": 8}
    card = (tmp_path / "risk.md").read_text(encoding="utf-8")
    assert "32 by officers' outcomes (dissuaded 20, false-positive 12)" in card
    assert "8 outcomes said nothing" in card
    assert "Officers gave 31 under rule 1 and 1 under rule 2: since rule 2" in card


def without_victims(folder: Path) -> None:
    (folder / "truth.jsonl").write_text("")


def broken_line(folder: Path) -> None:
    (folder / "subscribers.jsonl").write_text("{}\n{\n")


def out_of_order(folder: Path) -> None:
    lines = (folder / "calls.jsonl").read_text().splitlines(keepends=True)
    (folder / "calls.jsonl").write_text("".join(reversed(lines)))


def no_record(folder: Path) -> None:
    with (folder / "sms.jsonl").open("a") as file:
        file.write('{"id": "m"}\n')


def no_calls(folder: Path) -> None:
    (folder / "calls.jsonl").unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without_victims, "There are 0 moments of fraud"),
        (broken_line, "subscribers.jsonl:1: "),
        (out_of_order, "calls.jsonl is not in event time"),
        (no_record, "sms.jsonl:"),
        (no_calls, "lacks calls.jsonl"),
    ],
)
def test_a_spoilt_city_is_refused_in_one_sentence(
    city: Path, trained: Path, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    folder, out = tmp_path / "city", tmp_path / "risk.skops"
    shutil.copytree(city, folder)
    shutil.copy(trained, out)
    before = out.read_bytes()
    spoil(folder)
    result = run("--city", folder, "--out", out, "--force")
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert out.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"city", "risk.skops"}


def test_what_cannot_be_asked_for_is_refused_and_nothing_written(city: Path, tmp_path: Path) -> None:
    outcomes = tmp_path / "outcomes.jsonl"
    outcomes.write_text(feedback("nobody's", "dissuaded"))
    (tmp_path / "notes.skops").write_text("no model")
    out = tmp_path / "risk.skops"
    for arguments, said in (
        (("--city", city, "--out", tmp_path / "risk.bin"), "does not end in .skops"),
        (("--city", tmp_path / "nowhere", "--out", out), "lacks calls.jsonl"),
        (("--city", city, "--outcomes", outcomes, "--out", out), f"{outcomes}:1: no episode of these cities opened"),
        (("--city", city, "--outcomes", tmp_path / "none", "--out", out), "cannot be read: No such file"),
        (("--city", city, "--leave-out", "lottery", "--out", out), "Nobody in these cities was targeted by 'lottery'"),
        (("--city", city, "--out", tmp_path / "notes.skops"), "exists and is not a model"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2, result.output
        assert said in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"outcomes.jsonl", "notes.skops"}
    assert (tmp_path / "notes.skops").read_text() == "no model"


def test_a_worse_model_replaces_a_better_one_only_when_forced(
    city: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "risk.skops"
    shutil.copy(trained, out)
    before = out.read_bytes()
    monkeypatch.setitem(PARAMETERS, "max_iter", 1)  # this model has learnt less
    refused = run("--city", city, "--out", out)
    assert refused.exit_code == 1, refused.output
    assert f"keeps {read(trained).name}, whose average precision" in refused.stderr
    assert out.read_bytes() == before
    assert run("--city", city, "--out", out, "--force").exit_code == 0
    assert out.read_bytes() != before


def test_a_folder_is_read_as_the_city_was_made(city: Path) -> None:
    folder = CityFolder(city)
    assert folder.asked is None  # the city's parameters are not known
    (city / "city.json").write_text('{"people": "many"}')
    with pytest.raises(CityError, match=r"city\.json: .*`\$\.people`"):
        CityFolder(city)
    (city / "city.json").unlink()
