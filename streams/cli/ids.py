"""The ids of commands that work on files: with the site secret those of the live run, else public ones."""

from __future__ import annotations

from typing import Final

from models.detection.ids import PUBLIC, Ids
from streams.settings import Settings

PUBLIC_SAID: Final = "The ids are public and not those of the live run, because FOREWARN_SECRET_FILE is not set."


def site_ids(settings: Settings) -> Ids:
    """The ids under the site's key, or public ones if the settings have no secret."""
    return PUBLIC if settings.secret is None else Ids(settings.derived_key("ids"))
