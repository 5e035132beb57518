"""Noting: writes what a command does to the audit log before it is done, and publishes the log's head at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

import click

from models.access.audit_chain import Plain
from streams.audit import AuditError, AuditLog, Deed, operator
from streams.audit.reading import recent
from streams.cli import InputError
from streams.setting_fields import SettingsError
from streams.settings import Settings


def note(
    settings: Settings,
    did: Deed,
    *,
    case: str = "",
    about: Sequence[str] = (),
    details: Mapping[str, Plain] | None = None,
) -> None:
    """Record that the user of this command does something, and if they do it unusually often; see `AuditLog.note`.

    Raises `InputError` when that is not possible: then nothing may be done or shown.
    """
    from streams.audit.pace import USUAL, is_unusual_now, since  # only here: it loads the metrics

    try:
        audit = AuditLog.of(settings)
        publish_at_end(settings)
        audit.note(did, who=operator(), case=case, about=about, details=details)
        if did in USUAL and is_unusual_now(recent(audit.path, since(timedelta(hours=1))), operator(), did):
            audit.note("unusual-use", who=operator(), case=case, details={"did": did, "minutes": 60})
    except (AuditError, SettingsError) as error:
        raise InputError(str(error)) from None


def publish_at_end(settings: Settings) -> None:
    """Publish the head of the audit log when the running command ends, once; say so if that is not possible."""
    context = click.get_current_context().find_root()
    if _PUBLISHES not in context.meta:
        context.meta[_PUBLISHES] = True
        context.call_on_close(lambda: _publish(settings))


_PUBLISHES = f"{__name__}.publishes"


def _publish(settings: Settings) -> None:
    from streams.audit.heads import HeadError, publish

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    try:
        asyncio.run(publish(settings))
    except (HeadError, AuditError, SettingsError) as error:
        said = f"the head of the audit log is not published yet ({error}); the console or the next command publishes it"
        click.echo(said, err=True)
