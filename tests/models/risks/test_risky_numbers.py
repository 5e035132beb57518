"""Risky numbers: which numbers call strangers, and what speaks for a gang's number and what against it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from models.base.durations import DAY, MINUTE
from models.base.number_keys import key_of
from models.events.scanning import ENDED, OUT
from models.lookback.contacts import SMS
from models.lookback.hunting import Contact
from models.risks.numbers import (
    COVERED_DAYS,
    LISTED,
    SHORT_DAYS,
    NumberEvidence,
    Surroundings,
    evidence,
    scored,
    strangers,
)
from tests.models.lookback.test_suspicion import RULES, talk
from tests.strategies import CROOK, T0

NUMBER = key_of(CROOK)
AROUND = Surroundings(prevalence=0.85, people=100_000, victims=20, covered_days=30)
KNOWN = NumberEvidence(number=CROOK, people=60, calls=60, active_days=30, first_seen=T0, last_seen=T0)


def chance(around: Surroundings = AROUND, **facts: Any) -> float:
    """The probability of a number with these facts and otherwise `KNOWN` ones."""
    return scored(replace(KNOWN, **facts), around).probability


def found(rows: list[tuple[str, int, int, int]]) -> list[int]:
    """The numbers that called strangers, by rows of number, person, minute and kind."""
    keys, people, minutes, whats = zip(*rows, strict=True)
    return strangers(
        np.array([key_of(each) for each in keys], dtype=np.int64),
        np.array(people, dtype=np.int64),
        np.array(minutes, dtype=np.int64),
        np.array(whats, dtype=np.uint8),
        RULES,
    )


def test_a_number_calls_strangers_if_it_called_enough_people_of_whom_hardly_any_called_first() -> None:
    """The tenth of ten people may have called first, the ninth of nine may not; two people are too few."""
    three = [("99900000003", who, 0, 0) for who in range(3)]
    two = [("99900000002", who, 0, 0) for who in range(2)] * 2
    nine = [("99900000009", who, 0, OUT if who == 8 else 0) for who in range(9)]
    ten = [("99900000010", who, 0, OUT if who == 9 else 0) for who in range(10)]

    assert found([*ten, *nine, *three, *two]) == [key_of("99900000003"), key_of("99900000010")]


def test_who_called_first_is_decided_by_time_and_not_by_the_order_of_rows() -> None:
    """A segment is sorted by number alone."""
    answered = [(CROOK, who, minute, what) for who in range(3) for minute, what in ((9, OUT), (1, SMS))]

    assert found(answered) == [NUMBER]
    assert found([(who, person, -minute, what) for who, person, minute, what in answered]) == []


def test_a_ledger_without_contacts_has_no_strangers() -> None:
    nothing = np.zeros(0, dtype=np.int64)

    assert strangers(nothing, nothing, nothing, nothing.astype(np.uint8), RULES) == []


def test_evidence_counts_people_calls_days_and_victims() -> None:
    """Records of one call count once, and a person who was defrauded counts once, however often the number called."""
    contacts = [*talk(1, 0, 10.0), *talk(1, 60, 5.0), *talk(2, 0, 1.0), *talk(3, 0, 1.0, OUT)]
    contacts += [each._replace(subscriber=4, at=each.at + 3 * DAY) for each in talk(4, 0, 1.0)]

    got = evidence(NUMBER, contacts, {1: [T0 + 5 * MINUTE]}, {1, 4, 99}, RULES)

    assert (got.number, got.people, got.begun, got.calls, got.victims) == (CROOK, 4, 1, 4, 2)
    assert (got.guided, got.about_codes, got.again, got.active_days) == (1, 1, 0, 2)
    assert (got.first_seen, got.last_seen) == (T0, max(each.at for each in contacts))


def test_a_number_that_only_calls_many_strangers_is_far_from_listed() -> None:
    """Couriers and telemarketers do so all day."""
    assert chance() < 0.01
    assert chance(active_days=1) < 0.05 < LISTED


def test_a_life_is_short_up_to_six_days() -> None:
    assert chance(active_days=SHORT_DAYS) > 2 * chance(active_days=SHORT_DAYS + 1)


def test_a_new_site_knows_nothing_of_lives() -> None:
    """Until the ledger covers two weeks, every number looks new."""
    new, known = (replace(AROUND, covered_days=days) for days in (COVERED_DAYS - 1, COVERED_DAYS))

    assert chance(new, active_days=1) == chance(new, active_days=9)
    assert chance(known, active_days=1) > chance(known, active_days=9)


def test_two_victims_among_sixty_people_list_a_number_and_two_among_the_whole_city_do_not() -> None:
    """Who calls everybody has called victims as well."""
    assert chance(victims=2) > LISTED
    assert chance(victims=2, people=30_000, calls=30_000) < 0.01


def test_without_any_case_victims_count_neither_way() -> None:
    none = replace(AROUND, victims=0)

    assert chance(none) == pytest.approx(chance(replace(none, people=10)))


def test_where_fraud_is_rarer_more_must_speak_for_it() -> None:
    led: dict[str, Any] = {"about_codes": 2, "active_days": 3}

    assert (
        chance(replace(AROUND, prevalence=17.0), **led)
        > chance(**led)
        > chance(replace(AROUND, prevalence=0.01), **led)
    )


def test_a_call_that_ended_and_its_beginning_are_one_call() -> None:
    """Kinds are bits: the end of a call from the person is still from the person."""
    begun = [Contact(NUMBER, who, NUMBER, T0, OUT | ENDED, 60.0, "c", "") for who in (1, 2, 3)]

    assert evidence(NUMBER, begun, {}, (), RULES).begun == 3
