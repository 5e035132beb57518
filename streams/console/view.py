"""The view: holds the present state of all cases of the topic ``dispatch`` in memory, by case and by unit.

``streams/console/case_topic.py`` fills it from the topic, and every route reads it.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from models.casework.cases import OVER, Case, State
from models.casework.tallies import NEVER, CaseCounts, account
from models.policy.policy import SEVERITIES
from streams.console.changes import Changes, Listener


class View:
    """The cases, and the listeners for their changes."""

    def __init__(self) -> None:
        self.ready = False
        """Whether the topic has been read to its end."""
        self.as_of: int | None = None
        """When it was last known that nothing newer is in the topic (epoch ms)."""
        self._cases: dict[str, Case] = {}
        self._open: dict[str, dict[str, Case]] = {}
        """By unit, the cases that are not over."""
        self._over: dict[str, dict[str, Case]] = {}
        """By unit, the cases that are over; the one changed last comes last."""
        self._gone: dict[str, dict[str, Case]] = {}
        """By unit, the cases that are not over and that it had before another unit got them."""
        self._follow_ups: dict[str, dict[str, Case]] = {}
        """By unit, the cases that are over and have a follow-up call to make."""
        self._accounts: dict[str, CaseCounts] = {}
        """The counts of the cases that were asked for, by case."""
        self._changes = Changes()
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    def begin(self, cases: Iterable[Case]) -> None:
        """Hold these cases and no others; listeners are told to read everything again."""
        for each in (self._cases, self._open, self._over, self._gone, self._follow_ups, self._accounts):
            each.clear()
        for case in sorted(cases, key=lambda case: case.at):
            self._place(case)
        self.ready = True
        self._changes.restart()
        for name in list(self._waiting):
            self._wake(name)

    def put(self, case: Case) -> None:
        """Take the new state of a case."""
        self._displace(case.case)
        self._place(case)
        self._changes.tell(case)
        self._wake(case.case)

    def forget(self, name: str) -> None:
        """Drop a case."""
        case = self._displace(name)
        if case is not None:
            self._changes.tell(case, forgotten=True)
            self._wake(name)

    def case(self, name: str) -> Case | None:
        """The case of this id, as it is now."""
        return self._cases.get(name)

    def cases(self) -> Iterator[Case]:
        """All cases, in no order."""
        return iter(self._cases.values())

    def since(self, moment: int) -> list[CaseCounts]:
        """The counts of cases that are not over, and of cases that have changed since ``moment`` (epoch ms).

        Each is computed once: computing ten thousand at a time would delay every other request.
        """
        known = self._accounts
        return [
            known.get(name) or known.setdefault(name, account(case))
            for name, case in self._cases.items()
            if case.status not in OVER or case.at >= moment
        ]

    @property
    def units(self) -> set[str]:
        """The units that have a case."""
        return {*self._open, *self._over}

    def orders(
        self, units: Collection[str], statuses: Collection[State] = (), limit: int = 100, offset: int = 0
    ) -> tuple[list[Case], int]:
        """The cases of these units, the most urgent first and those that are over last; and their total number.

        ``statuses``: only cases in one of these states; all cases if empty.
        """
        asked, units = set(statuses), sorted(set(units))  # the same order for every page

        def is_asked_for(case: Case) -> bool:
            return not asked or case.status in asked

        current: list[Case] = []
        if not asked or asked - OVER:
            current = sorted(
                (case for unit in units for case in self._open.get(unit, {}).values() if is_asked_for(case)),
                key=urgency,
            )
        count = len(current)
        found = current[offset : offset + limit]
        if not asked or asked & OVER:
            over = [self._over.get(unit, {}) for unit in units]
            newest = heapq.merge(*(reversed(each.values()) for each in over), key=lambda case: -case.at)
            asked_for = filter(is_asked_for, newest)
            start = max(0, offset - count)
            found += islice(asked_for, start, start + limit - len(found))
            count += sum(len(each) if not asked else sum(map(is_asked_for, each.values())) for each in over)
        return found, count

    def gone(self, units: Collection[str]) -> list[Case]:
        """Cases that are not over and that these units had but none of them has now, the most urgent first."""
        found = {name: case for unit in units for name, case in self._gone.get(unit, {}).items()}
        return sorted((case for case in found.values() if case.unit not in units), key=urgency)

    def follow_ups(self, units: Collection[str], until: int) -> list[Case]:
        """Cases of these units with a follow-up call that is due by a time (epoch ms), the earliest first."""
        found = (case for unit in units for case in self._follow_ups.get(unit, {}).values())
        return sorted((case for case in found if case.follow_ups[0] <= until), key=lambda case: case.follow_ups)

    def subscribe(self, after: str = "") -> Listener:
        """A listener for changes, as a context manager; ``after`` is the id of the last change that it knows."""
        return self._changes.listen(after)

    @property
    def last_change(self) -> str:
        """The id of the newest change; a listener continues from there."""
        return self._changes.last

    @property
    def listeners(self) -> int:
        """The number of listeners."""
        return len(self._changes.listeners)

    async def changed(self, name: str, within: float) -> bool:
        """Wait until a case changes; False when it does not within this many seconds."""
        woken = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, set()).add(woken)
        try:
            async with asyncio.timeout(within):
                await woken
        except TimeoutError:
            return False
        finally:
            waiting = self._waiting.get(name, set())
            waiting.discard(woken)
            if not waiting:
                self._waiting.pop(name, None)
        return True

    def close(self) -> None:
        """Close all listeners."""
        self._changes.close()

    def _place(self, case: Case) -> None:
        self._cases[case.case] = case
        side = self._over if case.status in OVER else self._open
        side.setdefault(case.unit, {})[case.case] = case
        if case.follow_ups:
            self._follow_ups.setdefault(case.unit, {})[case.case] = case
        if case.status not in OVER:
            for unit in case.had:
                self._gone.setdefault(unit, {})[case.case] = case

    def _displace(self, name: str) -> Case | None:
        case = self._cases.pop(name, None)
        self._accounts.pop(name, None)
        if case is not None:
            side = self._over if case.status in OVER else self._open
            del side[case.unit][name]
            if not side[case.unit]:
                del side[case.unit]
            self._follow_ups.get(case.unit, {}).pop(name, None)
            for unit in case.had:
                gone = self._gone.get(unit, {})
                gone.pop(name, None)
                if not gone:
                    self._gone.pop(unit, None)
        return case

    def _wake(self, name: str) -> None:
        for woken in self._waiting.get(name, ()):
            if not woken.done():
                woken.set_result(None)


def urgency(case: Case) -> tuple[bool, bool, int, int, int, int, str]:
    """The sort key of cases: what is overdue first, the most severe and then the longest; the rest by severity.

    Urgent orders stay before all others, overdue or not: somebody may be on the phone with a fraudster now. Among
    equals the earliest deadline comes first, then the oldest case.
    """
    due, missed, severity = case.due, case.missed, case.severity
    late = min([each.at for each in missed]) if missed else NEVER
    due = NEVER if due is None else due
    return severity != "urgent", not missed, -SEVERITIES.index(severity), late, due, case.opened, case.case
