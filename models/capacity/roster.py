"""Roster: how many officers of a station are on duty for its orders, by the hour of the day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct

from models.base.durations import DAY, HOUR


class RosterError(ValueError):
    """The shifts cannot be used; the message says in one sentence why."""


class Shift(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of every day, from an hour until the next shift begins, and the officers on duty in it."""

    since: Annotated[int, Meta(ge=0, le=23)]
    """The hour of the day at which the shift begins."""
    officers: Annotated[int, Meta(ge=0, le=1000)]


class Roster:
    """The officers on duty at any time; the same shifts every day.

    ``midnight`` is any midnight where the station lies, in epoch milliseconds. Raises `RosterError` if two shifts begin
    at once, or if nobody is ever on duty.
    """

    def __init__(self, shifts: Sequence[Shift], midnight: int) -> None:
        if len({shift.since for shift in shifts}) < len(shifts):
            raise RosterError("Two shifts begin at the same hour: give each hour to one of them.")
        if not any(shift.officers for shift in shifts):
            raise RosterError("Nobody is on duty in any shift: give at least one of them an officer.")
        self._shifts: Final = sorted(shifts, key=lambda shift: shift.since)
        self._midnight: Final = midnight

    def officers(self, at: int) -> int:
        """The number of officers on duty at a time (epoch milliseconds)."""
        into = (at - self._midnight) % DAY
        begun = [shift for shift in self._shifts if shift.since * HOUR <= into]
        return (begun or self._shifts)[-1].officers

    def next_change(self, at: int) -> int:
        """When the first shift begins that begins after a time, both in epoch milliseconds."""
        into = (at - self._midnight) % DAY
        starts = [shift.since * HOUR for shift in self._shifts]
        return at - into + next((start for start in starts if start > into), starts[0] + DAY)
