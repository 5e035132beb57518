"""The unseen scripts: each can be played, has its sources and its victims, and is none of Forewarn's own."""

from __future__ import annotations

from pathlib import Path

from models.base.durations import DAY
from models.city.acting import Lines, day_of_gangs
from models.city.chance import BEGIN
from models.indicators.indicator import SCAM_TYPES
from streams.files.scam_scripts import OURS, read_scripts

FOLDER = Path(__file__).parents[3] / "bench" / "quality" / "unseen"
UNSEEN = read_scripts(FOLDER)
PEOPLE = 40_000


def test_the_set_has_many_families_of_known_types_and_shares_none_with_forewarns_own() -> None:
    names = {name for name, _ in UNSEEN}

    assert len(names) >= 12
    assert names & {name for name, _ in read_scripts(OURS)} == set()
    assert {script.scam_type for _, script in UNSEEN} <= set(SCAM_TYPES)
    assert len({tuple(step.do for step in script.steps) for _, script in UNSEEN}) == len(UNSEEN)


def test_each_script_names_the_accounts_that_it_was_written_from() -> None:
    for path in FOLDER.glob("*.yaml"):
        head = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]

        assert any(line.startswith("# Accounts: ") for line in head), path.name
        assert any("# From them: " in line for line in head), path.name
        assert "Ours: " in " ".join(head).replace("# ", ""), path.name


def test_each_script_has_victims_in_a_small_city() -> None:
    lines, end = Lines(seed=3, next_index=10**7, known_share=0.4, known_after_h=6), BEGIN + 14 * DAY
    victims = {
        truth.script
        for day in range(14)
        for _, truth in day_of_gangs(UNSEEN, day, 3, lines, PEOPLE, lambda _, rng: rng.randrange(PEOPLE), str, end)
        if truth.paid_at is not None
    }

    assert victims == {name for name, _ in UNSEEN}
