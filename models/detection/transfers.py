"""Transfers: the end record of a call with a known number that names another number, or nobody.

A switch may write the two records of a call that was passed on with two numbers, and another leaves the number out of
the end record. The call has ended all the same, so its end counts as that of the call that began with the known number.
Otherwise the subscriber would seem to be on the phone for hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from models.base.durations import HOUR
from models.detection.episodes import Subject
from models.detection.kinds import CALL_BEGINS, CALL_ENDS, NUMBER_MISSED, NUMBER_TALK
from models.detection.signals import Signal
from models.events.batches import Calls
from models.events.event import Call, cell_of
from models.events.scanning import ENDED
from models.indicators.prefilter import NumberPrefilter

_LONGEST_CALL: Final = 12 * HOUR
"""An end this long after a start is of another call; no record tells of a longer one."""


class Transfers(NamedTuple):
    """The calls of a partition that began with a known number and may end with another."""

    callers: NumberPrefilter
    """Keeps every subscriber with such a call. It also keeps those whose calls have ended, which is harmless."""
    subjects: Mapping[str, Subject]

    def may_end(self, calls: Calls, known: Any) -> Any:
        """A mask of the end records that may be of such a call; ``known`` masks the records of known numbers."""
        ends = (calls.kinds & ENDED) > 0
        for caller in calls.subscribers[known & ~ends].tolist():  # their ends may come in the same batch
            self.callers.add(caller)
        return ends & self.callers.may_hold(calls.subscribers)

    def end_of(self, call: Call) -> Signal | None:
        """The signal of the end record of a running call that began with a known number; None for any other record."""
        subject = self.subjects.get(call.subscriber)
        if call.phase != "end" or subject is None:
            return None
        for begin in reversed(subject.signals):
            if begin.event != call.id or not 0 <= call.at - begin.at <= _LONGEST_CALL:
                continue
            if begin.kind in CALL_ENDS and begin.at != call.at:  # at the same time it is this record's, read before
                return None
            if begin.kind in CALL_BEGINS:
                return Signal(
                    call.at,
                    NUMBER_TALK if call.duration_s > 0 else NUMBER_MISSED,
                    call.id,
                    begin.peer,
                    begin.indicator,
                    begin.scam_type,
                    begin.confidence,
                    max(call.duration_s, 0.0),
                    cell_of(call),
                )
        return None
