"""Call patterns: which calls follow a code, a talk or an answer, however the records are split into pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.base.durations import DAY, HOUR
from models.lookback.call_patterns import AGAIN, ANSWERED, CODE_BEFORE, Company, Leading, Led, Talks, Traces
from tests.models.lookback.test_suspicion import RULES
from tests.strategies import T0

UNIT = 10_000
"""The unit of times in this module, in ms: tens of seconds from `T0`, so that times often coincide."""

Call = tuple[int, int, int, int, bool]
"""Number, person, end, seconds of talk, and whether the person was the caller."""
Code = tuple[int, int]
"""Person and time."""
Answer = tuple[int, int, int]
"""Number, person and time."""
NUMBERS, PEOPLE, TIMES = st.integers(1, 3), st.integers(1, 4), st.integers(0, 2000)
CALLS = st.lists(st.tuples(NUMBERS, PEOPLE, TIMES, st.sampled_from((0, 30, 60, 179, 180, 400)), st.booleans()))
CODES = st.lists(st.tuples(PEOPLE, TIMES), max_size=10)
ANSWERS = st.lists(st.tuples(NUMBERS, PEOPLE, st.integers(-9000, 2000)), max_size=10)


def columns(records: Sequence[Any], width: int) -> Any:
    """Columns of records."""
    return np.array(records, dtype=np.int64).reshape(-1, width).T


def taken(leading: Leading, calls: Sequence[Call], codes: Sequence[Code], answers: Sequence[Answer] = ()) -> list[Led]:
    """Give the records to ``leading``; returns the calls that it finds."""
    numbers, people, ends, seconds, out = columns(calls, 5)
    whose, came = columns(codes, 2)
    answered, who, sent = columns(answers, 3)
    return leading.take(
        Talks(numbers, people, T0 + ends * UNIT, seconds.astype(np.float64), out > 0),
        Traces.of_codes(whose, T0 + came * UNIT),
        Traces.of_pairs(who, answered, T0 + sent * UNIT),
        RULES,
    )


def by_hand(calls: Sequence[Call], codes: Sequence[Code], answers: Sequence[Answer]) -> set[Led]:
    """The same result, computed record by record from all records at once."""
    found: set[Led] = set()
    for number, who, end, seconds, out in calls:
        ended, began = end * UNIT, end * UNIT - seconds * 1000
        came = [at * UNIT for person, at in codes if person == who]
        spoken = [
            at * UNIT for peer, person, at, some, by in calls if (peer, person) == (number, who) and some and not by
        ]
        sent = [at * UNIT for peer, person, at in answers if (peer, person) == (number, who)]
        guided = seconds >= 180 and any(began <= at <= ended for at in came)
        led = seconds >= 180 and any(began - AGAIN <= at <= began for at in spoken)
        led |= any(began - CODE_BEFORE <= at <= began for at in came)
        led |= any(began - ANSWERED <= at <= began for at in sent)
        if seconds >= 60 and (guided or (led and not out)):
            found.add(Led(T0 + ended, number, who, guided))
    return found


@given(CALLS, CODES, ANSWERS, st.data())
def test_a_call_meets_what_it_follows_in_whatever_pieces_and_order_they_come(
    calls: list[Call], codes: list[Code], answers: list[Answer], data: st.DataObject
) -> None:
    records: list[tuple[int, Any]] = [(0, each) for each in calls] + [(1, each) for each in codes]
    records = data.draw(st.permutations(records + [(2, each) for each in answers]))
    leading, found = Leading(2 * DAY), set[Led]()  # times span more than a day, and nothing is to be forgotten
    while records:
        count = data.draw(st.integers(1, len(records)))
        some, records = records[:count], records[count:]
        piece = taken(leading, *([each for kind, each in some if kind == wanted] for wanted in range(3)))
        assert sorted(piece) == piece
        found |= {*piece}
    expected = by_hand(calls, codes, answers)
    guided = {each for each in found if each.is_guided}
    assert guided == {each for each in expected if each.is_guided}
    # A call may have been found for another reason before its code arrived.
    assert {each[:3] for each in found} == {each[:3] for each in expected}


def test_what_is_hours_away_is_forgotten_and_a_wrong_clock_drives_nothing_out() -> None:
    leading = Leading(4 * HOUR)
    taken(leading, [], [(1, 0), (2, 10**7), (3, 1), (3, 2)])
    calls = [(7, 1, 10, 300, False), (8, 2, 10**7, 300, False)]
    assert taken(leading, calls, []) == [Led(T0 + 100_000, 7, 1, True)]
    taken(leading, [], [(9, 10**8)])
    assert taken(leading, [(7, 1, 11, 300, False)], []) == [Led(T0 + 110_000, 7, 1, True)]
    answers = [(7, 1, 1000), (9, 2, -(10**8))]
    assert taken(leading, [(7, 1, 1200, 100, False)], [], answers) == [Led(T0 + 12_000_000, 7, 1, False)]
    for later in range(3):
        taken(leading, [], [(4, 4000 + later)])  # more than eleven hours later
    assert taken(leading, [(7, 1, 10, 300, False)], []) == []
    assert taken(leading, [], []) == []


def test_the_ledger_is_asked_about_whoever_guides_one_person_or_leads_two_on() -> None:
    company = Company()
    led = Led(T0, 7, 1, False)

    assert not company.gives_cause(led)
    assert not company.gives_cause(led)  # the same person again
    assert company.gives_cause(led._replace(person=2))
    assert company.gives_cause(Led(T0, 8, 1, True))


def test_what_is_days_old_gives_no_cause_and_to_whom_people_turn_gives_none_for_a_day() -> None:
    company = Company()
    led = Led(T0, 7, 1, False)
    company.gives_cause(led)

    later = led._replace(end=T0 + 3 * DAY)

    assert not company.gives_cause(later._replace(person=2))
    assert company.gives_cause(later._replace(person=3, end=later.end + DAY + 1))
    company.trust(7)
    assert not company.gives_cause(later._replace(person=4, is_guided=True))
