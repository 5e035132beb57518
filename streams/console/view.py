"""The view: all cases as the topic ``dispatch`` says they are now, in memory, by case and by unit.

It is put together by whoever reads the topic (``streams/console/case_topic.py``) and asked by every route.
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
    """The cases, and who is told of changes."""

    def __init__(self) -> None:
        self.ready = False
        """Whether the topic has been read to its end."""
        self.as_of: int | None = None
        """When it was last known that nothing newer is in the topic (epoch ms)."""
        self._cases: dict[str, Case] = {}
        self._open: dict[str, dict[str, Case]] = {}
        """By unit, those that are not over."""
        self._over: dict[str, dict[str, Case]] = {}
        """By unit, those that are; what has changed last stands last."""
        self._gone: dict[str, dict[str, Case]] = {}
        """By unit, those that are not over, which it had and another has now."""
        self._accounts: dict[str, CaseCounts] = {}
        """Of the cases for which somebody has asked."""
        self._changes = Changes()
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    def begin(self, cases: Iterable[Case]) -> None:
        """Hold these cases and no others; whoever listens is told to read everything anew."""
        for each in (self._cases, self._open, self._over, self._gone, self._accounts):
            each.clear()
        for case in sorted(cases, key=lambda case: case.at):
            self._place(case)
        self.ready = True
        self._changes.restart()
        for name in list(self._waiting):
            self._wake(name)

    def put(self, case: Case) -> None:
        """A case is now like this."""
        self._displace(case.case)
        self._place(case)
        self._changes.tell(case)
        self._wake(case.case)

    def forget(self, name: str) -> None:
        """A case is known no longer."""
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
        """The accounts of cases that are not over, and of those of which something has become since (epoch ms).

        Each is made once: ten thousand of them at once would hold up everybody else.
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
        """Cases that these units have, the most urgent first and what is over last; and how many there are in all.

        ``statuses``: only those in one of these states.
        """
        asked, units = set(statuses), sorted(set(units))  # the same pieces in the same order, page after page

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
        """Cases that are not over, which these units had and none of them has now, the most urgent first."""
        found = {name: case for unit in units for name, case in self._gone.get(unit, {}).items()}
        return sorted((case for case in found.values() if case.unit not in units), key=urgency)

    def subscribe(self, after: str = "") -> Listener:
        """Somebody who is told of changes, as a context manager; ``after``: the id of the last one that he knows."""
        return self._changes.listen(after)

    @property
    def last_change(self) -> str:
        """The id of the newest change: what was asked before goes on from there."""
        return self._changes.last

    @property
    def listeners(self) -> int:
        """How many are told of changes."""
        return len(self._changes.listeners)

    async def changed(self, name: str, within: float) -> bool:
        """Wait until a case changes; False when it does not within so many seconds."""
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
        """Let go of everybody who listens."""
        self._changes.close()

    def _place(self, case: Case) -> None:
        self._cases[case.case] = case
        side = self._over if case.status in OVER else self._open
        side.setdefault(case.unit, {})[case.case] = case
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


def urgency(case: Case) -> tuple[int, int, int, str]:
    """What is sorted by: the most severe first, then what is due first, then the oldest."""
    return -SEVERITIES.index(case.severity), NEVER if case.due is None else case.due, case.opened, case.case
