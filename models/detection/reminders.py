"""Reminders: an SMS to people who were contacted but have done nothing yet, instead of an officer at the door.

In Chinese it fits into one part of an SMS (70 characters).

A wave reaches 90,000 people in an hour, and no dispatch centre can visit them. A person gets at most one reminder per
day and scam type. The reminder's id follows from these, so the sender can recognise a repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from models.base.durations import DAY
from models.detection.alerts import Alert
from models.detection.ids import Ids
from models.indicators.indicator import SCAM_TYPES, SUSPECTED
from models.indicators.scam_types import ENTRIES, Advice

SEND_WITHIN = DAY
"""Milliseconds after which a reminder must no longer be sent."""

READ_CHINESE: Final = frozenset(
    ("zh", "yue", "wuu", "nan", "hak", "gan", "hsn", "cdo", "ug", "bo", "mn", "kk", "za", "ii", "ko")
)
"""Languages (BCP 47) whose speakers in China read Chinese: its dialects, and those of minorities."""

_MILD: Final = ("low", "medium")

DayOf = Callable[[int], int]
"""The number of the day, by the city's calendar, of an event time (epoch ms)."""

_ADVICE: Final = {each.name: each.advice for each in ENTRIES}
_GENERAL: Final = Advice("请勿点链接、转账或透露验证码。", "Open no link, send no money, tell no code.")


class Reminder(Struct, frozen=True, gc=False, kw_only=True):
    """The record on the ``reminders`` topic; times are epoch ms in event time."""

    id: str
    subscriber: str
    cause: str
    """The id of the alert behind it."""
    text: str
    language: str
    at: int
    send_before: int


_encoder = msgspec.json.Encoder()


def encode(reminder: Reminder) -> bytes:
    """The reminder as one line of JSON, fields always in the same order."""
    return _encoder.encode(reminder)


def utc_day(at: int) -> int:
    """The number of the day of a moment in UTC, from 1970 on."""
    return at // DAY


def occasion(alert: Alert, day_of: DayOf) -> str | None:
    """The scam type and day of the reminder that an alert calls for; None when it calls for none.

    People who kept talking, got verification codes or rang back need an officer, and so do people who are on the
    phone. A number that is only suspected gives no reminder.
    """
    if alert.scam_type == SUSPECTED:
        return None
    if alert.status != "raised" or alert.stage != "shallow" or alert.severity not in _MILD:
        return None
    return f"{alert.scam_type}:{day_of(alert.at)}"


def reminder(alert: Alert, about: str, language: str, now: int, ids: Ids) -> Reminder:
    """The reminder about an `occasion`; ``now`` is the event time of the decision, in a look-back after the alert's."""
    chinese = language.partition("-")[0] in READ_CHINESE
    advice = _ADVICE.get(alert.scam_type)  # a site may have its own types, for which there is no advice
    name = SCAM_TYPES.get(alert.scam_type, SCAM_TYPES["other"])
    at = max(alert.at, now)
    if chinese:
        text = f"【反诈提醒】您可能遇到{name[0]}。{advice.zh if advice else ''}{_GENERAL.zh}咨询96110。"
    else:
        about_it = f"{advice.en} " if advice else ""
        text = f"Fraud alert: a number or link of {name[1]} has reached you. {about_it}{_GENERAL.en} Help: 96110."
    return Reminder(
        id=ids.reminder(alert.subscriber, about),
        subscriber=alert.subscriber,
        cause=alert.id,
        text=text,
        language="zh" if chinese else "en",
        at=at,
        send_before=at + SEND_WITHIN,
    )
