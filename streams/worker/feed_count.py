"""Feed count: shows operators who sends records, so that a carrier whose feed has gone silent is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import time

import numpy as np
from numpy.typing import NDArray

from models.events.numbering import UNNAMED
from streams import metrics


class FeedCount:
    """Counts the good records of one topic by their source, and says when the last one was read.

    Belongs to the consumer's thread, like the readers.
    """

    def __init__(self, topic: str, declared: Sequence[str], now: Callable[[], float] = time) -> None:
        self._topic = topic
        self._sources = (*UNNAMED, *declared)
        self._counters = [metrics.SOURCE_RECORDS.labels(topic, source) for source in self._sources]
        self._now = now

    def note(self, sources: NDArray[np.uint8]) -> None:
        """Take in the codes of the sources of a batch (`models.events.numbering.Sources.code`)."""
        for code, count in enumerate(np.bincount(sources).tolist()):
            if count:
                self._counters[code].inc(count)
                metrics.SOURCE_TIME.labels(self._topic, self._sources[code]).set(self._now())
