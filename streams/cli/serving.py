"""Serving: runs one of Forewarn's programs in the foreground and reports its errors in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from streams import logs
from streams.cli import CommandError
from streams.kafka.login import LoginRefusedError
from streams.redis.answers import RedisRefusedError
from streams.redis.site_secret import OtherSecretError
from streams.service import AddressTakenError, bounded_end
from streams.setting_fields import SettingsError
from streams.settings import Settings


def serve(run: Callable[[Settings], Coroutine[Any, Any, None]], *others: type[Exception]) -> None:
    """Run a program with the settings from the environment until it ends.

    ``others`` are the program's errors that the user can fix, besides those of the environment.
    """
    mistakes: tuple[type[Exception], ...] = (
        SettingsError,
        AddressTakenError,
        RedisRefusedError,
        LoginRefusedError,
        OtherSecretError,
        *others,
    )
    try:
        settings = Settings.from_environ()
        logs.configure(settings)
        with bounded_end():
            uvloop.run(run(settings))
    except mistakes as error:
        raise CommandError(str(error)) from None
