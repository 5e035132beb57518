"""The view of cases in memory and its listeners: most urgent first, no change missed, and bounded memory."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from models.base.durations import HOUR, MINUTE
from models.casework.cases import OVER, Case, State
from models.casework.tallies import Tally, account, overdue, tallies
from streams.console.changes import Changes
from streams.console.view import View, urgency
from tests.casework import T0, Desk, alert
from tests.models.casework.test_cases import DOINGS, follow

STATES: tuple[State, ...] = ("open", "acknowledged", "in-progress", "snoozed", "withdrawn", "closed")
UNITS = ("ps-0101", "ps-0102", "sb-01")


def a_case(name: str = "e1", status: State = "open", **more: object) -> Case:
    """A case as the dispatcher opens it, with these changes."""
    case = Desk().alert(alert(episode=name))
    assert case is not None
    return replace(case, status=status, **more)


def names(found: tuple[list[Case], int]) -> list[str]:
    """The ids of the cases in an answer."""
    return [case.case for case in found[0]]


def test_the_most_severe_comes_first_then_what_is_due_first_and_what_is_over_last() -> None:
    view = View()
    view.begin(
        [
            a_case("over-before", "closed", at=T0),
            a_case("over-now", "withdrawn", at=T0 + MINUTE),
            a_case("high", severity="high", acknowledge_by=T0),
            a_case("later", acknowledge_by=T0 + 2 * MINUTE),
            a_case("sooner", acknowledge_by=T0 + MINUTE),
            a_case("in-hand", acknowledge_by=None, call_by=None, visit_by=None),
        ]
    )

    assert names(view.orders(view.units)) == ["sooner", "later", "in-hand", "high", "over-now", "over-before"]
    assert names(view.orders(view.units, limit=3, offset=3)) == ["high", "over-now", "over-before"]
    assert names(view.orders(view.units, ["withdrawn"])) == ["over-now"]
    assert view.orders(view.units, ["open"], limit=1)[1] == 4


def test_orders_are_what_sorting_everything_gives_whatever_has_happened() -> None:
    """Compared with plain sorting, over many cases that are opened, change unit and state, and leave."""
    chance = random.Random(3)
    view, plain = View(), dict[str, Case]()
    view.begin([])
    for moment in range(1500):
        name = f"e{chance.randrange(60)}"
        if chance.random() < 0.1:
            view.forget(name)
            plain.pop(name, None)
            continue
        due = chance.choice([None, T0 + chance.randrange(50)])
        at = T0 + moment
        had = tuple(chance.sample(UNITS, chance.randrange(3)))
        more = {
            "unit": chance.choice(UNITS),
            "had": had,
            "at": at,
            "acknowledge_by": due,
            "opened": T0 + chance.randrange(9),
        }
        case = a_case(name, chance.choice(STATES), severity=chance.choice(["urgent", "high"]), **more)
        view.put(case)
        plain[name] = case
        if moment % 25:
            continue
        units, states = chance.sample(UNITS, 2), chance.sample(STATES, chance.randrange(4))
        asked = [each for each in plain.values() if each.unit in units and (not states or each.status in states)]
        current = sorted((each for each in asked if each.status not in OVER), key=urgency)
        over = sorted((each for each in asked if each.status in OVER), key=lambda each: -each.at)
        offset, limit = chance.randrange(20), chance.randrange(1, 30)
        found, total = view.orders(units, states, limit, offset)
        assert found == (current + over)[offset : offset + limit]
        assert total == len(asked)
        elsewhere = [each for each in plain.values() if each.status not in OVER and each.unit not in units]
        assert view.gone(units) == sorted((each for each in elsewhere if set(each.had) & set(units)), key=urgency)
    assert view.units == {case.unit for case in plain.values()}


async def test_who_waits_for_a_case_is_woken_by_its_change_alone() -> None:
    view = View()
    view.begin([a_case()])
    waiting = asyncio.create_task(view.changed("e1", 5))
    other = asyncio.create_task(view.changed("e2", 0.05))
    await asyncio.sleep(0)
    view.put(a_case(status="acknowledged"))
    assert await waiting
    assert not await other
    gone = asyncio.create_task(view.changed("e1", 5))
    await asyncio.sleep(0)
    view.forget("e1")

    assert await gone
    assert view.case("e1") is None
    assert not view._waiting


async def test_a_view_that_is_made_anew_wakes_and_reloads_everybody() -> None:
    view = View()
    view.begin([a_case()])
    waiting = asyncio.create_task(view.changed("e1", 5))
    with view.subscribe() as listener:
        await asyncio.sleep(0)
        view.begin([a_case("e2")])
        assert await waiting
        change = await listener.next(1)

    assert change is not None
    assert change.case is None
    assert [case.case for case in view.cases()] == ["e2"]


async def heard(changes: Changes, after: str) -> list[str | None]:
    """The changes that a listener gets at once on reconnecting after this change."""
    with changes.listen(after) as listener:
        found = []
        while (change := await listener.next(0)) is not None:
            found.append(None if change.case is None else change.case.case)
        return found


async def test_who_comes_back_gets_what_he_has_missed_once_and_in_order() -> None:
    changes = Changes()
    begun = changes.last
    with changes.listen() as listener:
        for number in range(3):
            changes.tell(a_case(f"e{number}"))
        first = await listener.next(0)
    assert first is not None
    assert await heard(changes, first.id) == ["e1", "e2"]
    assert await heard(changes, begun) == ["e0", "e1", "e2"]
    assert await heard(changes, changes.last) == []
    assert await heard(changes, "") == []


@pytest.mark.parametrize("after", ["00000000-1", "x", "-", "{era}-99", "{era}--1", "{era}-0", "{era}-²"])
async def test_who_comes_back_with_what_is_not_known_any_more_reads_everything_anew(after: str) -> None:
    changes = Changes(kept=2)
    for number in range(3):
        changes.tell(a_case(f"e{number}"))
    assert await heard(changes, after.format(era=changes.last.partition("-")[0])) == [None]


async def test_who_does_not_keep_up_is_told_to_read_everything_anew_and_then_goes_on() -> None:
    changes = Changes(waiting=3)
    case = a_case()
    with changes.listen() as listener:
        for _ in range(50):
            changes.tell(case)
            assert len(listener._heard) <= 3
        change = await listener.next(0)
        assert change is not None
        assert (change.case, change.id) == (None, changes.last)
        assert await listener.next(0) is None
        changes.tell(case)
        change = await listener.next(0)

    assert change is not None
    assert change.case == case
    assert not changes.listeners


async def test_a_listener_is_let_go_when_the_console_stops_whenever_it_came() -> None:
    changes = Changes()
    with changes.listen() as listener:
        waiting = asyncio.create_task(listener.next(5))
        await asyncio.sleep(0)
        changes.close()
        assert await waiting is None
        assert listener.closed
    with changes.listen() as late:
        assert late.closed


@settings(max_examples=50)
@given(doings=st.lists(DOINGS, max_size=25), hours=st.integers(0, 48))
def test_what_is_over_since_yesterday_adds_nothing_to_the_figures_of_today(doings: list[Any], hours: int) -> None:
    desk, view, since = Desk(), View(), T0 + hours * HOUR
    follow(desk, doings)
    view.begin(desk.board.cases.values())
    now = max([since, *(case.at for case in view.cases())])

    some, everything = tallies(view.since(since), now, since), tallies(map(account, view.cases()), now, since)
    assert {unit: tally for unit, tally in some.items() if tally != Tally()} == {
        unit: tally for unit, tally in everything.items() if tally != Tally()
    }


@settings(max_examples=50)
@given(doings=st.lists(DOINGS, max_size=25), minutes=st.lists(st.integers(0, 72 * 60), max_size=20))
def test_an_account_says_at_any_time_whether_a_deadline_was_missed(doings: list[Any], minutes: list[int]) -> None:
    desk = Desk()
    follow(desk, doings)
    for case in desk.board.cases.values():
        for now in (T0 + minute * MINUTE for minute in minutes):
            assert (account(case).late_from <= now) == (overdue(case, now) is not None)


def test_an_account_is_made_anew_when_something_becomes_of_its_case() -> None:
    view = View()
    view.begin([a_case("e1"), a_case("e2")])
    before = view.since(T0)
    view.put(replace(before[0].case, status="closed", outcome="false-alarm"))
    view.forget("e2")

    assert [each.is_open for each in before] == [True, True]
    assert [(each.case.case, each.is_open) for each in view.since(T0)] == [("e1", False)]
