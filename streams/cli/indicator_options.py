"""Shared by the commands of ``forewarn indicators``: the option ``--region`` and running a coroutine to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

import click
import phonenumbers

from streams.cli import CommandError
from streams.kafka.indicator_topic import TopicError
from streams.settings import SettingsError

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
