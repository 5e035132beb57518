"""Checking the audit log for the console: its chain, its seals and published heads; and finding its newest lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from models.access.audit_chain import ChainError, Line, verify
from streams.audit.heads import PublishedHead, hashes
from streams.audit.log import AuditLog
from streams.audit.reading import backwards, lines, log_of


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a check."""

    whole: bool
    wrong: str = ""
    """Where the log is not whole, and what happened there."""
    lines: int = 0
    """The number of the last line."""
    expired: int = 0
    """The number of the last line that has expired."""
    head: str = ""
    """The hash of the last line."""
    published: int | None = None
    """The last line whose published hash agrees; None if Kafka could not be asked, 0 if none was published."""


def checked(audit: AuditLog, heads: Sequence[PublishedHead] | None) -> Verdict:
    """Check a log; blocks while all of it is read. Raises `AuditError` when it cannot be read."""
    published = None if heads is None else hashes(heads, log_of(lines(audit.path)))
    try:
        whole = verify(lines(audit.path), audit.keys, published=published)
    except ChainError as error:
        return Verdict(whole=False, wrong=str(error))
    last = None if published is None else max(published, default=0)
    return Verdict(whole=True, lines=whole.lines, expired=whole.expired, head=whole.head, published=last)


class Wanted(NamedTuple):
    """Which lines are wanted; what is empty does not matter."""

    who: str = ""
    did: str = ""
    case: str = ""
    since: str = ""
    """ISO 8601, UTC, to the second."""
    before: int = 0
    """Only lines with a lower number; 0: all."""

    def takes(self, line: Line) -> bool:
        """Whether a line is wanted."""
        return (
            self.who in ("", line.who)
            and self.did in ("", line.did)
            and self.case in ("", line.case)
            and line.at >= self.since
            and (not self.before or line.number < self.before)
        )


def newest(audit: AuditLog, wanted: Wanted, most: int) -> tuple[list[Line], bool]:
    """The newest lines that are wanted, newest first, and whether there are more; blocks while it reads.

    It reads from the end until there are enough. Lines from before there was a chain are left out. Raises `AuditError`.
    """
    kept = [*islice(filter(wanted.takes, backwards(audit.path)), most + 1)]
    return kept[:most], len(kept) > most
