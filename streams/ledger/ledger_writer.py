"""Ledger writer: opens the ledger of each assigned partition, and holds what the partitions of one worker share.

A partition that was just assigned continues where its checkpoint and the segments of earlier owners end.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import structlog

from models.events.numbering import CHINA, Sources
from models.indicators.path_hashes import PUBLIC, PathHashes
from streams.kafka.topic_logs import TopicLogs
from streams.ledger.gathering import RowMaker
from streams.ledger.partition_ledger import PartitionLedger, Shared
from streams.ledger.progress import LedgerProgress, log_mark
from streams.ledger.segments import Knowledge, NoSegmentError, SegmentFile
from streams.ledger.storage import LedgerError, Segment, Storage, segment_of
from streams.settings import Settings

log = structlog.get_logger(__name__)


class Beginning(NamedTuple):
    """Where a partition continues: the ledger progress in its checkpoint, and the offsets where scoring starts."""

    partition: int
    progress: LedgerProgress
    starts: Mapping[str, int]


class LedgerWriter:
    """Opens the ledger of each assigned partition.

    ``indicators`` says how far each partition of the indicators has been read, and ``sources`` how numbers in texts are
    written. One thread makes the rows of all partitions, and one segment is written at a time. Raises `SettingsError`
    for a ledger without the site secret, because its links are hashed under a key of the site.

    Shared between threads: the event loop calls `open`, whose work runs in another thread, because the storage may be
    slow. That thread only reads what the partitions share, and the event loop gets the ledgers when they are complete.
    So no lock is needed.
    """

    def __init__(self, settings: Settings, indicators: Mapping[int, int], sources: Sources = CHINA) -> None:
        hashes = PathHashes(settings.derived_key("links")) if settings.ledger else PUBLIC
        self._shared = Shared(
            settings.topic("calls"),
            settings.topic("sms"),
            indicators,
            Storage(settings) if settings.ledger else None,
            secrets.token_hex(6),
            asyncio.Semaphore(1),
            RowMaker(sources, hashes),
        )

    async def open(self, beginnings: Sequence[Beginning], logs: TopicLogs) -> list[PartitionLedger]:
        """The ledgers of partitions whose checkpoints were loaded, in the order of ``beginnings``.

        ``logs`` are the present logs of calls and SMS. It commits the segments that the checkpoints name. Raises
        `LedgerError` when the ledger cannot be used.
        """
        shared = self._shared
        topics = (shared.calls, shared.sms)
        scored = [each._replace(starts={topic: each.starts[topic] for topic in topics}) for each in beginnings]
        if shared.storage is None:  # if the ledger is turned on again, it begins where scoring then is
            return [
                PartitionLedger(shared, each.partition, dict(each.starts), LedgerProgress(fork=each.progress.fork))
                for each in scored
            ]
        return await asyncio.to_thread(self._open, shared.storage, scored, logs)

    def _open(self, storage: Storage, beginnings: Sequence[Beginning], logs: TopicLogs) -> list[PartitionLedger]:
        topics = (self._shared.calls, self._shared.sms)
        marks = [log_mark([logs[topic].id for topic in topics], each.progress.fork) for each in beginnings]
        committed = [self._commit_named(storage, each, mark) for each, mark in zip(beginnings, marks, strict=True)]
        segments = storage.segments()  # listed once for all partitions, because an object store is slow
        ledgers = []
        for beginning, mark, offsets in zip(beginnings, marks, committed, strict=True):
            number = beginning.partition
            mine = [segment for segment in segments if segment.partition == number]
            for topic in topics:
                end = logs[topic].ends[number]
                upto = reach(mine, mark, topic == self._shared.calls)
                if upto > end:
                    raise LedgerError(
                        f"The ledger at {storage.url} has {topic} partition {number} up to offset {upto}, but the log "
                        f"ends at {end}: the topic was truncated. Run `forewarn state rewind`, then start the workers "
                        "again."
                    )
                # Segments without a mark are older than marks. They count if nothing else says how far the ledger is.
                unmarked = reach(mine, "", topic == self._shared.calls)
                if topic not in beginning.progress.offsets and unmarked <= end:
                    upto = max(upto, unmarked)
                offsets[topic] = max(offsets[topic], upto)
            # The first checkpoint carries this progress, even if the worker ends soon after it.
            progress = LedgerProgress(dict(offsets), fork=beginning.progress.fork)
            known = _known_before(storage, mine)
            ledgers.append(PartitionLedger(self._shared, number, offsets, progress, known, mark))
        return ledgers

    def _commit_named(self, storage: Storage, beginning: Beginning, mark: str) -> dict[str, int]:
        """Commit the segment that a checkpoint names; returns the offsets reached according to the checkpoint alone."""
        progress = beginning.progress
        reached = {topic: progress.offsets.get(topic, at) for topic, at in beginning.starts.items()}
        segment = segment_of(progress.segment) if progress.segment else None
        if segment is not None and not storage.enter(progress.pending, segment):
            log.error("a segment of the ledger is gone and is recorded again", segment=segment.path)
            if segment.log in (mark, ""):
                reached |= {self._shared.calls: segment.calls[0], self._shared.sms: segment.sms[0]}
        storage.clear_pending(beginning.partition)
        return reached


def reach(segments: Iterable[Segment], mark: str, of_calls: bool) -> int:
    """The offset of calls, or else of SMS, before which one partition's segments with this mark have the records."""
    mine = (each for each in segments if each.log == mark)
    return max(((each.calls if of_calls else each.sms)[1] for each in mine), default=0)


def _known_before(storage: Storage, segments: Sequence[Segment]) -> Knowledge:
    """What was known for the last of a partition's segments; later records were scored with at least that."""
    if segments:
        try:
            last = max(segments, key=lambda each: (each.day, each.calls[1] + each.sms[1]))
            with SegmentFile(storage.open(last)) as file:
                return file.known
        except (NoSegmentError, FileNotFoundError):
            pass  # later records are then looked through once more than needed
    return Knowledge()
