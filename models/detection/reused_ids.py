"""Reused ids: tells calls and SMS apart that a switch has given the same id, after a day or after a restart.

Two records with one id are of one call as long as they can be: a repeat, a leg, a transfer, an end that came before its
start. A later start of another time is another call. Each call or SMS but the first of an id gets a label of its own in
place of the id while it is judged. Labels depend on event times alone, so the order of arrival does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from models.base.durations import HOUR, MINUTE
from models.detection.kinds import CALL_BEGINS, CALL_ENDS, CONTACTS
from models.detection.signals import Signal

ONE_START: Final = 10 * MINUTE
"""Two starts of one id within this time are legs or repeats of one call, unless an end lies between them. The clocks of
a call's two records differ by no more either."""
LONGEST_CALL: Final = 12 * HOUR
"""An end this long after a start is of another call; no record tells of a longer one."""

_CALLS: Final = CALL_BEGINS | CALL_ENDS
_MARK: Final = "\x1f"


class _Call(Struct):
    """One call (or SMS) of an id: when it began, the signals of its records, and when the last of its ends was."""

    began: int
    signals: list[Signal]
    ended: int | None = None
    is_sms: bool = False


def record_id(event: str) -> str:
    """The id in the record of an event, without the label that tells the event apart.

    >>> record_id("c1"), record_id(_labelled("c1", _Call(1_760_000_000_000, [])))
    ('c1', 'c1')
    """
    name, _, label = event.rpartition(_MARK)
    return name if name and label.isdigit() else event


def _labelled(event: str, one: _Call) -> str:
    return f"{event}{_MARK}{one.began}{int(one.is_sms)}"


def told_apart(signals: Sequence[Signal]) -> Sequence[Signal]:
    """Signals in event time, with a label in place of the id where it was that of an earlier call or SMS.

    Of the signals of one kind about one call, only the first is left: the others are of legs and repeats. Nearly always
    no id was used again, and the signals come back as they are.
    """
    by_event: dict[str, list[Signal]] = {}
    for signal in signals:
        if signal.kind in CONTACTS:
            by_event.setdefault(signal.event, []).append(signal)
    changed: dict[Signal, Signal | None] = {}
    for event, some in by_event.items():
        if len(some) == 1 or _is_one_call(some):
            continue
        for index, one in enumerate(_of_one_id(list(dict.fromkeys(some)))):
            kinds: set[str] = set()
            for signal in one.signals:
                if signal.kind in kinds:
                    changed[signal] = None
                elif index:
                    changed[signal] = replace(signal, event=_labelled(event, one))
                kinds.add(signal.kind)
    if not changed:
        return signals
    return [told for each in signals if (told := changed.get(each, each)) is not None]


def _is_one_call(signals: Sequence[Signal]) -> bool:
    """Whether these are a start and an end; they may lie far apart, if one clock is wrong."""
    return len(signals) == 2 and {each.kind in CALL_ENDS for each in signals if each.kind in _CALLS} == {False, True}


def _of_one_id(signals: Sequence[Signal]) -> list[_Call]:
    """The calls and SMS that these signals of one id are of, in order."""
    begins = [each for each in signals if each.kind in CALL_BEGINS]
    ends = [each for each in signals if each.kind in CALL_ENDS]
    messages: dict[int, list[Signal]] = {}
    for each in signals:
        if each.kind not in _CALLS:
            messages.setdefault(each.at, []).append(each)
    found = [_Call(at, some, is_sms=True) for at, some in messages.items()]
    if len(begins) == len(ends) == 1:
        found.append(_Call(begins[0].at, begins + ends))
    else:
        found += _calls(begins, ends)
    return sorted(found, key=lambda each: (each.began, each.signals))


def _calls(begins: Sequence[Signal], ends: Sequence[Signal]) -> list[_Call]:
    """Put starts and ends of one id, each in event time, together to calls."""
    calls: list[_Call] = []
    for begin in begins:
        before = calls[-1].signals[-1].at if calls else begin.at - ONE_START - 1
        if begin.at - before > ONE_START or any(before <= end.at <= begin.at for end in ends):
            calls.append(_Call(begin.at, []))
        calls[-1].signals.append(begin)
    for end in ends:
        began = end.at - int(end.duration_s * 1000)
        possible = [
            each
            for each in calls
            if -ONE_START <= end.at - each.began <= LONGEST_CALL and (each.ended is None or began <= each.ended)
        ]
        if not possible:  # its start is lost
            possible = [_Call(began, [])]
            calls += possible
        call = min(possible, key=lambda each: abs(each.began - began))
        call.signals.append(end)
        call.ended = end.at
    return calls
