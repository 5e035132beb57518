"""Two days before the example day: a number that nobody has reported yet reaches five people.

On Monday evening one of its victims goes to the police, and the number becomes known. The look-back can still find the
others: this is why the ledger is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from examples.day import Call, Sms, Step, call_in, call_out, missed, records, sms_in
from examples.listed import MADE_UP
from examples.people import cell, subscriber
from examples.wording import code
from models.base.durations import DAY
from models.indicators.indicator import Indicator, check

REPORTED = "999002000007"
"""The number that the victim reports."""

DAYS_BEFORE = 2
_FIRST = 2_000
"""The index of the first of these people; nobody in the example day has it."""

_PEOPLE: tuple[tuple[Step, ...], ...] = (
    # Believes every word, reads codes out and asks the bank how to send more.
    (
        call_in("14:02:10", "14:31:40", REPORTED),
        sms_in("14:19:05", "95588", code("730415")),
        sms_in("14:26:31", "95588", code("118294")),
        call_out("14:40:00", "14:46:12", "95588"),
    ),
    # Listens for a while.
    (call_in("10:15:20", "10:22:05", REPORTED),),
    # Hangs up.
    (call_in("16:48:00", "16:48:41", REPORTED),),
    # Does not answer, and calls back in the evening.
    (missed("11:30:12", REPORTED), call_out("19:05:30", "19:17:02", REPORTED)),
    # Does not answer.
    (missed("15:20:44", REPORTED),),
)


def report() -> Indicator:
    """The indicator that becomes known on Monday evening. The number has been in use for some weeks."""
    return check(
        Indicator(
            type="number",
            value=REPORTED,
            scam_type="impersonated-service",
            confidence=90,
            source=MADE_UP,
            valid_from=0,
            case="demo-1",
        )
    )


def events() -> Iterator[Call | Sms]:
    """The call and SMS records of these people on that day."""
    for index, steps in enumerate(_PEOPLE):
        person = subscriber(_FIRST + index)
        for event in records(person, cell(person), steps):
            yield replace(event, at=event.at - DAYS_BEFORE * DAY)
