"""Arrivals: when the broker wrote each record of a batch, and which records were dated after that.

A switch with a wrong clock may date its records hours ahead. Nothing happens after its record was written, so the
broker's append time bounds the time of an event (`models.events.batches.Events.arrived`). See
``docs/decisions/0018-the-brokers-clock.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

UNKNOWN: Final = -1
"""The append time of a record that has none: its topic did not keep it, or the record comes from a file."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """The append times of a batch's events, and which of the events were dated too far ahead."""

    appended: NDArray[np.int64]
    """Epoch milliseconds, or `UNKNOWN`."""
    ahead: NDArray[np.bool_] | None = None
    """Whether each event's clock was wrong, so that it counts at its append time; None: no event's was."""

    def __getitem__(self, rows: slice | NDArray[Any]) -> Arrivals:
        """The arrivals of some of the events, in the order given."""
        return Arrivals(self.appended[rows], None if self.ahead is None else self.ahead[rows])

    @classmethod
    def joined(cls, some: Sequence[Arrivals | None], counts: Sequence[int]) -> Arrivals | None:
        """The arrivals of several batches of so many events as one; None when no batch has any."""
        if all(each is None for each in some):
            return None
        appended = [
            np.full(count, UNKNOWN) if each is None else each.appended for each, count in zip(some, counts, strict=True)
        ]
        ahead = [
            np.zeros(count, dtype=np.bool_) if each is None or each.ahead is None else each.ahead
            for each, count in zip(some, counts, strict=True)
        ]
        return cls(np.concatenate(appended), np.concatenate(ahead))
