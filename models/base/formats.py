"""Formats: whatever is stored says in which format it was written, so that no program reads what it does not know.

What was stored before formats had numbers counts as format 1.
"""

from __future__ import annotations


class NewerFormatError(ValueError):
    """Something was stored by a newer version of Forewarn; the message says what, and what to do."""


def check_format(what: str, found: int, newest: int) -> None:
    """Raise `NewerFormatError` if ``what`` was found in a format after the ``newest`` that this version knows.

    >>> check_format("The snapshot", 1, 1)
    >>> check_format("The snapshot", 3, 2)
    Traceback (most recent call last):
    models.base.formats.NewerFormatError: The snapshot was written by a newer version of Forewarn (format 3; this \
version knows formats up to 2): use that version again.
    """
    if found > newest:
        raise NewerFormatError(
            f"{what} was written by a newer version of Forewarn (format {found}; this version knows formats up to "
            f"{newest}): use that version again."
        )
