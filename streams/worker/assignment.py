"""Takeover: what a worker begins with when it is given partitions, and from where each of their topics is read.

State and offsets come from the checkpoint, never from Kafka's group; the ledger may lack what was scored already, which
is then read once more for it alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter

import structlog

from models.detection.alignment import Alignment
from models.policy.policy import Policy
from streams.ledger.place import LedgerError
from streams.ledger.recording import Recorder, Recording
from streams.settings import Settings
from streams.worker.checkpoint import Checkpoints, Held, MissingStateError
from streams.worker.partition import Assigned, Feed, Role, Source

log = structlog.get_logger(__name__)

Places = Mapping[tuple[str, int], int]
"""An offset of each (topic, partition)."""


class Takeover:
    """Loads partitions that were just assigned."""

    def __init__(self, settings: Settings, checkpoints: Checkpoints, recorder: Recorder) -> None:
        self._settings = settings
        self._checkpoints = checkpoints
        self._recorder = recorder
        self._topics: dict[Role, str] = {role: settings.topic(role) for role in ("calls", "sms", "signals")}

    async def load(self, committed: Places, source: Source, policy: Policy) -> dict[int, Assigned]:
        """The partitions, by number; ``committed``: the group's offset of every assigned topic partition (-1: none).

        Raises `MissingStateError` when Redis has lost what Kafka says was read, unless the
        settings say to rebuild it, and `LedgerError` when the ledger cannot be used or is another log's.
        """
        first = await source.first_offsets([*committed])
        taken: list[tuple[Held, Mapping[str, int]]] = []
        for number in sorted({partition for _, partition in committed}):
            held = await self._checkpoints.load(number)
            mine = {topic: at for (topic, partition), at in committed.items() if partition == number}
            if not held.version and any(at > 0 for at in mine.values()):
                self._refuse_to_forget(number)
                mine = dict.fromkeys(mine, 0)
            held.partition.restore(dict(held.partition.subjects), policy)
            starts = {topic: held.offsets.get(topic, first.get((topic, number), at)) for topic, at in mine.items()}
            taken.append((held, starts))
        recordings = await self._recorder.open(taken)
        await asyncio.gather(*[self._check(recording, source) for recording in recordings])
        return {
            recording.held.partition.number: self._assigned(recording, starts, first)
            for recording, (_, starts) in zip(recordings, taken, strict=True)
        }

    def _assigned(self, recording: Recording, starts: Mapping[str, int], first: Places) -> Assigned:
        now = perf_counter()
        partition = recording.held.partition
        feeds = {
            role: Feed(
                topic,
                min(starts[topic], recording.reached.get(topic, starts[topic])),
                now,
                starts[topic],
                first.get((topic, partition.number)),
            )
            for role, topic in self._topics.items()
        }
        alignment = Alignment(partition.call_clock, partition.sms_clock)
        return Assigned(recording.held, recording, alignment, feeds, starts)

    def _refuse_to_forget(self, number: int) -> None:
        if self._settings.state_when_missing == "refuse":
            raise MissingStateError(
                f"Redis holds no state of partition {number}, although this site's group has read it before. If Redis "
                "was emptied, start with FOREWARN_STATE_WHEN_MISSING=rebuild to read again everything that Kafka still "
                "keeps (alerts repeat with the same ids); if this is the wrong Redis, mend FOREWARN_REDIS."
            )
        log.warning("rebuilding state from the beginning of the log", partition=number)

    async def _check(self, recording: Recording, source: Source) -> None:
        """Raise `LedgerError` when a ledger reaches beyond the log's end: it is another log's."""
        number = recording.held.partition.number
        for topic, reached in recording.reached.items() if recording.is_on else ():
            end = await source.end_offset_now(topic, number)
            if end is not None and reached > end:
                raise LedgerError(
                    f"The ledger at {self._settings.ledger} reaches offset {reached} of {topic} partition {number}, "
                    f"which ends at {end}: it is of a topic that was deleted. Move the folder away, or set "
                    "FOREWARN_LEDGER."
                )
