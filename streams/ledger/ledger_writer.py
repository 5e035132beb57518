"""Ledger writer: opens the ledger of each assigned partition, and holds what the partitions of one worker share.

A partition that was just assigned continues where its checkpoint and the segments of earlier owners end.
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
    """Where a partition continues: the ledger progress in its checkpoint, and the offsets where scoring starts."""

    partition: int
    progress: LedgerProgress
    starts: Mapping[str, int]


class LedgerWriter:
    """Opens the ledger of each assigned partition.

    ``indicators`` says how far each partition of the indicators has been read. One thread makes the rows of all
    partitions, and one segment is written at a time.

    Shared between threads: the event loop calls `open`, whose work runs in another thread, because the storage may be
    slow. That thread only reads what the partitions share, and the event loop gets the ledgers when they are complete.
    So no lock is needed.
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
        """The ledgers of partitions whose checkpoints were loaded, in the order of ``beginnings``.

        It commits the segments that the checkpoints name. Raises `LedgerError` when the ledger cannot be used.
        """
        shared = self._shared
        topics = (shared.calls, shared.sms)
        scored = [each._replace(starts={topic: each.starts[topic] for topic in topics}) for each in beginnings]
        if shared.storage is None:  # if the ledger is turned on again, it begins where scoring then is
            return [PartitionLedger(shared, each.partition, dict(each.starts), LedgerProgress()) for each in scored]
        return await asyncio.to_thread(self._open, shared.storage, scored)

    def _open(self, storage: Storage, beginnings: Sequence[Beginning]) -> list[PartitionLedger]:
        reached = [self._commit_named(storage, each) for each in beginnings]
        calls, sms = self._shared.calls, self._shared.sms
        segments = storage.segments()  # listed once for all partitions, because an object store is slow
        ledgers = []
        for beginning, offsets in zip(beginnings, reached, strict=True):
            mine = [segment for segment in segments if segment.partition == beginning.partition]
            for segment in mine:
                offsets[calls] = max(offsets[calls], segment.calls[1])
                offsets[sms] = max(offsets[sms], segment.sms[1])
            # The first checkpoint carries this progress, even if the worker ends soon after it.
            progress = LedgerProgress(dict(offsets))
            ledgers.append(
                PartitionLedger(self._shared, beginning.partition, offsets, progress, _known_before(storage, mine))
            )
        return ledgers

    def _commit_named(self, storage: Storage, beginning: Beginning) -> dict[str, int]:
        """Commit the segment that a checkpoint names; returns the offsets reached according to the checkpoint alone."""
        progress = beginning.progress
        reached = {topic: progress.offsets.get(topic, at) for topic, at in beginning.starts.items()}
        segment = segment_of(progress.segment) if progress.segment else None
        if segment is not None and not storage.enter(progress.pending, segment):
            log.error("a segment of the ledger is gone and is recorded again", segment=segment.path)
            reached |= {self._shared.calls: segment.calls[0], self._shared.sms: segment.sms[0]}
        storage.clear_pending(beginning.partition)
        return reached


def _known_before(storage: Storage, segments: Sequence[Segment]) -> Knowledge:
    """What was known for the last of a partition's segments; later records were scored with at least that."""
    if segments:
        try:
            with SegmentFile(storage.open(max(segments, key=lambda each: each.calls[1] + each.sms[1]))) as file:
                return file.known
        except (NoSegmentError, FileNotFoundError):
            pass  # later records are then looked through once more than needed
    return Knowledge()
