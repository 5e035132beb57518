"""Acked ranges: which offset of a partition may be committed when whole batches are acknowledged at once.

Faust keeps every offset and an interval tree of gaps. A batch covers a range, so ranges are enough here.
"""

from __future__ import annotations

from collections import deque


class AckedRanges:
    """The acknowledged prefix of one partition's log.

    ``position`` is the offset that may be committed: all delivered records before it are acknowledged. `deliver` gets
    the batches in order. Offsets between them that do not exist (compaction, transaction markers) belong to the next
    batch. Batches are also finished in order, so an ack covers all batches that were delivered before it.
    """

    __slots__ = ("_delivered", "_ends", "position")

    def __init__(self, position: int) -> None:
        self.position = position
        self._delivered: deque[int] = deque()
        self._ends: dict[int, int] = {}

    def deliver(self, last: int, upto: int) -> None:
        """Note that a batch was delivered: ``last`` is its last offset and names it, ``upto`` is its exclusive end."""
        if last not in self._ends:
            self._delivered.append(last)
        self._ends[last] = upto

    def ack(self, last: int) -> bool:
        """Acknowledge a delivered batch, named by its last offset, and all before it; True when the position has moved.

        A batch that was not delivered, or only before the partition was last assigned, is ignored.

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
