"""Clock skew: shows operators a carrier whose clock is ahead of Kafka's."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams import metrics

SHOWN_S: Final = 60.0
"""Seconds for which the record furthest ahead is shown."""


class ClockSkew:
    """Exports how far the records of one topic are dated after their arrival.

    Belongs to the consumer's thread, like the readers; the event loop may lose one of its values to a race, which is
    harmless because the next batch brings another.
    """

    def __init__(self, topic: str, now: Callable[[], float] = monotonic) -> None:
        self._topic = topic
        self._now = now
        self._greatest = 0
        self._since = float("-inf")

    def note(self, times: NDArray[np.int64], appended: NDArray[np.int64]) -> None:
        """Take in the event times and append times of a batch (epoch ms; an append time below 0 is not known)."""
        leads = times - appended
        if len(leads) and appended.min() < 0:
            leads = leads[appended >= 0]
        if not len(leads):
            return
        greatest, now = int(leads.max()), self._now()
        if now - self._since > SHOWN_S:
            self._greatest, self._since = greatest, now
        self._greatest = max(self._greatest, greatest)
        metrics.CLOCK_SKEW.labels(self._topic).set(self._greatest / 1000)
