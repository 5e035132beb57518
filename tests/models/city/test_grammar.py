"""The grammar of scams: drawn scripts can be played, read again as files, and are as varied as they promise."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from models.base.durations import DAY
from models.city.acting import Lines, Truth, day_of_gangs
from models.city.chance import BEGIN
from models.city.grammar import OPENINGS, PAYERS, scripts
from models.city.scripts import Spread
from models.events.event import LONGEST_TALK
from models.indicators.indicator import SCAM_TYPES
from streams.files.scam_scripts import read_scripts, write_scripts

DRAWN = scripts(60, seed=4)
PEOPLE, DAYS = 200_000, 14


@pytest.fixture(scope="module")
def truths() -> list[Truth]:
    """Everybody whom the gangs of the drawn scripts have tried in two weeks."""
    lines, end = Lines(seed=3, next_index=10**7, known_share=0.4, known_after_h=6), BEGIN + DAYS * DAY
    days = (
        day_of_gangs(DRAWN, day, 3, lines, PEOPLE, lambda _, rng: rng.randrange(PEOPLE), str, end)
        for day in range(DAYS)
    )
    return [truth for day in days for _, truth in day]


def test_the_same_seed_draws_the_same_scripts_and_another_one_others() -> None:
    assert scripts(60, seed=4) == DRAWN
    assert scripts(60, seed=5) != DRAWN


def test_each_opening_is_drawn_and_hardly_two_scripts_have_the_same_steps() -> None:
    assert {name.split("-")[1] for name, _ in DRAWN} == set(OPENINGS)
    assert {script.scam_type for _, script in DRAWN} <= set(SCAM_TYPES)
    assert len({tuple(step.do for step in script.steps) for _, script in DRAWN}) >= 50


def test_a_drawn_script_can_be_read_again_as_a_file(tmp_path: Path) -> None:
    write_scripts(DRAWN, tmp_path / "scripts")

    assert sorted(read_scripts(tmp_path / "scripts")) == sorted(DRAWN)


def test_as_many_people_pay_as_is_promised_and_few_of_those_who_are_tried(truths: list[Truth]) -> None:
    """Whoever is met late has not paid when the two weeks end, so a few are missing."""
    paid = sum(truth.paid_at is not None for truth in truths)

    assert 0.6 < paid / (PAYERS * PEOPLE / 100_000 * DAYS) < 1.2
    assert paid < 0.1 * len(truths)


def test_nearly_every_script_has_victims_in_a_large_city(truths: list[Truth]) -> None:
    assert len({truth.script for truth in truths if truth.paid_at is not None}) >= 50


def test_no_call_is_longer_than_a_record_may_say() -> None:
    hours = Spread(median=700.0, factor=3.0)
    name, script = DRAWN[0]
    steps = [replace(step, talk_min=hours) if step.talk_min is not None else step for step in script.steps]
    lines, end = Lines(seed=3, next_index=10**7, known_share=0.4, known_after_h=6), BEGIN + DAYS * DAY
    days = (
        day_of_gangs([(name, replace(script, steps=steps))], day, 3, lines, PEOPLE, lambda _, rng: 0, str, end)
        for day in range(DAYS)
    )

    assert max(each.talk_s for day in days for happened, _ in day for each in happened) == LONGEST_TALK
