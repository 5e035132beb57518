"""Progress: how far the ledger has a partition's records; a checkpoint stores it together with the offsets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec


class LedgerProgress(msgspec.Struct, frozen=True):
    """How far the ledger has the records of a partition, and the segment that a checkpoint names, if any."""

    offsets: dict[str, int] = {}
    """The next offset of each topic."""
    segment: str = ""
    """The path in the ledger of the segment that is to be committed; empty when there is none."""
    pending: str = ""
    """The name of that segment's file beside the ledger; empty when there is none."""
    fork: int = 0
    """How often the topics' logs were found truncated, so that offsets were given again; see `log_mark`."""


def log_mark(ids: Iterable[str], fork: int) -> str:
    """The mark of the logs of calls and SMS in the names of their segments, by the topics' ids in Kafka.

    Offsets of segments with different marks cannot be compared. The mark is empty where Kafka gives no ids, and in
    names from before there were marks.

    >>> log_mark(["", ""], 0), log_mark(["", ""], 1), len(log_mark(["a", "b"], 0))
    ('', 'be8d8c1a', 8)
    """
    ids = [*ids]
    if not any(ids) and not fork:
        return ""
    return hashlib.blake2b(" ".join([*ids, str(fork)]).encode(), digest_size=4).hexdigest()
