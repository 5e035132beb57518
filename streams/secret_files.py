"""Secret files: reads a secret from its file, and refuses a file that others may use where it must stay private."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

MISSING: Final = (
    "The site has no secret: make one with (umask 077; openssl rand -hex 32 > FILE), keep a copy, and set "
    "FOREWARN_SECRET_FILE to that file for all programs of the site"
)
"""What to do where there is no site secret."""

NO_LETTERS_KEY: Final = (
    "Dead letters hold whole records, and there is no key to seal them to: make one with forewarn letters keygen FILE, "
    "keep FILE at the centre, and set FOREWARN_LETTERS_RECIPIENT to the public key that it prints, for worker and "
    "dispatcher"
)
"""What to do where there is no key for dead letters."""

NO_EXPORT_KEY: Final = (
    "The file would hold people's data, and there is no key to seal it to: make one with forewarn letters keygen FILE, "
    "keep FILE at the centre, and set FOREWARN_EXPORT_RECIPIENT to the public key that it prints; or say --plain, and "
    "the audit log records that"
)
"""What to do where there is no key for a file that is carried away."""


class ExposedError(Exception):
    """Others may use the file of a secret that must stay private; the message says how to mend it."""


def read_secret(path: Path, *, private: bool) -> str:
    """The secret in a file, without the line end that an editor adds.

    Raises OSError when the file cannot be read, and `ExposedError` when others may use a ``private`` one. Root may give
    a file to a group to read, as containers mount it.
    """
    if private:
        about = path.stat()
        allowed = stat.S_IRWXU | (0 if about.st_uid else stat.S_IRGRP)
        if stat.S_IMODE(about.st_mode) & ~allowed:
            raise ExposedError(f"others may use {path} (mode {stat.S_IMODE(about.st_mode):04o}): run chmod 600 on it")
    return path.read_text(encoding="utf-8").rstrip("\r\n")
