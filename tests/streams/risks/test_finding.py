"""Finding: risky numbers in a ledger on disk, however its rows are spread over segments and slices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from models.base.durations import DAY, MINUTE
from models.base.number_keys import LENGTH_STEP, key_of
from models.detection.kinds import CODE
from models.detection.signals import Signal
from models.lookback.contacts import Rows, rows_of_context
from models.policy.policy import Policy
from models.risks.numbers import NumberEvidence
from streams.ledger.storage import LedgerError, Storage
from streams.risks import finding
from streams.risks.finding import Search
from streams.settings import Settings
from tests.site import call
from tests.strategies import POLICY
from tests.streams.ledger.test_ledger import AT, put, rows, sms

GANG, COURIER, FRIEND = "99900000001", "8610000000777", "8610000000888"
PEOPLE = [f"86100000{number:05}" for number in range(40)]
DAYS = [date(2026, 3, day) for day in range(10, 31)]
SINCE = datetime(2026, 3, 10, tzinfo=UTC)
BEGIN = AT - 6 * DAY


def a_call(who: str, peer: str, at: int, minutes: float, direction: str = "in") -> Iterator[dict[str, Any]]:
    """The two records of a call."""
    name = f"{peer}-{who}-{at}"
    yield call(who, at, peer=peer, id=name, direction=direction)
    end = at + int(minutes * MINUTE)
    yield call(who, end, peer=peer, id=name, direction=direction, phase="end", duration_s=minutes * 60)


def code(who: str, at: int) -> Rows:
    """The row of a verification code."""
    found = rows_of_context([(who, Signal(at, CODE, f"code-{who}-{at}", "95588"))])
    assert found is not None
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A ledger of three weeks.

    A gang calls twenty people on three days and guides three; a courier calls forty on all days; friends call
    each other.
    """
    settings = Settings(ledger=str(tmp_path / "ledger"))
    storage = Storage(settings)
    for number, day in enumerate(DAYS):
        at = BEGIN + number * DAY
        calls = [each for who in PEOPLE for each in a_call(who, COURIER, at, 0.5)]
        calls += a_call(PEOPLE[0], FRIEND, at, 5, "out")
        calls += a_call(FRIEND, PEOPLE[0], at, 5, "in")
        more: list[Rows] = []
        if number in (9, 10, 11):
            calls += [each for who in PEOPLE[number - 9 : 20 : 3] for each in a_call(who, GANG, at, 8)]
            more.append(code(PEOPLE[number - 9], at + 4 * MINUTE))
        put(
            storage,
            number,
            [*rows(calls, [sms(PEOPLE[1], at, "see https://fine.example/x", peer=COURIER)]), *more],
            day=day,
        )
    return settings


def search(settings: Settings, policy: Policy = POLICY, victims: tuple[str, ...] = ()) -> list[NumberEvidence]:
    """What a search of these three weeks finds."""
    searching = Search(settings, policy, SINCE, victims)
    return searching.numbers(searching.slices())


def test_a_gangs_number_is_found_and_a_couriers_and_a_friends_are_not(settings: Settings) -> None:
    """By all rows of three days, in whatever segments they are."""
    (got,) = search(settings, victims=(PEOPLE[0], PEOPLE[39]))

    assert (got.number, got.people, got.begun, got.guided, got.victims, got.active_days) == (GANG, 20, 0, 3, 1, 3)
    assert (got.is_subscriber, got.probability > 0.9) == (False, True)


def test_slices_of_one_number_each_give_the_same_as_one_slice(settings: Settings) -> None:
    """What is counted over all slices, as the subscribers, does not depend on the cuts."""
    edges = sorted({10 * LENGTH_STEP, key_of(GANG), key_of(GANG) + 1, key_of(COURIER), 16 * LENGTH_STEP})
    cuts = [(low, high - 1) for low, high in pairwise(edges)]

    assert len(cuts) == 4
    assert Search(settings, POLICY, SINCE, ()).numbers(cuts) == search(settings)


def test_a_large_ledger_is_cut_into_slices_that_hold_every_number_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "SLICE", 10)
    slices = Search(settings, POLICY, SINCE, ()).slices()

    assert (slices[0][0], slices[-1][1]) == (10 * LENGTH_STEP, 16 * LENGTH_STEP - 1)
    assert all(one[1] + 1 == other[0] for one, other in pairwise(slices))
    assert len(slices) > 1


def test_a_number_whose_own_records_come_in_is_one_of_this_city(settings: Settings) -> None:
    """Then a carrier of this city has it."""
    put(Storage(settings), 50, rows([*a_call(GANG, "8613900000001", BEGIN + 20 * DAY, 1, "out")]), day=DAYS[-1])

    assert [each.is_subscriber for each in search(settings)] == [True]


def test_a_number_that_the_policy_calls_well_known_is_left_out(settings: Settings) -> None:
    campaigns = replace(POLICY.campaigns, well_known=[GANG])

    assert search(settings, replace(POLICY, campaigns=campaigns)) == []


def test_what_was_before_the_time_that_was_asked_for_does_not_count(settings: Settings) -> None:
    later = Search(settings, POLICY, SINCE + timedelta(days=12), ())

    assert later.numbers(later.slices()) == []


def test_a_ledger_without_anything_is_a_sentence(tmp_path: Path) -> None:
    """So that nobody takes silence for safety."""
    with pytest.raises(LedgerError, match="has nothing from that time: does the worker have the same FOREWARN_LEDGER"):
        Search(Settings(ledger=str(tmp_path / "none")), POLICY, SINCE, ())
    with pytest.raises(LedgerError, match="FOREWARN_LEDGER is empty"):
        Search(Settings(ledger=""), POLICY, SINCE, ())
