"""Read quota: how fast past records may be read, so that live workers do not suffer from an analysis."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic


class ReadQuota:
    """At most so many records a second (None: as many as Kafka sends); ``now`` is a clock for intervals (s)."""

    def __init__(self, records_a_second: int | None, now: Callable[[], float] = monotonic) -> None:
        self._rate = records_a_second
        self._now = now
        self._free = now()
        """When the records that were read so far are within the quota."""

    def pause_after(self, records: int) -> float:
        """The seconds to wait now that so many more records were read.

        >>> clock = iter([0.0, 0.0, 1.5])
        >>> quota = ReadQuota(100, lambda: next(clock))
        >>> quota.pause_after(200), quota.pause_after(50)
        (2.0, 1.0)
        """
        if self._rate is None:
            return 0.0
        now = self._now()
        self._free = max(self._free, now) + records / self._rate
        return self._free - now
