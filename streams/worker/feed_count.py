"""Feed count: shows operators who sends records, so that a carrier whose feed has gone silent is seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streams import metrics

UNNAMED = ("(none)", "(unknown)")
"""How records are counted that name no source, or one that the contract does not declare: such names are anybody's."""


class FeedCount:
    """Counts the good records of one topic by their source. Belongs to the consumer's thread, like the readers."""

    def __init__(self, topic: str, declared: Sequence[str]) -> None:
        self._counters = [metrics.SOURCE_RECORDS.labels(topic, source) for source in (*UNNAMED, *declared)]

    def note(self, sources: NDArray[np.uint8]) -> None:
        """Take in the codes of the sources of a batch (`models.events.numbering.Sources.code`)."""
        for code, count in enumerate(np.bincount(sources).tolist()):
            if count:
                self._counters[code].inc(count)
