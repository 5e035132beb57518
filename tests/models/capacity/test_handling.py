"""A station's queue: nobody is in two places, nothing happens too early, and the severe come first."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base.durations import DAY, HOUR, MINUTE
from models.capacity.handling import Work, by_station, handle, load
from models.capacity.orders import Needs, Order, Steps, needs_of
from models.capacity.roster import Roster, RosterError, Shift
from models.city.scripts import Spread
from models.policy.policy import Deadlines, Severity

DEADLINES: Final[dict[Severity, Deadlines]] = {
    "urgent": Deadlines(acknowledge=2, call=5, visit=30),
    "high": Deadlines(acknowledge=15, call=60, visit=1440),
    "medium": Deadlines(acknowledge=240, call=1440),
}


def always(minutes: float) -> Spread:
    """The same number of minutes every time."""
    return Spread(median=minutes, factor=1.0)


def steps(answered: float = 1.0, **changed: Any) -> Steps:
    """One minute to acknowledge, ten for a call, eight to the door and half an hour there."""
    return Steps(
        acknowledge=always(1), call=always(10), travel=always(8), visit=always(30), answered=answered, **changed
    )


def around_the_clock(officers: int) -> Roster:
    """The same number of officers at all hours."""
    return Roster([Shift(since=0, officers=officers)], 0)


def order(number: int, severity: Severity, minutes: float, recalled: float | None = None) -> Order:
    """An order that is raised some minutes after the epoch."""
    ends = None if recalled is None else int(recalled * MINUTE)
    return Order(id=f"o{number}", station="ps-1", severity=severity, raised=int(minutes * MINUTE), recalled=ends)


def minutes(at: int | None) -> float | None:
    """A time in minutes after the epoch."""
    return None if at is None else at / MINUTE


@st.composite
def some_orders(draw: st.DrawFn) -> list[Order]:
    """Up to twenty orders within two hours, of which some are called back."""
    raised = draw(st.lists(st.integers(0, 120), min_size=1, max_size=20))
    found = []
    for number, at in enumerate(raised):
        recalled = draw(st.none() | st.integers(at + 1, at + 90))
        found.append(order(number, draw(st.sampled_from(list(DEADLINES))), at, recalled))
    return found


def some_shifts() -> st.SearchStrategy[list[Shift]]:
    """One to three shifts, with an officer in at least one of them."""
    shift = st.builds(Shift, since=st.integers(0, 23), officers=st.integers(0, 3))
    shifts = st.lists(shift, min_size=1, max_size=3, unique_by=lambda each: each.since)
    return shifts.filter(lambda some: any(each.officers for each in some))


WIDE: Final = Steps(
    acknowledge=Spread(median=1), call=Spread(median=10), travel=Spread(median=8), visit=Spread(median=30), answered=0.6
)


@settings(max_examples=40, deadline=None)
@given(orders=some_orders(), shifts=some_shifts(), seed=st.integers(0, 9))
def test_nobody_is_in_two_places_and_nothing_begins_before_its_order_or_after_its_recall(
    orders: list[Order], shifts: list[Shift], seed: int
) -> None:
    """Whatever the orders, the shifts and the luck."""
    handled, works = handle(orders, Roster(shifts, 0), WIDE, DEADLINES, seed)

    officers: dict[int, list[Work]] = {}
    for work in works:
        officers.setdefault(work.officer, []).append(work)
    for one in officers.values():
        assert all(before.end <= after.begin for before, after in pairwise(one))
    ends = {each.id: each for each in orders}
    for work in works:
        recalled = ends[work.order].recalled
        assert ends[work.order].raised <= work.begin < (recalled if recalled is not None else work.end)
    assert [each.order for each in handled] == orders
    assert sum(each.officer_ms for each in handled) == sum(load(works).values())


@settings(max_examples=40, deadline=None)
@given(orders=some_orders(), shifts=some_shifts(), seed=st.integers(0, 9))
def test_no_more_officers_begin_than_are_on_duty_and_nobody_idles_while_a_call_waits(
    orders: list[Order], shifts: list[Shift], seed: int
) -> None:
    """Seen at the beginning of each task, and at the moment at which an order was raised."""
    roster = Roster(shifts, 0)
    handled, works = handle(orders, roster, WIDE, DEADLINES, seed)

    for work in works:
        assert sum(each.begin <= work.begin < each.end for each in works) <= roster.officers(work.begin)
    begun = {work.order: work.begin for work in works if work.task == "call"}
    for each in handled:
        waits = begun.get(each.order.id, each.order.recalled or 0) > each.order.raised
        if waits:
            at_work = sum(work.begin <= each.order.raised < work.end for work in works)
            assert at_work >= roster.officers(each.order.raised)


@settings(max_examples=40, deadline=None)
@given(
    raised=st.lists(st.integers(0, 120), min_size=1, max_size=20),
    few=st.integers(0, 2),
    more=st.integers(1, 2),
    seed=st.integers(0, 9),
)
def test_with_more_officers_no_order_of_one_severity_waits_longer(
    raised: list[int], few: int, more: int, seed: int
) -> None:
    """Nobody overtakes among equals, so each call begins no later."""
    orders = [order(number, "medium", at) for number, at in enumerate(sorted(raised))]
    shifts = [Shift(since=0, officers=few), Shift(since=1, officers=1)]
    others = [Shift(since=0, officers=few + more), Shift(since=1, officers=1 + more)]
    before, _ = handle(orders, Roster(shifts, 0), WIDE, DEADLINES, seed)
    after, _ = handle(orders, Roster(others, 0), WIDE, DEADLINES, seed)

    assert all((b.called or 0) <= (a.called or 0) for a, b in zip(before, after, strict=True))


def test_the_severe_come_first_and_nobody_leaves_a_call_for_them() -> None:
    """Of two that wait, the urgent one is called first, although it came last."""
    orders = [order(1, "high", 0), order(2, "high", 1), order(3, "urgent", 2)]
    (first, second, urgent), _ = handle(orders, around_the_clock(1), steps(), DEADLINES, 0)

    assert [minutes(each.called) for each in (first, urgent)] == [1, 12]
    assert minutes(urgent.visited) == 30  # the only officer calls first and then drives
    assert minutes(second.called) == 69
    assert second.missed == ("acknowledge", "call")
    assert urgent.missed == ("acknowledge", "call")


def test_a_second_officer_drives_off_while_the_first_calls() -> None:
    """Only for an urgent order; a person who was reached needs no visit for a high one."""
    (urgent, high), works = handle(
        [order(1, "urgent", 0), order(2, "high", 60)], around_the_clock(2), steps(), DEADLINES, 0
    )

    assert (minutes(urgent.spoke), minutes(urgent.visited)) == (11, 9)
    assert (minutes(high.spoke), high.visited, high.missed) == (71, None, ())
    assert {work.officer for work in works if work.order == "o1"} == {0, 1}


def test_who_does_not_answer_is_visited_unless_the_severity_asks_for_none() -> None:
    """After the call, by whoever is free."""
    (high, medium), _ = handle(
        [order(1, "high", 0), order(2, "medium", 0)], around_the_clock(2), steps(answered=0.0), DEADLINES, 0
    )

    assert (high.spoke, minutes(high.visited)) == (None, 19)
    assert (medium.spoke, medium.visited, medium.missed) == (None, None, ())


def test_orders_wait_for_the_next_shift_and_the_last_one_goes_on_over_midnight() -> None:
    """At night nobody is on duty; the midnight is the station's own."""
    roster = Roster([Shift(since=8, officers=1), Shift(since=20, officers=0)], midnight=-3 * HOUR)
    (found,), works = handle([order(1, "high", 0)], roster, steps(), DEADLINES, 0)

    assert [roster.officers(each * HOUR) for each in (0, 4, 5, 16, 17, 24)] == [0, 0, 1, 1, 0, 0]
    assert roster.next_change(18 * HOUR) == 5 * HOUR + DAY
    assert works[0].begin == 5 * HOUR
    assert found.missed == ("acknowledge", "call")


