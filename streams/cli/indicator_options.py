"""Shared by the commands of ``forewarn indicators``: the types of options, and running a coroutine to its end."""

from __future__ import annotations

import asyncio
import codecs
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

import click
import phonenumbers

from streams.cli import CommandError
from streams.files.instants import instant
from streams.kafka.indicator_topic import TopicError
from streams.setting_fields import SettingsError

T = TypeVar("T")


class Region(click.ParamType):
    """A country by its two-letter code, in upper or lower case."""

    name = "country"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The country code in upper case."""
        region = str(value).upper()
        if region not in phonenumbers.SUPPORTED_REGIONS:
            self.fail("give the two letters of a country, for example CN", param, ctx)
        return region


class Instant(click.ParamType):
    """A time: epoch ms, or a date with an optional time of day."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The time in epoch ms."""
        try:
            return instant(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Encoding(click.ParamType):
    """An encoding by any name that Python knows."""

    name = "encoding"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Python's own name of the encoding."""
        try:
            return codecs.lookup(value).name
        except LookupError:
            self.fail("this is no encoding; well-known ones are utf-8, gb18030, big5, cp949 and cp932", param, ctx)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end with aiokafka's own log off: its errors are reported in one sentence instead."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    try:
        return asyncio.run(work)
    except TopicError as error:
        if error.confirmed:
            raise
        raise CommandError(str(error)) from None
    except SettingsError as error:
        raise CommandError(str(error)) from None
