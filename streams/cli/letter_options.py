"""Letter options: how a command of ``forewarn letters`` is told which letters are meant, and how it asks Kafka."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Final, TypeVar

import click

from streams.cli import InputError
from streams.cli.since import Since
from streams.kafka.found_letters import LettersError, Origin
from streams.letters.choosing import Choice, Place
from streams.settings import Settings

T = TypeVar("T")


class PlaceOf(click.ParamType):
    """The place of a refused record: its topic, partition and offset."""

    name = "topic/partition/offset"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        """The place; its topic has no prefix."""
        if isinstance(value, Place):
            return value
        topic, *numbers = str(value).split("/")
        if not topic or len(numbers) != 2 or not all(each.isascii() and each.isdecimal() for each in numbers):
            self.fail("give topic, partition and offset of the refused record, for example calls/3/1180", param, ctx)
        return Place(topic, int(numbers[0]), int(numbers[1]))


PLACE: Final = PlaceOf()


def choosing(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose letters; `choice_of` makes a choice of their values."""
    for add in (
        click.option("--record", type=PLACE, help="Only this one record, for example calls/3/1180."),
        click.option("--until", type=Since(), help="Only records that arrived before this time."),
        click.option("--since", type=Since(), help="Only records that arrived at this time or later, for example 1h."),
        click.option("--source", help="Only records of this source (carrier); (none) are those that name none."),
        click.option("--reason", help="Only records that were refused for this reason, for example wrong-field."),
        click.option("--topic", help="Only records of this topic, for example calls."),
    ):
        command = add(command)
    return command


def choice_of(
    settings: Settings,
    topic: str | None,
    reason: str | None,
    source: str | None,
    since: datetime | None,
    until: datetime | None,
    record: Place | None,
) -> Choice:
    """The choice that the options make."""
    place = None if record is None else at_site(settings, record)
    return Choice(topic and settings.topic(topic), reason, source, _ms(since), _ms(until), place)


def at_site(settings: Settings, place: Place) -> Place:
    """A place with the site's prefix before its topic."""
    return place._replace(topic=settings.topic(place.topic))


def shown_place(settings: Settings, origin: Origin) -> str:
    """A refused record's place as the options take it."""
    return f"{origin.topic.removeprefix(settings.topic_prefix)}/{origin.partition}/{origin.offset}"


def checked_case(case: str) -> str:
    """The case without blanks around it; raises `InputError` when nothing is left."""
    if not case.strip():
        raise InputError("--case is empty: give the case or incident for which it is done")
    return case.strip()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do the work; a failure that the user can mend is reported in one sentence."""
    for name in ("aiokafka", "asyncio"):  # what they would log of a lost connection, the sentence says
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        return asyncio.run(work)
    except LettersError as error:
        raise InputError(str(error)) from None


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