def test_what_is_called_back_is_not_begun_and_misses_no_later_deadline() -> None:
    """An order called back while it waits costs nothing; its visit is not made if it is called back during the call."""
    (first, waiting), _ = handle(
        [order(1, "high", 0, recalled=5), order(2, "high", 1, recalled=10)],
        around_the_clock(1),
        steps(answered=0.0),
        DEADLINES,
        0,
    )

    assert (minutes(first.called), first.visited, first.officer_ms) == (1, None, 11 * MINUTE)
    assert (waiting.called, waiting.officer_ms, waiting.missed) == (None, 0, ())


def test_an_hour_holds_the_parts_of_the_work_that_fall_into_it() -> None:
    """A task over the full hour counts in both."""
    _, works = handle([order(1, "medium", 55)], around_the_clock(1), steps(), DEADLINES, 0)

    assert load(works) == {("ps-1", 0): 5 * MINUTE, ("ps-1", HOUR): 6 * MINUTE}


def test_the_minutes_of_an_order_depend_on_its_id_and_the_seed_alone() -> None:
    """So two policies are compared over the same luck."""
    early, late = order(1, "high", 0), order(1, "urgent", 99)
    needs: list[Needs] = [needs_of(each, WIDE, seed) for each, seed in ((early, 1), (late, 1), (early, 2))]

    assert needs[0] == needs[1] != needs[2]


def test_each_station_has_a_queue_of_its_own() -> None:
    """The orders of each, in their order."""
    here, there = order(1, "high", 0), Order(id="o2", station="ps-2", severity="high", raised=0)

    assert by_station([here, there, here]) == {"ps-1": [here, here], "ps-2": [there]}


@pytest.mark.parametrize(
    ("shifts", "problem"),
    [
        ([Shift(since=8, officers=1), Shift(since=8, officers=2)], "same hour"),
        ([Shift(since=8, officers=0)], "Nobody is on duty"),
        ([], "Nobody is on duty"),
    ],
)
def test_shifts_that_no_station_can_have_are_refused(shifts: list[Shift], problem: str) -> None:
    """One sentence says why."""
    with pytest.raises(RosterError, match=problem):
        Roster(shifts, 0)


def test_an_order_whose_severity_sends_nobody_is_refused() -> None:
    """A severity without deadlines is the caller's mistake."""
    with pytest.raises(KeyError):
        handle([order(1, "low", 0)], around_the_clock(1), steps(), DEADLINES, 0)
