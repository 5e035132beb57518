"""Reminders: an SMS for people who were touched and did nothing yet, instead of an officer at the door.

A wave reaches 90,000 people in an hour and no dispatch centre can visit them. At most one a day and scam type goes to a
person; its id follows from that, so whoever sends them can tell a repeat.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
from msgspec import Struct

from models.base.durations import DAY
from models.detection.alerts import Alert
from models.indicators.indicator import SCAM_TYPES, SUSPECTED
from models.indicators.scam_types import ENTRIES, Advice

SEND_WITHIN = DAY
"""Milliseconds after which a reminder is not to be sent any more."""

_MILD: Final = ("low", "medium")


_ADVICE: Final = {each.name: each.advice for each in ENTRIES}
_GENERAL: Final = Advice("请勿点击链接、转账或透露验证码。", "Open no link, send no money, tell no code.")


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


def occasion(alert: Alert) -> str | None:
    """Scam type and day of the reminder that an alert asks for; None when it asks for none.

    Days are UTC's. Who kept talking, got codes or rang back needs a person, and so does who is on the phone. Nobody is
    told of a number that is only suspected.
    """
    if alert.scam_type == SUSPECTED:
        return None
    if alert.status != "raised" or alert.stage != "shallow" or alert.severity not in _MILD:
        return None
    return f"{alert.scam_type}:{alert.at // DAY}"


def reminder(alert: Alert, about: str, language: str, now: int) -> Reminder:
    """The reminder about an `occasion`; ``now``: event time of the decision, in a look back after the alert's."""
    chinese = language.partition("-")[0] == "zh"
    advice = _ADVICE.get(alert.scam_type)  # a site may have types of its own, of which we have no advice
    name = SCAM_TYPES.get(alert.scam_type, SCAM_TYPES["other"])
    at = max(alert.at, now)
    if chinese:
        text = (
            f"【反诈提醒】您可能接触了{name[0]}的号码或链接。{advice.zh if advice else ''}{_GENERAL.zh}咨询请拨96110。"
        )
    else:
        about_it = f"{advice.en} " if advice else ""
        text = f"Fraud alert: a number or link of {name[1]} has reached you. {about_it}{_GENERAL.en} Help: 96110."
    return Reminder(
        id=hashlib.blake2b(f"reminder\0{alert.subscriber}\0{about}".encode(), digest_size=12).hexdigest(),
        subscriber=alert.subscriber,
        cause=alert.id,
        text=text,
        language="zh" if chinese else "en",
        at=at,
        send_before=at + SEND_WITHIN,
    )
