"""Snapshots: reads the records of the topic ``dispatch``, also those of the first format.

In the first format an escalation moved a case to the unit above, and a deadline that had run out stood in the history
alone. A case that is open is read as it would be now: the nearest station has it again, and the units above have it
too. A case that is over stays with the unit that ended it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from models.base.formats import check_format
from models.casework.cases import FORMAT, OVER, Case, Deadline, Entry, Kind, Missed, Step

_ANEW: Final[frozenset[Kind | Step]] = frozenset({"opened", "reopened", "woken"})
"""Entries that cleared all missed deadlines."""


class _Versioned(Struct, frozen=True):
    """What a snapshot of any format says."""

    format: int = 1


_decoder = msgspec.json.Decoder(Case)
_versioned = msgspec.json.Decoder(_Versioned)


def decode(value: bytes) -> Case:
    """The case in a record that `models.casework.cases.encode` has written, in this version's format.

    Raises `NewerFormatError` for one of a newer version, and an error of msgspec for any other.
    """
    try:
        case = _decoder.decode(value)
    except msgspec.ValidationError:
        check_format("The case", _versioned.decode(value).format, FORMAT)
        raise
    check_format("The case", case.format, FORMAT)
    return case if case.format == FORMAT else _of_format_1(case)


def _of_format_1(case: Case) -> Case:
    if case.status in OVER:
        return replace(case, format=FORMAT)
    units = _escalated(case)
    return replace(
        case,
        format=FORMAT,
        unit=units[0],
        above=units[1:],
        had=tuple(unit for unit in case.had if unit not in units),
        missed=() if case.status == "snoozed" else _missed(case),
    )


def _escalated(case: Case) -> tuple[str, ...]:
    """The units through which the last escalations have moved the case, from the lowest to the one that has it."""
    units = [case.unit]
    for entry in reversed(case.history):
        if entry.kind == "escalated" and entry.to == units[0]:
            units.insert(0, entry.unit)
        elif entry.kind in ("escalated", "returned", "transferred"):
            break
    return tuple(units)


def _missed(case: Case) -> tuple[Missed, ...]:
    """The deadlines that the history records as missed and that nobody has met since."""
    found: dict[Deadline, int] = {}
    for entry in case.history:
        if entry.kind in _ANEW:
            found.clear()
        elif entry.kind in ("escalated", "overdue") and entry.deadline is not None:
            found.setdefault(entry.deadline, entry.at)
        for met in _met(entry):
            found.pop(met, None)
    return tuple(Missed(deadline, at) for deadline, at in found.items())


def _met(entry: Entry) -> Iterator[Deadline]:
    """The deadlines that an entry met under rule 1."""
    if entry.kind in ("acknowledged", "attempt"):
        yield "acknowledge"
    if entry.kind == "attempt" and (entry.reached or entry.means in ("call", "visit")):
        yield "call"
    if entry.kind == "attempt" and (entry.reached or entry.means == "visit"):
        yield "visit"
