"""Acked ranges: which offset of a partition may be committed when whole batches are acknowledged at once.

Upstream keeps every offset and an interval tree of gaps; a batch covers a range, so ranges are all that is needed.
"""

from __future__ import annotations


class AckedRanges:
    """The acknowledged prefix of one partition's log.

    ``position`` is the offset that may be committed: everything before it that was delivered is acknowledged.
    Batches are delivered in order by `deliver`; offsets between them that do not exist (compaction, transaction
    markers) belong to the next batch.
    """

    __slots__ = ("_acked", "_delivered", "position")

    def __init__(self, position: int) -> None:
        self.position = position
        self._delivered: dict[int, int] = {}
        self._acked: set[int] = set()

    def deliver(self, last: int, upto: int) -> None:
        """Note that a batch was handed on: ``last`` names it, its end (exclusive) is ``upto``."""
        self._delivered[last] = upto

    def ack(self, last: int) -> bool:
        """Acknowledge a delivered batch by its last offset; True when the position has moved.

        One that was not delivered, or only before the partition was assigned anew, is passed over.

        >>> ranges = AckedRanges(10)
        >>> ranges.deliver(14, 15); ranges.deliver(29, 30)
        >>> ranges.ack(29), ranges.position
        (False, 10)
        >>> ranges.ack(14), ranges.position
        (True, 30)
        """
        if last not in self._delivered:
            return False
        self._acked.add(last)
        moved = False
        while self._delivered and (first := next(iter(self._delivered))) in self._acked:
            self.position = self._delivered.pop(first)
            self._acked.discard(first)
            moved = True
        return moved
