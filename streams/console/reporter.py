"""The reporter: hands on what somebody says of a case, once, and waits until the case shows it.

It is held against the case first, by the dispatcher's own rules, so that what cannot be is refused at once; the
dispatcher has the last word. The same id is one record, however often and at the same time it comes.
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
"""Seconds that somebody waits for the case to show what he said."""
MOST_SENT: Final = 10_000
"""What was said and is not shown yet; beyond that the oldest is left to the dispatcher, which hears an id once."""

_ALIKE: Final = ("kind", "unit", "officer", "means", "reached", "to", "until", "outcome", "loss_cny", "note")
"""What makes two the same but for the moment at which they were said."""


First = Callable[[], Awaitable[None]]
"""Something that is done before a record is handed on; when it fails, so does that."""


class Reported(NamedTuple):
    """What has become of it: Kafka has it, and the case shows it, or not yet."""

    case: Case
    id: str
    shown: bool


class _Sent(NamedTuple):
    feedback: Feedback
    confirmed: asyncio.Task[None]


class Reporter:
    """One for a console. ``send`` returns when Kafka has confirmed a record."""

    def __init__(
        self, view: View, send: Callable[[Feedback], Awaitable[None]], shown_within: float = SHOWN_WITHIN
    ) -> None:
        self._view = view
        self._send = send
        self._shown_within = shown_within
        self._sent: dict[tuple[str, str], _Sent] = {}

    def knows(self, case: Case, id: str) -> bool:
        """Whether something was said of a case under this id, here or as the case shows."""
        return case.has(id) or (case.case, id) in self._sent

    async def report(
        self,
        office: Office,
        feedback: Feedback,
        now: Callable[[], int],
        first: First | None = None,
    ) -> Reported:
        """Hand it on and wait for the case to show it, for two seconds at most; ``first`` is done before.

        Raises `FeedbackError` when it cannot be said of the case, and what ``send`` raises.
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
            # Nothing is waited for since the case was looked at: whoever comes at the same time finds this one.
            sent = self._sent[key] = _Sent(feedback, asyncio.create_task(self._confirmed(key, feedback, first)))
            sent.confirmed.add_done_callback(_look_at)
            if len(self._sent) > MOST_SENT:
                del self._sent[next(iter(self._sent))]
        else:
            _demand_same(sent.feedback, feedback)
        await asyncio.shield(sent.confirmed)  # whoever hangs up takes nothing back
        return await self._shown(office, feedback, now)

    async def _confirmed(self, key: tuple[str, str], feedback: Feedback, first: First | None) -> None:
        try:
            if first is not None:
                await first()
            await self._send(feedback)
        except BaseException:  # to be said again
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
            except FeedbackError:  # somebody was faster: the dispatcher will put it aside
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
    """Take notice of what has become of it, although everybody who waited may have hung up."""
    if not task.cancelled():
        task.exception()


def _demand_same(before: Entry | Feedback, feedback: Feedback) -> None:
    if any(getattr(before, name) != getattr(feedback, name) for name in _ALIKE):
        raise FeedbackError("id-taken", "This id was already used for something else in this case: use another id.")
