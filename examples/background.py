"""The background: a thousand people on an ordinary Monday, each made from a random stream of their own.

Every person has a few acquaintances, sleeps at night, and is busiest before noon and in the early evening. Now and then
they call a bank or 114, and get codes, parcels and bank notices. Nothing here touches an indicator. Only sums and
products of ``random()`` are used, so that every machine writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from examples.day import Direction, Step, Talk, Text
from examples.people import STATIONS, Subscriber, abroad, acquaintance, business
from examples.wording import BANK_NOTICES, CHAT_IN, CHAT_OUT, CODES, DELIVERIES, NOTICES, filled
from models.base.durations import DAY, HOUR, SECOND

PEOPLE = 1_000
SEED = "forewarn-example-1"

CALLS_A_DAY = (12, 20, 22, 17, 12, 8, 5, 3, 1)
"""The weights of 0, 1, 2, … calls."""
SMS_A_DAY = (10, 22, 25, 19, 12, 7, 4, 1)
"""The weights of 0, 1, 2, … messages."""
CALL_HOURS = (1, 1, 1, 1, 1, 2, 8, 22, 42, 62, 72, 66, 48, 40, 50, 56, 60, 72, 76, 66, 50, 32, 14, 4)
SMS_HOURS = (2, 1, 1, 1, 1, 2, 8, 24, 44, 60, 66, 60, 56, 48, 50, 52, 56, 60, 64, 62, 56, 40, 22, 8)
"""The weights of the hours of the day."""
TALK = (3, 7, 11, 15, 19, 24, 29, 34, 40, 47, 55, 64, 75, 90, 110, 140, 185, 260, 420, 900, 2_700)
"""Seconds of talk at each twentieth of the answered calls, from the shortest: most are short, a few are long."""
UNANSWERED = 0.2
SERVICES = ("95588", "95533", "95599", "95555", "114", "10086", "12345", "12306")
"""Hotlines that people call; now and then one calls them."""

_AGES = ("18-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+")
_FLAGS = ("lives-alone", "cognitive-impairment")


def person(index: int, number: str) -> tuple[Subscriber, tuple[Step, ...]]:
    """The record of the person with this index, and the steps of their day in order of time."""
    rng = Random(f"{SEED}/{index}")
    age = rng.choices(_AGES, (20, 24, 20, 16, 12, 6, 2))[0]
    frail = age in _AGES[-3:] and rng.random() < 0.2
    record = Subscriber(
        number,
        rng.choice(STATIONS),
        "en" if rng.random() < 0.04 else "zh",
        age,
        (_FLAGS[int(rng.random() < 0.25)],) if frail else (),
    )
    circle = [acquaintance(rng.randrange(390_000)) for _ in range(rng.randrange(2, 8))]
    steps: list[Step] = [*_calls(rng, circle), *_messages(rng, circle)]
    return record, tuple(sorted(steps, key=lambda step: step.at))


def _calls(rng: Random, circle: list[str]) -> Iterator[Talk]:
    """Calls that do not overlap and that end before midnight."""
    begins = sorted(_moment(rng, CALL_HOURS) for _ in range(_count(rng, CALLS_A_DAY)))
    free = 0
    for at in begins:
        peer, direction = _other_end(rng, circle)
        ring = rng.randrange(2, 20) * SECOND
        talk = 0 if rng.random() < UNANSWERED else _talk(rng)
        until = at + ring + talk * SECOND
        if at >= free and until < DAY:
            free = until + SECOND
            yield Talk(at, until, peer, direction, talk)


def _other_end(rng: Random, circle: list[str]) -> tuple[str, Direction]:
    kind = rng.random()
    either: Direction = "in" if rng.random() < 0.5 else "out"
    if kind < 0.76:
        return rng.choice(circle), either
    if kind < 0.93:
        return business(rng.randrange(90_000)), "in" if rng.random() < 0.75 else "out"
    if kind < 0.985:
        return rng.choice(SERVICES), "out" if rng.random() < 0.8 else "in"
    return abroad(rng.randrange(1_000_000)), either


def _messages(rng: Random, circle: list[str]) -> Iterator[Text]:
    for _ in range(_count(rng, SMS_A_DAY)):
        at = _moment(rng, SMS_HOURS)
        kind = rng.random()
        if kind < 0.24:
            yield Text(at, rng.choice(circle), "in", filled(rng.choice(CHAT_IN), rng))
        elif kind < 0.36:
            yield Text(at, rng.choice(circle), "out", rng.choice(CHAT_OUT))
        elif kind < 0.56:
            yield Text(at, business(rng.randrange(1_000)), "in", filled(rng.choice(DELIVERIES), rng))
        elif kind < 0.68:
            yield Text(at, rng.choice(SERVICES[:4]), "in", filled(rng.choice(BANK_NOTICES), rng))
        elif kind < 0.86:
            yield Text(at, business(rng.randrange(1_000, 2_000)), "in", filled(rng.choice(CODES), rng))
        else:
            yield Text(at, business(rng.randrange(2_000, 3_000)), "in", filled(rng.choice(NOTICES), rng))


def _count(rng: Random, weights: tuple[int, ...]) -> int:
    return rng.choices(range(len(weights)), weights)[0]


def _moment(rng: Random, hours: tuple[int, ...]) -> int:
    return rng.choices(range(24), hours)[0] * HOUR + rng.randrange(HOUR)


def _talk(rng: Random) -> int:
    place = rng.random() * (len(TALK) - 1)
    step = int(place)
    return int(TALK[step] + (TALK[step + 1] - TALK[step]) * (place - step))
