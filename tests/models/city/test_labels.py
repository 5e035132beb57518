"""Labels: whether a person is being defrauded at a moment, by the simulation and by officers' outcomes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.base.durations import DAY, HOUR, MINUTE
from models.city.acting import Truth
from models.city.chance import BEGIN
from models.city.labels import OUTCOMES, is_defrauded
from streams.training.outcomes import SILENT, OutcomeError, of_file

SCHEMA = Path(__file__).parents[3] / "schemas" / "dispatch-feedback-v2.json"


def truth(paid_at: int | None = None, **stages: int) -> Truth:
    """A person whom a gang tried at the first midnight."""
    return Truth("1", "loan", "loan", "loan-0-0", BEGIN, stages, paid_at, 0, [])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "defrauded"),
    [
        (BEGIN - 11 * MINUTE, False),
        (BEGIN - 10 * MINUTE, True),  # for example a code shortly before the first contact
        (BEGIN + 5 * HOUR, True),
        (BEGIN + 5 * HOUR + DAY, True),
        (BEGIN + 5 * HOUR + DAY + 1, False),
    ],
)
def test_a_fraud_lasts_from_its_first_contact_to_a_day_after_its_last(at: int, defrauded: bool) -> None:
    assert is_defrauded([truth(medium=BEGIN + 2 * HOUR, deep=BEGIN + 5 * HOUR)], at) == defrauded
    assert is_defrauded([truth(paid_at=BEGIN + 5 * HOUR)], at) == defrauded


def test_whoever_hung_up_was_not_defrauded() -> None:
    assert not is_defrauded([truth(shallow=BEGIN)], BEGIN)
    assert not is_defrauded([], BEGIN)


def test_every_outcome_of_the_contract_is_a_label_or_says_nothing() -> None:
    contract = json.loads(SCHEMA.read_text(encoding="utf-8"))["properties"]["outcome"]["enum"]
    assert set(contract) == {*OUTCOMES, *SILENT}
    assert not SILENT & OUTCOMES.keys()


def feedback(case: str, at: int, outcome: str | None = None, kind: str = "outcome", **more: int) -> str:
    """A record of the topic, as a line."""
    record = {"id": f"{case}-{at}", "case": case, "kind": kind, "at": BEGIN + at, "unit": "ps-1"} | more
    return json.dumps(record | ({"outcome": outcome} if outcome else {}))


def written(folder: Path, lines: Sequence[str]) -> Path:
    """A file with these lines."""
    (folder / "outcomes.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "outcomes.jsonl"


def test_the_last_outcome_of_a_case_counts_and_what_is_no_outcome_is_passed_over(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        [
            feedback("a", 5, "unreachable"),
            feedback("a", 2, kind="attempt"),
            feedback("b", 3, "dissuaded", rule=2),
            feedback("a", 9, "false-positive"),
            feedback("b", 1, "unreachable"),  # earlier in time, but later in the file
            "",
            feedback("c", 1, "wrong-person"),
        ],
    )
    outcomes = of_file(path)
    assert outcomes.by_case == {"a": "false-positive", "b": "dissuaded", "c": "wrong-person"}
    assert outcomes.unknown(["b"]) == ["a"]  # a wrong person's episode need not be known
    assert outcomes.places["a"] == f"{path}:4"
    assert outcomes.rules == {"a": 1, "b": 2, "c": 1}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "JSON is malformed"),
        ('{"case": "a", "kind": "outcome"}', "missing required field `at`"),
        (feedback("a", 1, "rescued"), "'rescued' is not one of already-aware, already-harmed"),
        (feedback("a", 1), "'' is not one of"),
        (feedback("a", 1, kind="closed"), "Invalid enum value 'closed'"),
    ],
)
def test_a_wrong_record_is_named_by_its_line(tmp_path: Path, line: str, said: str) -> None:
    path = written(tmp_path, [feedback("b", 3, "dissuaded"), line])
    with pytest.raises(OutcomeError, match=said) as caught:
        of_file(path)
    assert str(caught.value).startswith(f"{path}:2: ")
