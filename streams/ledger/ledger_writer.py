"""The ledger writer: what the partitions of one worker share when they write to the ledger, and how each begins.

A partition that was just assigned goes on where its checkpoint and the segments of earlier owners end.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import structlog

from streams.ledger.gathering import RowMaker
from streams.ledger.partition_ledger import PartitionLedger, Shared
from streams.ledger.progress import LedgerProgress
from streams.ledger.segments import Knowledge, NoSegmentError, SegmentFile
from streams.ledger.storage import Segment, Storage, segment_of
from streams.settings import Settings

log = structlog.get_logger(__name__)


class Beginning(NamedTuple):
    """Where a partition goes on: by its checkpoint, and by the offsets from which its topics are to be scored."""

    partition: int
    progress: LedgerProgress
    starts: Mapping[str, int]


class LedgerWriter:
    """Opens the ledger of each assigned partition; ``indicators`` is how far each of their partitions has been read.

    One thread makes the rows of all partitions, and one segment is written at a time.
    """

    def __init__(self, settings: Settings, indicators: Mapping[int, int]) -> None:
        self._shared = Shared(
            settings.topic("calls"),
            settings.topic("sms"),
            indicators,
            Storage(settings) if settings.ledger else None,
            secrets.token_hex(6),
            asyncio.Semaphore(1),
            RowMaker(),
        )

    async def open(self, beginnings: Sequence[Beginning]) -> list[PartitionLedger]:
        """The ledgers of partitions whose checkpoints were loaded, in their order.

        Commits the segments that the checkpoints name. Raises `LedgerError` when the ledger cannot be used.
        """
        shared = self._shared
        topics = (shared.calls, shared.sms)
        scored = [each._replace(starts={topic: each.starts[topic] for topic in topics}) for each in beginnings]
        if shared.storage is None:  # a ledger that is turned on again begins where scoring is then
            return [PartitionLedger(shared, each.partition, dict(each.starts), LedgerProgress()) for each in scored]
        return await asyncio.to_thread(self._open, shared.storage, scored)

    def _open(self, storage: Storage, beginnings: Sequence[Beginning]) -> list[PartitionLedger]:
        reached = [self._commit_named(storage, each) for each in beginnings]
        calls, sms = self._shared.calls, self._shared.sms
        segments = storage.segments()  # once for all of them: an object store takes its time
        ledgers = []
        for beginning, offsets in zip(beginnings, reached, strict=True):
            mine = [segment for segment in segments if segment.partition == beginning.partition]
            for segment in mine:
                offsets[calls] = max(offsets[calls], segment.calls[1])
                offsets[sms] = max(offsets[sms], segment.sms[1])
            # The first checkpoint carries this progress, however soon the worker is gone.
            progress = LedgerProgress(dict(offsets))
            ledgers.append(
                PartitionLedger(self._shared, beginning.partition, offsets, progress, _known_before(storage, mine))
            )
        return ledgers

    def _commit_named(self, storage: Storage, beginning: Beginning) -> dict[str, int]:
        """Commit the segment that a checkpoint names; how far the ledger has got then, by the checkpoint alone."""
        progress = beginning.progress
        reached = {topic: progress.offsets.get(topic, at) for topic, at in beginning.starts.items()}
        segment = segment_of(progress.segment) if progress.segment else None
        if segment is not None and not storage.enter(progress.pending, segment):
            log.error("a segment of the ledger is gone and is recorded again", segment=segment.path)
            reached |= {self._shared.calls: segment.calls[0], self._shared.sms: segment.sms[0]}
        storage.clear_pending(beginning.partition)
        return reached


def _known_before(storage: Storage, segments: Sequence[Segment]) -> Knowledge:
    """What the last of a partition's segments knew; what followed it was scored with that at least."""
    if segments:
        try:
            with SegmentFile(storage.open(max(segments, key=lambda each: each.calls[1] + each.sms[1]))) as file:
                return file.known
        except (NoSegmentError, FileNotFoundError):
            pass  # what follows is then looked through once more than needed
    return Knowledge()
