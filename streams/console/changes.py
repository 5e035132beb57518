"""Changes: what happens to cases, told to everybody who listens, in order, each under an id.

Whoever comes back with the id of the last one gets what he has missed. A listener that does not keep up, or comes back
too late, is told to read everything anew; memory does not grow for anybody.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from types import TracebackType
from typing import Final, NamedTuple

from models.casework.cases import Case

KEPT: Final = 2000
"""Changes that are kept for those who come back."""
WAITING: Final = 200
"""Changes that may wait for one listener."""


class Change(NamedTuple):
    """Something that has happened; without a case: too much, read everything anew."""

    id: str
    case: Case | None
    forgotten: bool = False
    """Whether the case is known no longer; it is as it was last."""


class Changes:
    """Tells listeners. Ids are those of this process: another one's are answered with a change without a case."""

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
        """Tell everybody what a case is now."""
        self._number += 1
        change = Change(self._id(self._number), case, forgotten)
        self._kept.append(change)
        for listener in self.listeners:
            listener.hear(change, self._waiting)

    def restart(self) -> None:
        """Have everybody read everything anew."""
        self._number += 1
        self._kept.clear()
        for listener in self.listeners:
            listener.start_anew(self.last)

    def close(self) -> None:
        """Let everybody go."""
        self._closed = True
        for listener in self.listeners:
            listener.close()

    def listen(self, after: str = "") -> Listener:
        """A listener, to be used as a context manager; ``after``: the id of the last change that it has heard."""
        return Listener(self, after)

    def enter(self, listener: Listener, after: str) -> None:
        """Begin to tell a listener, with what it has missed."""
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
        """What has happened after a change; None when that is not known any more."""
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
    """One who listens, between entering and leaving its context."""

    def __init__(self, changes: Changes, after: str) -> None:
        self._changes = changes
        self._after = after
        self._heard: deque[Change] = deque()
        self._woken = asyncio.Event()
        self.closed = False
        """Whether nothing more will come."""

    def __enter__(self) -> Listener:
        self._changes.enter(self, self._after)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._changes.listeners.discard(self)

    def hear(self, change: Change, waiting: int) -> None:
        """Take a change in, for whoever asks next."""
        if len(self._heard) >= waiting or (self._heard and self._heard[0].case is None):
            self.start_anew(change.id)
            return
        self._heard.append(change)
        self._woken.set()

    def start_anew(self, id: str) -> None:
        """Forget what waits: all of it is to be read anew, up to this id."""
        self._heard.clear()
        self._heard.append(Change(id, None))
        self._woken.set()

    def close(self) -> None:
        """Say that nothing more will come."""
        self.closed = True
        self._woken.set()

    async def next(self, within: float) -> Change | None:
        """The next change; None when there is none within so many seconds, or it is ``closed``."""
        if not self._heard and not self.closed:
            self._woken.clear()
            try:
                async with asyncio.timeout(within):
                    await self._woken.wait()
            except TimeoutError:
                return None
        return self._heard.popleft() if self._heard else None
