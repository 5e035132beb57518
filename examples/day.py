"""The vocabulary of the example: what can happen to a person on the day, and which records that leaves.

Stories and background describe a day in steps; `records` turns a person's steps into call and SMS records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal

from msgspec import Struct

from models.base.durations import HOUR, MINUTE, SECOND

SHANGHAI = timezone(timedelta(hours=8))
"""China has had no daylight saving time since 1991."""
MIDNIGHT = int(datetime(2026, 3, 16, tzinfo=SHANGHAI).timestamp()) * SECOND
"""The beginning of the day, a Monday, in epoch milliseconds."""
RING = 7 * SECOND
"""How long a phone rings before it is answered."""

Direction = Literal["in", "out"]


class Call(Struct, frozen=True, omit_defaults=True):
    """One of a call's two records, as on the topic ``calls``."""

    id: str
    subscriber: str
    peer: str
    direction: Direction
    phase: Literal["start", "end"]
    at: int
    duration_s: int | None = None
    cell: str | None = None


class Sms(Struct, frozen=True, omit_defaults=True):
    """An SMS, as on the topic ``sms``."""

    id: str
    subscriber: str
    peer: str
    direction: Direction
    at: int
    text: str
    cell: str | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """A call from ``at`` (it begins to ring) to ``until``, in milliseconds of the day; missed if it has 0 s of talk."""

    at: int
    until: int
    peer: str
    direction: Direction
    talk_s: int


@dataclass(frozen=True, slots=True)
class Text:
    """An SMS at a millisecond of the day."""

    at: int
    peer: str
    direction: Direction
    text: str


Step = Talk | Text


def clock(time: str) -> int:
    """A time of the day, in milliseconds since midnight.

    >>> clock("10:40"), clock("00:00:05")
    (38400000, 5000)
    """
    hours, minutes, *seconds = map(int, time.split(":"))
    return hours * HOUR + minutes * MINUTE + sum(seconds) * SECOND


def call_in(at: str, until: str, peer: str) -> Talk:
    """The person is called and answers."""
    return _talk(at, until, peer, "in")


def call_out(at: str, until: str, peer: str) -> Talk:
    """The person calls and is answered."""
    return _talk(at, until, peer, "out")


def missed(at: str, peer: str, rings_s: int = 20) -> Talk:
    """The person is called and does not answer."""
    return Talk(clock(at), clock(at) + rings_s * SECOND, peer, "in", 0)


def sms_in(at: str, peer: str, text: str) -> Text:
    """The person gets an SMS."""
    return Text(clock(at), peer, "in", text)


def sms_out(at: str, peer: str, text: str) -> Text:
    """The person writes an SMS."""
    return Text(clock(at), peer, "out", text)


def records(subscriber: str, cell: str, steps: Iterable[Step]) -> Iterator[Call | Sms]:
    """The records of one person's steps; an id consists of the person's number and the step's place in time."""
    person = subscriber[-6:]
    for index, step in enumerate(sorted(steps, key=lambda step: step.at), start=1):
        at = MIDNIGHT + step.at
        if isinstance(step, Text):
            yield Sms(f"m-{person}-{index}", subscriber, step.peer, step.direction, at, step.text, cell)
            continue
        call = f"c-{person}-{index}"
        yield Call(call, subscriber, step.peer, step.direction, "start", at, cell=cell)
        yield Call(call, subscriber, step.peer, step.direction, "end", MIDNIGHT + step.until, step.talk_s, cell)


def _talk(at: str, until: str, peer: str, direction: Direction) -> Talk:
    begins, ends = clock(at), clock(until)
    return Talk(begins, ends, peer, direction, (ends - begins - RING) // SECOND)
