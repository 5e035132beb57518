"""The audit log: who looked whom up, when, for which case, and how many were found; lines are only ever added.

A look-up whose line cannot be written shows nothing. What was looked for stands as a pseudonym, a keyed hash: whoever
has the key can check a number, nobody can read one out.
"""

from __future__ import annotations

import getpass
import hmac
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from streams.ledger.place import LedgerError


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One look-up."""

    at: str
    who: str
    case: str
    what: list[str]
    """Pseudonyms, ``type:`` before each."""
    since: str
    found: int


def pseudonym(key: str, value: str) -> str:
    """The pseudonym of a value under a key: the same for the same, 16 hexadecimal digits.

    >>> pseudonym("0123456789abcdef", "evil.top") == pseudonym("0123456789abcdef", "evil.top")
    True
    """
    return hmac.new(key.encode(), value.encode(), "sha256").hexdigest()[:16]


def entry(key: str, case: str, indicators: Sequence[str], since: datetime, found: int) -> Entry:
    """The entry of a look-up of these indicators (``type:value``) that is made now by whoever runs this."""
    what = [f"{kind}:{pseudonym(key, value)}" for kind, _, value in (each.partition(":") for each in indicators)]
    return Entry(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        who=_who(),
        case=case,
        what=what,
        since=since.isoformat(timespec="seconds"),
        found=found,
    )


def write(path: Path, line: Entry) -> None:
    """Add a line, on the disk when this returns; raises `LedgerError` when that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, msgspec.json.encode(line) + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise LedgerError(
            f"The audit log {path} cannot be written ({error.strerror}), so nothing is shown: mend its folder, or set "
            "FOREWARN_AUDIT_LOG."
        ) from None


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
