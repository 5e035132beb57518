"""Changes: tells listeners about changes of cases, in order, each with an id.

A listener that comes back with the id of its last change gets the changes that it has missed. One that falls behind, or
comes back too late, is told to read everything again. So no listener makes memory grow.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from types import TracebackType
from typing import Final, NamedTuple

from models.casework.cases import Case

KEPT: Final = 2000
"""Changes kept for listeners that come back."""
WAITING: Final = 200
"""The most changes that wait for one listener."""


class Change(NamedTuple):
    """A change of a case; without a case it means that too much has changed: read everything again."""

    id: str
    case: Case | None
    forgotten: bool = False
    """Whether the case is no longer known; ``case`` is then its last state."""


class Changes:
    """Tells listeners about changes. An id is valid in this process only; any other gets a change without a case."""

    def __init__(self, kept: int = KEPT, waiting: int = WAITING) -> None:
        self.listeners: set[Listener] = set()
        self._era = secrets.token_hex(4)
        self._number = 0
        self._kept: deque[Change] = deque(maxlen=kept)
        self._waiting = waiting
        self._closed = False

    @property
    def last(self) -> str:
        """The id of the newest change."""
        return self._id(self._number)

    def tell(self, case: Case, forgotten: bool = False) -> None:
        """Tell all listeners the new state of a case."""
        self._number += 1
        change = Change(self._id(self._number), case, forgotten)
        self._kept.append(change)
        for listener in self.listeners:
            listener.hear(change, self._waiting)

    def restart(self) -> None:
        """Tell all listeners to read everything again."""
        self._number += 1
        self._kept.clear()
        for listener in self.listeners:
            listener.start_anew(self.last)

    def close(self) -> None:
        """Close all listeners."""
        self._closed = True
        for listener in self.listeners:
            listener.close()

    def listen(self, after: str = "") -> Listener:
        """A listener, to be used as a context manager; ``after`` is the id of the last change that it knows."""
        return Listener(self, after)

    def enter(self, listener: Listener, after: str) -> None:
        """Add a listener and give it the changes that it has missed."""
        self.listeners.add(listener)
        if self._closed:
            listener.close()
        if not after:
            return
        missed = self._since(after)
        if missed is None or len(missed) > self._waiting:
            listener.start_anew(self.last)
            return
        for change in missed:
            listener.hear(change, self._waiting)

    def _since(self, after: str) -> list[Change] | None:
        """The changes after this one; None when they are no longer known."""
        era, _, text = after.partition("-")
        if era != self._era or not (text.isascii() and text.isdigit()):
            return None
        missed = self._number - int(text)
        if not 0 <= missed <= len(self._kept):
            return None
        return list(self._kept)[len(self._kept) - missed :]

    def _id(self, number: int) -> str:
        return f"{self._era}-{number}"


class Listener:
    """One listener, from entering its context to leaving it."""

    def __init__(self, changes: Changes, after: str) -> None:
        self._changes = changes
        self._after = after
        self._heard: deque[Change] = deque()
        self._woken = asyncio.Event()
        self.closed = False
        """Whether no more changes will come."""

    def __enter__(self) -> Listener:
        self._changes.enter(self, self._after)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._changes.listeners.discard(self)

    def hear(self, change: Change, waiting: int) -> None:
        """Queue a change for the next call of `next`."""
        if len(self._heard) >= waiting or (self._heard and self._heard[0].case is None):
            self.start_anew(change.id)
            return
        self._heard.append(change)
        self._woken.set()

    def start_anew(self, id: str) -> None:
        """Drop the waiting changes: everything up to this id is to be read again."""
        self._heard.clear()
        self._heard.append(Change(id, None))
        self._woken.set()

    def close(self) -> None:
        """Say that no more changes will come."""
        self.closed = True
        self._woken.set()

    async def next(self, within: float) -> Change | None:
        """The next change; None when there is none within this many seconds, or when the listener is ``closed``."""
        if not self._heard and not self.closed:
            self._woken.clear()
            try:
                async with asyncio.timeout(within):
                    await self._woken.wait()
            except TimeoutError:
                return None
        return self._heard.popleft() if self._heard else None
