"""Acked ranges: which offset of a partition may be committed when whole batches are acknowledged at once.

Upstream keeps every offset and an interval tree of gaps; a batch covers a range, so ranges are all that is needed.
"""

from __future__ import annotations

from collections import deque


class AckedRanges:
    """The acknowledged prefix of one partition's log.

    ``position`` is the offset that may be committed: everything before it that was delivered is acknowledged. Batches
    of a partition are done in order, so an ack covers all that were delivered before it.
    Batches are delivered in order by `deliver`; offsets between them that do not exist (compaction, transaction
    markers) belong to the next batch.
    """

    __slots__ = ("_delivered", "_ends", "position")

    def __init__(self, position: int) -> None:
        self.position = position
        self._delivered: deque[int] = deque()
        self._ends: dict[int, int] = {}

    def deliver(self, last: int, upto: int) -> None:
        """Note that a batch was handed on: ``last`` names it, its end (exclusive) is ``upto``."""
        if last not in self._ends:
            self._delivered.append(last)
        self._ends[last] = upto

    def ack(self, last: int) -> bool:
        """Acknowledge a delivered batch, by its last offset, and all before it; True when the position has moved.

        One that was not delivered, or only before the partition was assigned anew, is passed over.

        >>> ranges = AckedRanges(10)
        >>> ranges.deliver(14, 15); ranges.deliver(29, 30)
        >>> ranges.ack(29), ranges.position
        (True, 30)
        >>> ranges.ack(14), ranges.position
        (False, 30)
        """
        if last not in self._ends:
            return False
        while self._delivered:
            first = self._delivered.popleft()
            self.position = self._ends.pop(first)
            if first == last:
                break
        return True
