"""Settings page: makes ``docs/settings.md`` from the settings, with ``python -m streams.settings_page``."""

from __future__ import annotations

import dataclasses
import sys

from streams.setting_fields import PREFIX
from streams.settings import Settings


def page() -> str:
    """The text of ``docs/settings.md``."""
    variables = {PREFIX + field.name.upper(): field.metadata for field in dataclasses.fields(Settings)}
    hidden = ", ".join(f"`{variable}`" for variable, about in variables.items() if about["secret"])
    rows = "\n".join(
        f"| `{variable}` | {about['shown'] and '`' + about['shown'] + '`'} | {about['help']} |"
        for variable, about in variables.items()
    )
    return f"""\
<!-- Made by `python -m streams.settings_page > docs/settings.md`; a test holds it equal. -->
# Settings

Environment variables configure Forewarn; they are read once at the start. A variable that begins with `FOREWARN_`
and is not on this page is refused, so that a typing mistake is noticed. A variable that is set but empty counts as
not set, unless its row says otherwise.

| variable | default | meaning |
|---|---|---|
{rows}

Secrets ({hidden}) are never printed. A secret
may be read from a file instead: put the file's path in the same variable with `_FILE` at its end.
"""


if __name__ == "__main__":
    sys.stdout.write(page())
