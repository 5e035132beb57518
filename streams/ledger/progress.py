"""Progress: how far the ledger has a partition's records; a checkpoint stores it together with the offsets."""

from __future__ import annotations

import msgspec


class LedgerProgress(msgspec.Struct, frozen=True):
    """How far the ledger has the records of a partition, and the segment that a checkpoint names, if any."""

    offsets: dict[str, int] = {}
    """The next offset of each topic."""
    segment: str = ""
    """The path in the ledger of the segment that is to be committed; empty when there is none."""
    pending: str = ""
    """The name of that segment's file beside the ledger; empty when there is none."""
