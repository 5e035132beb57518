"""The board: all cases of a city. It finds the case that an alert, a piece of feedback or the time affects."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator

from models.casework.cases import OVER, Case, Feedback, FeedbackError, Person, is_past
from models.casework.deadlines import Office, forgotten_at, passed
from models.casework.joining import is_heard, joined, opened, sends
from models.casework.reporting import reported
from models.detection.alerts import Alert

PersonLookup = Callable[[str], tuple[str, Person]]
"""Looks up a subscriber's home station (empty if not known) and what an officer should know about them."""


class Board:
    """The cases, changed one at a time.

    The caller has to publish each returned case before it acknowledges anything. ``office`` may be replaced at any
    time; running deadlines stay as they are.
    """

    def __init__(self, office: Office, known: PersonLookup) -> None:
        self.office = office
        self.cases: dict[str, Case] = {}
        self._known = known
        self._open: dict[str, str] = {}
        """The case that is not over, by subscriber."""
        self._of: dict[str, str] = {}
        """The case, by episode."""
        self._about: dict[str, set[str]] = {}
        """All cases, by subscriber."""
        self._due: list[tuple[int, str]] = []
        """A heap of due times; an entry is skipped if its case no longer has that time."""

    def put(self, case: Case) -> None:
        """Store the current snapshot of a case."""
        before = self.cases.get(case.case)
        self.cases[case.case] = case
        for episode in case.episodes:
            self._of[episode] = case.case
        self._about.setdefault(case.subscriber, set()).add(case.case)
        if case.status not in OVER:
            self._open[case.subscriber] = case.case
        elif self._open.get(case.subscriber) == case.case:
            del self._open[case.subscriber]
        due = self._when(case)
        if due is not None and (before is None or self._when(before) != due):
            heapq.heappush(self._due, (due, case.case))

    def forget(self, name: str) -> None:
        """Remove a case."""
        case = self.cases.pop(name, None)
        if case is not None:
            for episode in case.episodes:
                if self._of.get(episode) == name:
                    del self._of[episode]
            self._about[case.subscriber].discard(name)
            if not self._about[case.subscriber]:
                del self._about[case.subscriber]
            if self._open.get(case.subscriber) == name:
                del self._open[case.subscriber]

    def purge(self, subscriber: str, before: int, open_too: bool) -> list[str]:
        """Forget the cases of a subscriber whose alerts are all of before an event time (epoch ms); their names.

        A case that is not over is forgotten only if ``open_too``: somebody may be on the way to the person.
        """
        of_theirs = [self.cases[name] for name in sorted(self._about.get(subscriber, ()))]
        names = [case.case for case in of_theirs if is_past(case, before) and (open_too or case.status in OVER)]
        for name in names:
            self.forget(name)
        return names

    def alert(self, alert: Alert, received: int) -> Case | None:
        """The case that an alert has opened or changed; None if it says nothing, or what a closed case has heard."""
        name = self._open.get(alert.subscriber)
        if name is None and any(is_heard(self.cases[each], alert) for each in self._about.get(alert.subscriber, ())):
            return None
        name = name or self._of.get(alert.episode)
        if name is None:
            if not sends(self.office, alert):
                return None
            return self._changed(None, opened(self.office, alert, received, *self._known(alert.subscriber)))
        case = self.cases[name]
        return self._changed(case, joined(self.office, passed(self.office, case, received), alert, received))

    def feedback(self, feedback: Feedback, received: int) -> Case | None:
        """The case that feedback has changed; None for a repeat. Raises `FeedbackError` for impossible feedback."""
        case = self.cases.get(feedback.case)
        if case is None:
            raise FeedbackError("unknown-case", "There is no such case, or it ended long ago and was deleted.")
        return self._changed(case, reported(self.office, passed(self.office, case, received), feedback, received))

    def due(self, now: int) -> Iterator[tuple[str, Case | None]]:
        """The cases that have changed because time has passed up to ``now``, each as its name and the new case.

        The case is None when it is forgotten.
        """
        while self._due and self._due[0][0] <= now:
            name = heapq.heappop(self._due)[1]
            case = self.cases.get(name)
            when = None if case is None else self._when(case)
            if case is None or when is None:
                continue
            if case.due is None and when > now:  # the policy now keeps cases longer
                heapq.heappush(self._due, (when, name))
            elif case.due is None:
                self.forget(name)
                yield name, None
            elif (changed := self._changed(case, passed(self.office, case, now))) is not None:
                yield name, changed

    @property
    def next_due(self) -> int | None:
        """The earliest time at which something may be due (epoch ms); it can turn out that nothing is."""
        return self._due[0][0] if self._due else None

    def _when(self, case: Case) -> int | None:
        """When the case next changes because of the time alone."""
        return case.due if case.due is not None else forgotten_at(self.office, case)

    def _changed(self, before: Case | None, case: Case) -> Case | None:
        if case == before:
            return None
        self.put(case)
        return case
