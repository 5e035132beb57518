"""Gathering: the rows of a partition that wait to become a segment, and what was known when they were scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from models.batches import Calls, Messages
from models.contacts import Rows, rows_of_calls, rows_of_context, rows_of_messages
from models.signals import Signal
from streams.ledger.segments import Knowledge, least

AT_ONCE: Final = 2048
"""Events of which rows are made at once: for a small batch it takes nearly as long as for a large one."""


class Gathering:
    """Rows that wait, of calls, SMS and context signals."""

    def __init__(self) -> None:
        self.known = Knowledge()
        """What was known, at least, when they were scored."""
        self._rows: list[Rows] = []
        self._calls: list[Calls] = []
        self._messages: list[Messages] = []
        self._count = 0

    def __len__(self) -> int:
        """How many there are, those of links apart, which are found when rows are made."""
        return self._count

    def add(self, events: Calls | Messages, known: Knowledge) -> None:
        """Gather events that were scored when this was known."""
        self._note(known, len(events))
        if isinstance(events, Calls):
            self._calls.append(events)
        else:
            self._messages.append(events)
        if sum(map(len, self._calls)) >= AT_ONCE or sum(map(len, self._messages)) >= AT_ONCE:
            self._make_rows()

    def add_context(self, signals: Sequence[tuple[str, Signal]], known: Knowledge) -> None:
        """Gather context signals of such events."""
        rows = rows_of_context(signals)
        if rows is not None:
            self._note(known, len(rows))
            self._rows.append(rows)

    def rows(self) -> list[Rows]:
        """All rows; nothing may be gathered here any more."""
        self._make_rows()
        return self._rows

    def _note(self, known: Knowledge, count: int) -> None:
        if not self._count:
            self.known = known
        elif known is not self.known:
            self.known = least((self.known, known))
        self._count += count

    def _make_rows(self) -> None:
        if self._calls:
            self._rows.append(rows_of_calls(Calls.joined(self._calls)))
            self._calls.clear()
        if self._messages:
            self._rows += rows_of_messages(Messages.joined(self._messages))
            self._messages.clear()
