"""Handling: plays one station's queue of orders, officer by officer.

Each order is acknowledged and called by one officer in one go. A visit is a task of its own, so another officer may
already be on the way while the call is made. Whoever is free takes the most severe task, and of these the one that is
due first. Nobody leaves a task before it is done, not even for something urgent; so with severities mixed, one more
officer can begin a long task that is in the way of an urgent one, and waits can grow. Among orders of one severity that
need no visit they never do. An officer whose shift ends finishes the task, and counts as on duty until then.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Literal

from msgspec import Struct

from models.base.durations import HOUR, MINUTE
from models.capacity.orders import Needs, Order, Steps, needs_of
from models.capacity.roster import Roster
from models.policy.policy import SEVERITIES, Deadlines, Severity

Task = Literal["call", "visit"]
Step = Literal["acknowledge", "call", "visit"]


class Work(Struct, frozen=True, kw_only=True):
    """One task of one officer, from its beginning to its end in epoch milliseconds."""

    order: str
    station: str
    task: Task
    officer: int
    """The number of the officer among those at work in the station, from 0."""
    begin: int
    end: int


class Handled(Struct, kw_only=True):
    """What became of an order. Times are epoch milliseconds; None is what did not happen before it was called back."""

    order: Order
    needs: Needs
    acknowledged: int | None = None
    called: int | None = None
    """When an officer dialled."""
    spoke: int | None = None
    """When the call had been had; None also if nobody answered."""
    visited: int | None = None
    """When an officer was at the door."""
    officer_ms: int = 0
    """The officers' time."""
    missed: tuple[Step, ...] = ()
    """The deadlines that were missed. Speaking with the person meets that of the visit, unless there is one anyway."""


def handle(
    orders: Iterable[Order], roster: Roster, steps: Steps, deadlines: Mapping[Severity, Deadlines], seed: int
) -> tuple[list[Handled], list[Work]]:
    """Play the orders of one station, and return what became of each, in their order, and all that officers did.

    Guarantees: the same arguments give the same result; no officer does two tasks at once; nothing begins before its
    order was raised or after it was called back; no task waits while an officer on duty is free. Raises `KeyError` for
    an order whose severity has no deadlines: it sends nobody.
    """
    ids = count()
    handled = [Handled(order=order, needs=needs_of(order, steps, seed)) for order in orders]
    coming: list[tuple[int, int, Task, Handled]] = []
    """Tasks by the time from which they can be done."""
    for each in handled:
        heapq.heappush(coming, (each.order.raised, next(ids), "call", each))
    waiting: list[tuple[int, float, int, Task, Handled]] = []
    """Tasks that can be done now: by severity, and then by when they are due."""
    working: list[tuple[int, int]] = []
    """By the end of their task: the officers at work."""
    works: list[Work] = []
    now = 0
    while coming or waiting:
        moments = [coming[0][0]] if coming else []
        if waiting:
            moments += [roster.next_change(now), *(end for end, _ in working[:1])]
        now = min(moments)
        while working and working[0][0] <= now:
            heapq.heappop(working)
        while coming and coming[0][0] <= now:
            _, number, task, each = heapq.heappop(coming)
            due = each.order.raised + _minutes(deadlines[each.order.severity], task) * MINUTE
            heapq.heappush(waiting, (-SEVERITIES.index(each.order.severity), due, number, task, each))
        while waiting and len(working) < roster.officers(now):
            *_, task, each = heapq.heappop(waiting)
            if each.order.recalled is not None and each.order.recalled <= now:
                continue
            busy = {officer for _, officer in working}
            officer = next(number for number in count() if number not in busy)
            end, visit_from = _begin(each, task, now, deadlines[each.order.severity], steps)
            each.officer_ms += end - now
            heapq.heappush(working, (end, officer))
            works.append(
                Work(order=each.order.id, station=each.order.station, task=task, officer=officer, begin=now, end=end)
            )
            if visit_from is not None:
                heapq.heappush(coming, (visit_from, next(ids), "visit", each))
    for each in handled:
        each.missed = tuple(_missed(each, deadlines[each.order.severity], steps))
    return handled, works


def load(works: Iterable[Work]) -> Counter[tuple[str, int]]:
    """The officers' time by station and hour, in milliseconds; an hour is named by its beginning, in epoch ms."""
    found: Counter[tuple[str, int]] = Counter()
    for work in works:
        for hour in range(work.begin // HOUR * HOUR, work.end, HOUR):
            found[work.station, hour] += min(work.end, hour + HOUR) - max(work.begin, hour)
    return found


def by_station(orders: Iterable[Order]) -> dict[str, list[Order]]:
    """The orders of each station; each station is a queue of its own."""
    found: dict[str, list[Order]] = {}
    for order in orders:
        found.setdefault(order.station, []).append(order)
    return found


def _begin(each: Handled, task: Task, now: int, deadlines: Deadlines, steps: Steps) -> tuple[int, int | None]:
    """Begin a task now: note what follows from it; returns its end, and from when the visit can be made, if at all."""
    needs = each.needs
    if task == "visit":
        each.visited = now + needs.travel
        return each.visited + needs.visit + needs.travel, None
    each.acknowledged = each.called = now + needs.acknowledge
    end = each.called + needs.call
    if needs.answered:
        each.spoke = end
    if each.order.severity in steps.always_visited:
        return end, each.called
    return end, end if deadlines.visit is not None and not needs.answered else None


def _minutes(deadlines: Deadlines, task: Task) -> float:
    return deadlines.call if task == "call" or deadlines.visit is None else deadlines.visit


def _missed(each: Handled, deadlines: Deadlines, steps: Steps) -> Sequence[Step]:
    """The deadlines that ran out before the order was called back."""
    visit = deadlines.visit
    if each.needs.answered and each.order.severity not in steps.always_visited:
        visit = None
    asked: list[tuple[Step, float | None, int | None]] = [
        ("acknowledge", deadlines.acknowledge, each.acknowledged),
        ("call", deadlines.call, each.called),
        ("visit", visit, each.visited),
    ]
    missed: list[Step] = []
    for step, minutes, done in asked:
        if minutes is None:
            continue
        by, recalled = each.order.raised + minutes * MINUTE, each.order.recalled
        if (done is None or done > by) and (recalled is None or recalled > by):
            missed.append(step)
    return missed
