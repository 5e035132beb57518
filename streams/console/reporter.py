"""The reporter: publishes a user's report about a case once, and waits until the case shows it.

It first checks the report against the case, by the dispatcher's own rules, so that an impossible report is refused at
once. The dispatcher has the last word. One id makes one record, however often and however concurrently it arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from models.casework.cases import Case, Entry, Feedback, FeedbackError
from models.casework.deadlines import Office, passed
from models.casework.reporting import reported
from streams.console.view import View

SHOWN_WITHIN: Final = 2.0
"""Seconds that a user waits for the case to show their report."""
MOST_SENT: Final = 10_000
"""The most reports that are remembered until their cases show them.

Beyond that the oldest are dropped, and the dispatcher, which takes an id only once, removes duplicates.
"""

_ALIKE: Final = (
    *("kind", "unit", "officer", "means", "reached", "answered", "to", "until", "outcome", "loss_cny", "note"),
)
"""The fields in which two reports must agree to count as the same; their times may differ."""


First = Callable[[], Awaitable[None]]
"""A step to take before a record is sent; if it fails, the record is not sent."""


class Reported(NamedTuple):
    """The state of a report: Kafka has it; ``shown`` says whether the case shows it yet."""

    case: Case
    id: str
    shown: bool


class _Sent(NamedTuple):
    feedback: Feedback
    confirmed: asyncio.Task[None]


class Reporter:
    """Publishes reports, one reporter for each console. ``send`` returns when Kafka has confirmed a record."""

    def __init__(
        self, view: View, send: Callable[[Feedback], Awaitable[None]], shown_within: float = SHOWN_WITHIN
    ) -> None:
        self._view = view
        self._send = send
        self._shown_within = shown_within
        self._sent: dict[tuple[str, str], _Sent] = {}

    def knows(self, case: Case, id: str) -> bool:
        """Whether a report about a case has this id, sent here or shown by the case."""
        return case.has(id) or (case.case, id) in self._sent

    async def report(
        self,
        office: Office,
        feedback: Feedback,
        now: Callable[[], int],
        first: First | None = None,
    ) -> Reported:
        """Send a report and wait at most ``shown_within`` seconds for the case to show it; ``first`` is done before.

        Raises `FeedbackError` when the report is not possible for the case, and what ``first`` and ``send`` raise.
        """
        key = feedback.case, feedback.id
        case = self._case(feedback)
        heard = next((entry for entry in case.history if entry.id == feedback.id), None)
        if heard is not None:
            _demand_same(heard, feedback)
            self._sent.pop(key, None)
            return Reported(case, feedback.id, True)
        sent = self._sent.get(key)
        if sent is None:
            self._check(office, case, feedback, now())
            # There is no await since the case was read, so a concurrent call with the same id finds this entry.
            sent = self._sent[key] = _Sent(feedback, asyncio.create_task(self._confirmed(key, feedback, first)))
            sent.confirmed.add_done_callback(_look_at)
            if len(self._sent) > MOST_SENT:
                del self._sent[next(iter(self._sent))]
        else:
            _demand_same(sent.feedback, feedback)
        await asyncio.shield(sent.confirmed)  # a client that hangs up cancels nothing
        return await self._shown(office, feedback, now)

    async def _confirmed(self, key: tuple[str, str], feedback: Feedback, first: First | None) -> None:
        try:
            if first is not None:
                await first()
            await self._send(feedback)
        except BaseException:  # so that the report can be sent again
            self._sent.pop(key, None)
            raise

    async def _shown(self, office: Office, feedback: Feedback, now: Callable[[], int]) -> Reported:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._shown_within
        while True:
            case = self._case(feedback)
            if case.has(feedback.id):
                self._sent.pop((feedback.case, feedback.id), None)
                return Reported(case, feedback.id, True)
            try:
                self._check(office, case, feedback, now())
            except FeedbackError:  # another report was faster: the dispatcher will reject this one
                self._sent.pop((feedback.case, feedback.id), None)
                raise
            if not await self._view.changed(feedback.case, max(0.0, until - loop.time())):
                return Reported(case, feedback.id, False)

    def _case(self, feedback: Feedback) -> Case:
        case = self._view.case(feedback.case)
        if case is None:
            raise FeedbackError("unknown-case", "There is no such case, or it ended long ago and was deleted.")
        return case

    def _check(self, office: Office, case: Case, feedback: Feedback, now: int) -> None:
        reported(office, passed(office, case, now), feedback, now)


def _look_at(task: asyncio.Task[None]) -> None:
    """Retrieve the task's exception, because every waiting client may have hung up."""
    if not task.cancelled():
        task.exception()


def _demand_same(before: Entry | Feedback, feedback: Feedback) -> None:
    if any(getattr(before, name) != getattr(feedback, name) for name in _ALIKE):
        raise FeedbackError("id-taken", "This id was already used for something else in this case: use another id.")
